"""A request once its history is mended and its files are opened."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.contracts.provider import ToolSpec
from gateway.providers.files import Shown
from gateway.providers.history import Round
from gateway.transcript import FileBlock


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ready to be written in a server's own form."""

    model: str
    system: str
    rounds: list[Round]
    shown: Mapping[FileBlock, Shown]
    tools: tuple[ToolSpec, ...]
    session: str
