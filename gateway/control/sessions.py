"""What the owner may ask about sessions: whose they are and how long, and putting one aside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.contracts.overview import SessionFacts
from gateway.contracts.stores import Store
from gateway.control.server import Verb
from gateway.control.verbs import identity_parts
from gateway.errors import Refused
from gateway.ids import AgentId, PersonId
from gateway.people.directory import Directory
from gateway.people.pairing import AT_THE_COMMAND_LINE
from gateway.people.places import Places
from gateway.pools.pool import Pool
from gateway.session_key import SessionKey
from gateway.transcript import (
    AssistantEntry,
    Entry,
    StoredEntry,
    SummaryEntry,
    ToolResultEntry,
    UserEntry,
    entry_text,
)


@dataclass(frozen=True, slots=True)
class SessionControl:
    """Answers the verbs `sessions.*`."""

    store: Store
    directory: Directory
    places: Places
    pool_of: Callable[[AgentId], Pool | None]
    """Finds who has a session's runner, if anybody runs."""

    def verbs(self) -> dict[str, Verb]:
        return {
            "sessions.list": self.list_sessions,
            "sessions.show": self.show,
            "sessions.archive": self.archive,
        }

    async def list_sessions(self, args: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return active sessions, or all; of one agent or one person, if these are given."""
        agent = AgentId(str(args["agent"])) if "agent" in args else None
        person = await self._person(str(args["person"])) if "person" in args else None
        found = await self.store.overview.sessions(
            agent, person=person, archived=bool(args.get("all"))
        )
        owners, places = await self._owners(), await self.places.names_by_key()
        return [_described(one, owners, places) for one in found]

    async def show(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return one session with what it has used; its words only when they are asked for."""
        found = await self._find(str(args["session"]))
        shown = _described(found, await self._owners(), await self.places.names_by_key())
        totals = await self.store.usage.totals(session=found.id)
        shown["usage"] = [
            {
                "model": one.model,
                "calls": one.calls,
                "input_tokens": one.usage.input_tokens,
                "cached_tokens": one.usage.cache_read_tokens,
                "output_tokens": one.usage.output_tokens,
            }
            for one in totals
        ]
        if args.get("words"):
            facts = {"session": found.id}
            await self.store.audit.note("session.read", AT_THE_COMMAND_LINE, facts)
            everything = await self.store.transcript.everything(found.id)
            shown["words"] = [_words(entry) for entry in everything]
        return shown

    async def archive(self, args: Mapping[str, Any]) -> dict[str, Any]:
        found = await self._find(str(args["session"]))
        by, pool = AT_THE_COMMAND_LINE, self.pool_of(found.agent)
        is_done = await (
            self.store.sessions.archive(found.id, by=by)
            if pool is None
            else pool.archive_session(found.id, by=by)
        )
        if not is_done:
            raise Refused(f"{found.id} is archived already.")
        return {"id": found.id}

    async def _find(self, part: str) -> SessionFacts:
        found = await self.store.overview.find(part)
        if len(found) == 1:
            return found[0]
        if not found:
            raise Refused(f"There is no session {part}. `parley sessions list --all` lists all.")
        ids = "\n".join(one.id for one in found)
        raise Refused(f"{part} may be any of these:\n{ids}")

    async def _person(self, who: str) -> PersonId:
        if ":" not in who:
            return PersonId(who)
        platform, user = identity_parts(who)
        known = await self.store.people.find(platform, user)
        if known is None:
            raise Refused(f"{who} is not known here. `parley people list` lists all.")
        return known.id

    async def _owners(self) -> Mapping[str, list[str]]:
        """Return each person's accounts."""
        return {
            person.id: [account.identity for account in person.accounts]
            for person in await self.directory.everybody()
        }


def _described(
    session: SessionFacts, owners: Mapping[str, list[str]], places: Mapping[str, str]
) -> dict[str, Any]:
    key = SessionKey.decode(session.key)
    return {
        "id": session.id,
        "handle": session.id.rpartition("-")[2],
        "agent": session.agent,
        "person": session.person,
        "whose": _whose(session, key, owners, places),
        "is_group": key.is_group,
        "title": session.title,
        "model": session.model,
        "entries": session.entries,
        "created_at": session.created_at,
        "last_active": session.last_active,
        "state": "archived" if session.is_archived else "active",
    }


def _whose(
    session: SessionFacts,
    key: SessionKey,
    owners: Mapping[str, list[str]],
    places: Mapping[str, str],
) -> list[str]:
    """Return the place, or all accounts of the person."""
    if key.is_group:
        return [places.get(session.key, key.channel_context)]
    return owners.get(session.person or "", [":".join(key.owner)])


def _words(stored: StoredEntry) -> dict[str, Any]:
    return {
        "number": stored.seq,
        "at": stored.created_at,
        "by": _speaker(stored.entry),
        "text": entry_text(stored.entry),
    }


def _speaker(entry: Entry) -> str:
    match entry:
        case UserEntry(speaker=speaker):
            return "user" if speaker is None else f"user {speaker}"
        case AssistantEntry():
            return "assistant"
        case ToolResultEntry(tool=tool):
            return f"tool {tool}"
        case SummaryEntry():
            return "summary"
