"""The one question asked of everything that comes in: may this person say this here?"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import structlog

from gateway.contracts.people import People, Person
from gateway.contracts.stores import Cursors, Outbox
from gateway.ids import AccountName
from gateway.messages import Message, Origin, PlaceMoved
from gateway.people.place_names import former_name, note_former_name, settings_of_place
from gateway.people.roles import Role, Roles, role_set
from gateway.settings import AccessSettings, PlaceSettings

log = structlog.get_logger()


class Reason(StrEnum):
    """Why a message was refused; kept with its record and in the log."""

    IS_BOT = "is_bot"
    NOT_ADDRESSED = "not_addressed"
    PLACE_NOT_ALLOWED = "place_not_allowed"
    DIRECT_MESSAGES_OFF = "direct_messages_off"
    NOT_ON_ALLOWLIST = "not_on_allowlist"
    NOT_PAIRED = "not_paired"
    NOT_ASKED = "not_asked"
    """Somebody pressed a button of another's."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Proof that the sender may speak here; no turn is made without one."""

    person: Person
    role: Role
    place: PlaceSettings


@dataclass(frozen=True, slots=True)
class Refusal:
    """The sender may not speak here."""

    reason: Reason
    context: int = 0
    """Of a message not meant for the bot: how many of them the place lets it know."""


class Access:
    """Applies `access:` to messages, by immutable ids only."""

    def __init__(
        self,
        settings: AccessSettings,
        people: People,
        cursors: Cursors,
        outbox: Outbox,
        trusted: Collection[AccountName],
    ) -> None:
        self._settings = settings
        self._people = people
        self._cursors = cursors
        self._outbox = outbox
        self._trusted = trusted
        self._roles = Roles(settings)

    async def authorise(self, message: Message) -> Admission | Refusal:
        """Decide; asked when a message is accepted and again when its turn starts."""
        if message.is_from_bot:
            return Refusal(Reason.IS_BOT)
        if message.origin is Origin.PRESSED and not await self._was_asked(message):
            return Refusal(Reason.NOT_ASKED)
        if not message.address.place.is_direct:
            return await self._authorise_in_group(message)
        role = await self._direct_role(message)
        if isinstance(role, Reason):
            return Refusal(role)
        return await self._admit(message, role, PlaceSettings())

    async def move_place(self, moved: PlaceMoved) -> None:
        """Let what the settings allow an old place hold for the new one."""
        old, new = (f"{moved.platform}:{place.conversation}" for place in (moved.old, moved.new))
        log.warning("place.moved", old=old, new=new, cure="name the new one in access.groups")
        await note_former_name(self._cursors, new, old)

    async def _was_asked(self, message: Message) -> bool:
        """Say whether the pressed message answered its presser, or nobody we remember."""
        address = message.address
        if message.pressed_on is None:
            return True
        asked = await self._outbox.asked_by(address.account, message.pressed_on)
        return asked is None or asked == address.external_user

    async def _direct_role(self, message: Message) -> Role | Reason:
        identity = message.address.identity
        if self._roles.is_owner(identity) or message.address.account in self._trusted:
            return Role.OWNER
        mode = self._settings.direct_messages
        if mode == "off":
            return Reason.DIRECT_MESSAGES_OFF
        role = await self._role_of(message)
        if role > Role.GUEST or mode == "open":
            return role
        return Reason.NOT_PAIRED if mode == "pairing" else Reason.NOT_ON_ALLOWLIST

    async def _authorise_in_group(self, message: Message) -> Admission | Refusal:
        place = await self._place_settings(message)
        if place is None:
            return Refusal(Reason.PLACE_NOT_ALLOWED)
        if not message.is_addressed and place.answer == "mention":
            return Refusal(Reason.NOT_ADDRESSED, place.context)
        role = await self._role_of(message)
        if role < Role.OWNER and (given := place.roles.get(message.address.identity)) is not None:
            role = role_set(given)
        return await self._admit(message, role, place)

    async def _role_of(self, message: Message) -> Role:
        """Return what the person is everywhere; a place may give another role."""
        address = message.address
        person = await self._people.find(address.platform, address.external_user)
        return self._roles.everywhere(address.identity, None if person is None else person.role)

    async def _place_settings(self, message: Message) -> PlaceSettings | None:
        """Look the place up by its own id, its space's or its former one."""
        address, groups = message.address, self._settings.groups
        own, space = address.place_name, address.place.space
        found = settings_of_place(groups, [own, f"{address.platform}:{space}"] if space else [own])
        if found is not None:
            return found
        former = await former_name(self._cursors, own)
        return None if former is None else settings_of_place(groups, [former])

    async def _admit(self, message: Message, role: Role, place: PlaceSettings) -> Admission:
        address = message.address
        person = await self._people.find(address.platform, address.external_user)
        if person is None:
            # Stored as a guest whatever the settings say: a right that comes from settings
            # must end with them.
            person = await self._people.admit(
                address.platform, address.external_user, name=message.sender_name, role="guest"
            )
        return Admission(person, role, place)
