"""The commands' contract and the one table of them all."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gateway.commands.permissions import least_role
from gateway.contracts.adapter import CommandInfo
from gateway.contracts.inbox import Kept
from gateway.contracts.roles import Role
from gateway.contracts.stores import SessionInfo
from gateway.ids import TurnId
from gateway.messages import Address, Choice, Message, OutgoingFile
from gateway.people.access import Admission
from gateway.pools.models import session_model
from gateway.pools.pool import Pool

Written = Callable[[Address, str], str]
"""Tells how a command is written where a message came from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says back."""

    text: str
    choices: tuple[Choice, ...] = ()
    files: tuple[OutgoingFile, ...] = ()
    """In the turn's own directory, which goes when the turn is over."""


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a command."""

    argument: str
    turn: TurnId
    kept: Kept
    admission: Admission
    pool: Pool
    session: SessionInfo | None
    """The active session of the place, if it has one."""

    @property
    def models(self) -> tuple[str, ...]:
        """What may be chosen here; the first is what is used without a choice."""
        of_place = self.admission.place.model
        first = () if of_place is None else (of_place,)
        return tuple(dict.fromkeys((*first, *self.pool.allowed_models)))

    @property
    def model(self) -> str:
        """What answers here."""
        chosen = None if self.session is None else self.session.model
        return session_model(chosen, self.pool.allowed_models, self.admission.place.model)


class Command(ABC):
    """One slash command; who may use it stands in `permissions`."""

    name: ClassVar[str]
    summary: ClassVar[str]
    is_control: ClassVar[bool] = False
    """Answered at once, beside the session's waiting line."""
    is_urgent: ClassVar[bool] = False
    """A control that acts on a turn at work: it waits behind no other, whose answer may have to
    wait for its platform."""
    is_listed: ClassVar[bool] = True
    """Shown in menus and in `/help`."""
    is_direct_only: ClassVar[bool] = False
    """Has to do with what is a person's own; refused where others read along."""

    @abstractmethod
    async def run(self, call: Call) -> Answer: ...

    async def refuse_in_group(self, call: Call) -> Answer:
        """Answer a use in a group of a command that is for direct messages."""
        return Answer(f"/{self.name} is for direct messages. Write to me there.")

    def allows(self, admission: Admission, *, is_direct: bool) -> bool:
        least = least_role(self.name)
        return admission.role >= (least.direct if is_direct else least.in_groups)


class Commands:
    """Finds the command that a message is; everything else is chat, a file's caption too."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._by_name = {command.name: command for command in commands}

    def find(self, message: Message) -> tuple[Command, str] | None:
        """Return the command and its argument."""
        is_command = message.text.startswith("/") and not message.attachments
        words = message.text.split(maxsplit=1) if is_command else []
        command = self._by_name.get(words[0][1:].lower()) if words else None
        return None if command is None else (command, "".join(words[1:]).strip())

    def is_control(self, message: Message) -> bool:
        found = self.find(message)
        return found is not None and found[0].is_control

    def urgent(self, message: Message) -> str:
        """Name the urgent control that the message is; "" for any other."""
        found = self.find(message)
        return found[0].name if found is not None and found[0].is_urgent else ""

    @property
    def infos(self) -> tuple[CommandInfo, ...]:
        """What platforms show in their menus."""
        return tuple(
            CommandInfo(
                name=command.name,
                summary=command.summary,
                is_direct_only=command.is_direct_only
                or least_role(command.name).in_groups > Role.MEMBER,
                is_for_owner=least_role(command.name).direct is Role.OWNER,
            )
            for command in self._by_name.values()
            if command.is_listed
        )

    def visible_to(self, admission: Admission, *, is_direct: bool) -> Sequence[Command]:
        return [
            command
            for command in self._by_name.values()
            if command.is_listed
            and command.allows(admission, is_direct=is_direct)
            and (is_direct or not command.is_direct_only)
        ]
