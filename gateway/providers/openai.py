"""OpenAI's chat completions, and every server that is compatible with them."""

from importlib import import_module
from typing import Any, ClassVar

from typing_extensions import override

from gateway.clock import Clock
from gateway.providers import keys
from gateway.providers.exchange import Wire
from gateway.providers.openai_dialect import Dialect, first_dialect, is_official, learn
from gateway.providers.openai_messages import chat_body
from gateway.providers.openai_stream import ChatAnswer
from gateway.providers.prompt import Prompt
from gateway.providers.server import ServerProvider
from gateway.settings import AgentSettings

DEFAULT_MODEL = "gpt-6-sol"
"""The newest of the middle size that takes tools in chat completions."""


class OpenAIProvider(ServerProvider):
    """Chat completions, streamed; learns which optional fields each model takes."""

    default_model: ClassVar[str] = DEFAULT_MODEL
    official_url: ClassVar[str] = "https://api.openai.com/v1"
    key_variable: ClassVar[str] = keys.OPENAI
    answer_path: ClassVar[str] = "/chat/completions"

    def __init__(self, settings: AgentSettings, *, clock: Clock | None = None) -> None:
        super().__init__(settings, clock=clock)
        self._dialects: dict[str, Dialect] = {}

    @override
    def _connect(self) -> Wire:
        sdk = import_module("gateway.providers.openai_sdk")
        wire: Wire = sdk.connect(self._base_url, self._key)
        return wire

    def _dialect(self, model: str) -> Dialect:
        known = self._dialects.get(model)
        return known or first_dialect(model, official=is_official(self._base_url))

    @override
    def _body(self, prompt: Prompt) -> dict[str, Any]:
        limit = self._settings.max_output_tokens
        return chat_body(prompt, self._dialect(prompt.model), limit=limit)

    @override
    def _new_answer(self, model: str) -> ChatAnswer:
        return ChatAnswer(limit=self._settings.max_output_tokens)

    @override
    def _adapt(self, model: str, complaint: str) -> bool:
        learnt = learn(self._dialect(model), complaint)
        if learnt is None:
            return False
        self._dialects[model] = learnt
        return True

    @override
    def _check_path(self, model: str) -> str:
        return "/models"

    @override
    def _is_known(self, model: str, document: Any) -> bool:
        listed = document.get("data") if isinstance(document, dict) else None
        names = [item.get("id", "") for item in listed or () if isinstance(item, dict)]
        return any(name == model or name.startswith(f"{model}:") for name in names)
