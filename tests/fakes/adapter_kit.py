"""What a test lends an adapter in the gateway's place."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.clock import Clock
from gateway.contracts.adapter import AdapterKit, CommandInfo


@dataclass
class MemoryCursor:
    """A position that outlives no test."""

    position: str | None = None

    async def load(self) -> str | None:
        return self.position

    async def save(self, position: str) -> None:
        self.position = position


@dataclass
class HealthRecord:
    """What an adapter said of itself, in order; `alive` is an empty word."""

    said: list[str] = field(default_factory=list)

    def alive(self) -> None:
        self.said.append("")

    def troubled(self, reason: str) -> None:
        self.said.append(reason)


def adapter_kit(clock: Clock, data_dir: Path, commands: tuple[CommandInfo, ...] = ()) -> AdapterKit:
    return AdapterKit(
        clock=clock,
        cursor=MemoryCursor(),
        commands=commands,
        health=HealthRecord(),
        data_dir=data_dir,
    )
