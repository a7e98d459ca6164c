"""Anthropic's messages."""

from importlib import import_module
from typing import Any, ClassVar
from urllib.parse import quote

from typing_extensions import override

from gateway.clock import Clock
from gateway.providers import keys
from gateway.providers.anthropic_echoes import Echoes
from gateway.providers.anthropic_messages import messages_body
from gateway.providers.anthropic_stream import MessageAnswer
from gateway.providers.exchange import Wire
from gateway.providers.prompt import Prompt
from gateway.providers.server import ServerProvider
from gateway.settings import AgentSettings

DEFAULT_MODEL = "claude-sonnet-5-5"


class AnthropicProvider(ServerProvider):
    """Messages, streamed, with the prompt cached as far as it repeats."""

    default_model: ClassVar[str] = DEFAULT_MODEL
    official_url: ClassVar[str] = "https://api.anthropic.com"
    key_variable: ClassVar[str] = keys.ANTHROPIC
    answer_path: ClassVar[str] = "/v1/messages"

    def __init__(self, settings: AgentSettings, *, clock: Clock | None = None) -> None:
        super().__init__(settings, clock=clock)
        self._base_url = self._base_url.removesuffix("/v1")
        self._echoes = Echoes()

    @override
    def _connect(self) -> Wire:
        sdk = import_module("gateway.providers.anthropic_sdk")
        wire: Wire = sdk.connect(self._base_url, self._key)
        return wire

    @override
    def _body(self, prompt: Prompt) -> dict[str, Any]:
        return messages_body(
            prompt,
            limit=self._settings.max_output_tokens,
            echoes=self._echoes.of(prompt.rounds),
        )

    @override
    def _new_answer(self, model: str) -> MessageAnswer:
        return MessageAnswer(limit=self._settings.max_output_tokens, keep=self._echoes.keep)

    @override
    def _check_path(self, model: str) -> str:
        return f"/v1/models/{quote(model, safe='')}"

    @override
    def _is_known(self, model: str, document: Any) -> bool:
        return isinstance(document, dict) and "id" in document
