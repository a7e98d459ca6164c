"""Makes the OpenAI SDK's client; importing it loads the SDK."""

from openai import (
    APIStatusError,
    AsyncOpenAI,
    AsyncStream,
    DefaultAioHttpClient,
    OpenAIError,
)

from gateway.providers.exchange import Wire
from gateway.providers.sdk import LIMITS, TIMEOUT, SdkWire


def connect(base_url: str, key: str) -> Wire:
    client = AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=TIMEOUT,
        http_client=DefaultAioHttpClient(timeout=TIMEOUT, limits=LIMITS),
    )
    return SdkWire(
        client,
        stream_class=AsyncStream,
        status_error=APIStatusError,
        any_error=OpenAIError,
    )
