"""A store with people in it, and the desk where they link their accounts."""

import sqlite3
from pathlib import Path
from typing import Any

from gateway.contracts.inbox import KeepOutcome
from gateway.contracts.linking import Change, Link, Trouble
from gateway.contracts.people import Person
from gateway.contracts.stores import SessionInfo
from gateway.ids import AgentId, ExternalUser, Lane, PlatformName
from gateway.messages import Message
from gateway.people.linking import Linking
from gateway.session_key import build_session_key, build_user_session_key
from gateway.store.store import SqlStore
from gateway.transcript import UserEntry
from tests.fakes.clock import FakeClock
from tests.messages import direct, keep_one, message

AGENT = AgentId("main")


class Desk:
    """People are named `platform:user`; what they say at the desk comes from there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=self.clock)
        self.changes: list[Change] = []
        self.linking = Linking(self.store, folder / "pairing.key", self._note, lambda: None)

    async def _note(self, change: Change) -> None:
        self.changes.append(change)

    def says(self, who: str, text: str = "hello", **more: Any) -> Message:
        platform, _, user = who.partition(":")
        address = direct(user, platform=platform, account=platform)
        return message(text, address, **{"sender_name": user.title(), **more})

    async def let_in(self, *names: str, role: str = "member") -> None:
        for who in names:
            platform, user = _parts(who)
            await self.store.people.admit(platform, user, name=user.title(), role=role)
            await self.store.identities.meet(self.says(who))

    async def person(self, who: str) -> Person:
        found = await self.store.people.find(*_parts(who))
        assert found is not None
        return found

    async def code(self, who: str) -> str:
        code = await self.linking.new_code(self.says(who), await self.person(who))
        assert not isinstance(code, Trouble), code
        return code

    async def use(self, who: str, code: str) -> Link | Trouble:
        return await self.linking.use_code(self.says(who), await self.person(who), code)

    async def shown(self, here: str, there: str) -> Link:
        """Bring a link to where the second account is asked."""
        link = await self.use(there, await self.code(here))
        assert isinstance(link, Link), link
        return link

    async def yes(self, who: str, link: Link, *, there: bool = False) -> Link | Change | Trouble:
        return await self.linking.say_yes(link.id, self.says(who), goes_on_there=there)

    async def link(self, here: str, there: str, *, goes_on_there: bool = False) -> Change:
        link = await self.shown(here, there)
        assert isinstance(await self.yes(there, link), Link)
        change = await self.yes(here, link, there=goes_on_there)
        assert isinstance(change, Change), change
        return change

    async def unlink(self, who: str) -> Change | Trouble:
        return await self.linking.unlink(*_parts(who), by=who)

    async def undo(self, who: str) -> Change | Trouble:
        return await self.linking.undo(self.says(who), await self.person(who))

    # What they say to the agent.

    async def key(self, who: str) -> str:
        person = await self.person(who)
        if person.is_linked:
            return build_user_session_key(AGENT, person.id, "dm").encode()
        platform, user = _parts(who)
        return build_session_key(AGENT, platform, user, "dm").encode()

    async def session(self, who: str) -> SessionInfo:
        return await self.store.sessions.resolve(
            AGENT, await self.key(who), (await self.person(who)).id
        )

    async def tells(self, who: str, words: str) -> SessionInfo:
        """Have something said in the account's session, and return that."""
        session = await self.session(who)
        await self.store.transcript.append(session.id, [UserEntry(words)])
        return session

    async def knows(self, who: str) -> list[str]:
        """Return what was said in the account's session."""
        active = await self.store.sessions.active(await self.key(who))
        if active is None:
            return []
        entries = await self.store.transcript.history(active.id)
        return [str(one.entry.content) for one in entries if isinstance(one.entry, UserEntry)]

    async def writes(self, who: str, text: str = "hello", **more: Any) -> KeepOutcome:
        """Have a message kept in the account's line."""
        key, person = await self.key(who), await self.person(who)
        return await keep_one(
            self.store.inbox,
            self.says(who, text, **more),
            lane=Lane(key),
            session_key=key,
            agent=AGENT,
            person=person.id,
            is_linked=person.is_linked,
        )

    def rows(self, sql: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(self.folder / "parley.db")
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def trail(self) -> list[str]:
        return [action for (action,) in self.rows("select action from audit order by number")]

    def news(self) -> list[tuple[str, str]]:
        """Return what is to be told, as (account, kind)."""
        asked = "select json_extract(address, '$.platform') || ':' || "
        asked += "json_extract(address, '$.external_user'), kind from announcements order by number"
        return list(self.rows(asked))


def _parts(who: str) -> tuple[PlatformName, ExternalUser]:
    platform, _, user = who.partition(":")
    return PlatformName(platform), ExternalUser(user)
