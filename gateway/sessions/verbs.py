"""What one agent's sessions may be asked: a word for each, handed over to the store."""

from collections.abc import Sequence

from gateway.contracts.stores import SessionInfo, Store, Turn
from gateway.ids import AgentId, PersonId, SessionId, TurnId
from gateway.transcript import StoredEntry


class SessionVerbs:
    """One agent's sessions; those of another agent do not exist here."""

    def __init__(self, agent: AgentId, store: Store) -> None:
        self.agent = agent
        self._sessions = store.sessions
        self._transcript = store.transcript
        self._session_of_turn = store.turns.session
        self._privacy = store.privacy

    async def active_session(self, key: str) -> SessionInfo | None:
        return self._own(await self._sessions.active(key))

    async def resolve_session(
        self, key: str, person: PersonId | None, *, turn: Turn | None = None
    ) -> SessionInfo:
        """Return the key's active session, making one if there is none.

        For a turn: where that began, or where its message belongs by now.
        """
        if turn is not None:
            return await self._session_of_turn(turn)
        return await self._sessions.resolve(self.agent, key, person)

    async def create_session(self, key: str, person: PersonId | None) -> SessionInfo:
        """Make a new session; one that was active for the key is archived."""
        return await self._sessions.create(self.agent, key, person)

    async def rotate_session(
        self,
        key: str,
        person: PersonId | None,
        *,
        expected: SessionId | None,
        to: SessionId | None = None,
    ) -> SessionInfo:
        """As `create_session`, unless `expected` has been rotated away already.

        Given `to`, that archived session of the person is gone on with. Raises:
            Refused: the person has no such session.
        """
        session = await self._sessions.rotate(self.agent, key, person, expected, to)
        if expected is not None and session.id != expected:
            await self._let_go(expected)
        return session

    async def get_session(self, session: SessionId) -> SessionInfo | None:
        return self._own(await self._sessions.get(session))

    async def list_sessions(
        self, *, archived: bool = False, person: PersonId | None = None
    ) -> Sequence[SessionInfo]:
        """Return the sessions, newest activity first; archived ones only when asked for.

        Given a person, only those that are theirs alone.
        """
        return await self._sessions.all(self.agent, person=person, archived=archived)

    async def archive_session(self, session: SessionId, *, by: str | None = None) -> bool:
        """Close the session for good; its history is kept. False when it is closed already.

        What is not done by its own people is noted in the audit trail: `by` says who did it.
        """
        if await self.get_session(session) is None:
            return False
        is_archived = await self._sessions.archive(session, by=by)
        await self._let_go(session)
        return is_archived

    async def erase_session(self, session: SessionId, person: PersonId) -> bool:
        """Erase a session of the person's own; False while it is at work."""
        is_erased = await self._privacy.erase_session(session, person)
        if is_erased:
            await self._let_go(session)
        return is_erased

    async def history(self, session: SessionId) -> Sequence[StoredEntry]:
        """Return what a model would see of the session."""
        if await self.get_session(session) is None:
            return ()
        return await self._transcript.history(session)

    async def has_begun(self, session: SessionId, turn: TurnId) -> bool:
        """Tell whether an earlier attempt at the turn has kept anything."""
        return any(stored.turn == turn for stored in await self._transcript.history(session))

    def _own(self, session: SessionInfo | None) -> SessionInfo | None:
        return session if session is not None and session.agent == self.agent else None

    async def _let_go(self, session: SessionId) -> None:
        """Release what is held for a session that was archived; for a subclass to say."""
