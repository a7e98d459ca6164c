"""Makes the Anthropic SDK's client; importing it loads the SDK."""

from anthropic import (
    AnthropicError,
    APIStatusError,
    AsyncAnthropic,
    AsyncStream,
    DefaultAioHttpClient,
)

from gateway.providers.exchange import Wire
from gateway.providers.sdk import LIMITS, TIMEOUT, SdkWire


def connect(base_url: str, key: str) -> Wire:
    client = AsyncAnthropic(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=TIMEOUT,
        http_client=DefaultAioHttpClient(timeout=TIMEOUT, limits=LIMITS),
        open_telemetry=False,
    )
    return SdkWire(
        client,
        stream_class=AsyncStream,
        status_error=APIStatusError,
        any_error=AnthropicError,
    )
