"""What the providers that talk to a server share: one connection, deadlines, second tries."""

import asyncio
import json
from abc import abstractmethod
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlsplit

import structlog
from typing_extensions import override

from gateway.clock import Clock, SystemClock
from gateway.contracts.provider import ModelRequest, Part, Provider
from gateway.errors import ConfigInvalid
from gateway.providers.concessions import Concessions, concede
from gateway.providers.exchange import Answer, OpenAnswer, Patience, Wire, read_answer
from gateway.providers.failures import Rejected, failure
from gateway.providers.files import name_files, show_files
from gateway.providers.gathering import Gathering
from gateway.providers.history import mend
from gateway.providers.prompt import Prompt
from gateway.settings import AgentSettings
from gateway.transcript import AssistantEntry, Entry, FileBlock, UserEntry

NO_KEY = "no-key"
"""Sent to servers that ask for none."""
_REFUSALS = frozenset({400, 404, 413, 415, 422, 500})
"""Statuses with which servers refuse what they cannot read."""
_TRIES = 6
"""Each teaches something; a server that contradicts itself is given up."""

log = structlog.get_logger()


class ServerProvider(Provider):
    """A provider behind HTTP. The SDK is loaded at first use, beside the event loop."""

    official_url: ClassVar[str]
    key_variable: ClassVar[str]
    answer_path: ClassVar[str]

    def __init__(self, settings: AgentSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._base_url = (settings.base_url or self.official_url).rstrip("/")
        self._key = self._read_key(settings)
        self._wire: Wire | None = None
        self._connecting = asyncio.Lock()
        self._gathering = Gathering(self._clock)

    @abstractmethod
    def _connect(self) -> Wire:
        """Load the SDK and make its client; runs in a thread."""

    @abstractmethod
    def _body(self, prompt: Prompt) -> dict[str, Any]:
        """Write the request in the server's own form."""

    @abstractmethod
    def _new_answer(self, model: str) -> Answer: ...

    def _adapt(self, model: str, complaint: str) -> bool:
        """Learn from a complaint about the form of a request; False if it teaches nothing."""
        return False

    def _read_key(self, settings: AgentSettings) -> str:
        key = settings.api_key.get_secret_value().strip() if settings.api_key else ""
        if not key and settings.base_url is None:
            there = f"set it here, or {self.key_variable} in the environment"
            raise ConfigInvalid("api_key", f"is missing: {settings.provider} needs one; {there}")
        if not key.isascii() or not key.isprintable():
            raise ConfigInvalid("api_key", "holds characters that no key has; was it cut or mixed?")
        return key or NO_KEY

    @override
    async def warm_up(self) -> None:
        await self._connected()

    @override
    async def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        model = request.model or self._settings.model or self.default_model
        patience = Patience(
            self._clock,
            first=self._settings.first_token_timeout,
            gap=self._settings.token_gap_timeout,
        )
        arriving = self._gathering.joined(await self._open(request, model, patience))
        parts = read_answer(arriving, self._new_answer(model), patience)
        try:
            async for part in parts:
                yield part
        finally:
            await parts.aclose()

    async def _open(self, request: ModelRequest, model: str, patience: Patience) -> OpenAnswer:
        given = Concessions(with_calls=bool(request.tools))
        for tries_left in reversed(range(_TRIES)):
            try:
                async with patience.wait():
                    return await self._ask(request, model, given)
            except TimeoutError:
                raise patience.lost() from None
            except Rejected as rejected:
                plainer = self._plainer(request, model, given, rejected) if tries_left else None
                if plainer is None:
                    raise failure(rejected, model=model, now=self._clock.now()) from rejected
                given = plainer
        raise AssertionError("the last try returns or raises")

    async def _ask(self, request: ModelRequest, model: str, given: Concessions) -> OpenAnswer:
        wire = await self._connected()
        if _has_files(request.entries) and given.with_files:
            body = await asyncio.to_thread(self._encoded, request, model, given)
        else:
            body = self._encoded(request, model, given)
        return await wire.ask(self.answer_path, body)

    def _encoded(self, request: ModelRequest, model: str, given: Concessions) -> bytes:
        rounds = mend(request.entries, with_calls=given.with_calls)
        shown = show_files(rounds, request.read_file) if given.with_files else name_files(rounds)
        prompt = Prompt(model, request.system, rounds, shown, request.tools, request.session)
        text = json.dumps(self._body(prompt), ensure_ascii=False, separators=(",", ":"))
        # Half of a surrogate pair is no text: it must not cost the session.
        return text.encode("utf-8", "replace")

    def _plainer(
        self, request: ModelRequest, model: str, given: Concessions, rejected: Rejected
    ) -> Concessions | None:
        """Return how to ask again after a refusal; None when it is final."""
        if rejected.status not in _REFUSALS:
            return None
        complaint = rejected.complaint.everything
        if self._adapt(model, complaint):
            log.info("provider.adapted", model=model, status=rejected.status)
            return given
        plainer = concede(
            given,
            complaint,
            has_files=_has_files(request.entries),
            has_calls=_has_calls(request.entries),
        )
        if plainer is not None:
            log.warning("provider.conceded", model=model, status=rejected.status)
        return plainer

    async def _connected(self) -> Wire:
        async with self._connecting:
            if self._wire is None:
                self._wire = await asyncio.to_thread(self._connect)
            return self._wire

    @override
    async def check(self) -> str:
        model = self._settings.model or self.default_model
        host = urlsplit(self._base_url).hostname
        try:
            document = await self._look_up(self._check_path(model))
        except Rejected as rejected:
            if rejected.status == HTTPStatus.NOT_FOUND and self._settings.base_url:
                return f"{host} answers; it lists no models, so {model} is untested"
            raise failure(rejected, model=model, now=self._clock.now()) from rejected
        if self._is_known(model, document):
            return f"{host} answers, the key is good, {model} is there"
        return f"{host} answers, the key is good, but its list of models does not name {model}"

    async def _look_up(self, path: str) -> Any:
        patience = Patience(self._clock, first=self._settings.first_token_timeout, gap=0.0)
        try:
            async with patience.wait():
                return await (await self._connected()).look_up(path)
        except TimeoutError:
            raise patience.lost() from None

    @abstractmethod
    def _check_path(self, model: str) -> str:
        """Name the document that shows whether the model is there."""

    @abstractmethod
    def _is_known(self, model: str, document: Any) -> bool: ...

    @override
    async def close(self) -> None:
        async with self._connecting:
            wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()


def _has_files(entries: tuple[Entry, ...]) -> bool:
    return any(
        isinstance(entry, UserEntry)
        and not isinstance(entry.content, str)
        and any(isinstance(block, FileBlock) for block in entry.content)
        for entry in entries
    )


def _has_calls(entries: tuple[Entry, ...]) -> bool:
    return any(isinstance(entry, AssistantEntry) and entry.calls for entry in entries)
