"""What a store tells those who look after the bot."""

from gateway.contracts.money import Payer
from gateway.contracts.overview import PlaceRefused
from gateway.contracts.stores import Store
from gateway.ids import AgentId, ExternalUser, Lane, PersonId, PlatformName
from gateway.messages import Address, Attachment, AttachmentKind, Message, Quote
from gateway.session_key import build_group_session_key, build_session_key
from gateway.transcript import Usage, UserEntry
from tests.fakes.clock import FakeClock
from tests.messages import direct, group, keep_one, message

AGENT, CLERK, ANN = AgentId("main"), AgentId("clerk"), PersonId("ann")
DM = build_session_key(AGENT, "telegram", "42", "dm").encode()
REASON = "place_not_allowed"


def key_of(address: Address) -> str:
    return build_group_session_key(AGENT, address.channel_context).encode()


async def talk(store: Store, given: Message) -> str:
    """Keep a message of a place, in a session of its own; return the session's key."""
    key = key_of(given.address)
    await keep_one(store.inbox, given, lane=Lane(key), session_key=key, agent=AGENT, person=ANN)
    await store.sessions.resolve(AGENT, key, None)
    return key


class OverviewContract:
    async def test_sessions_are_told_without_their_words(
        self, store: Store, clock: FakeClock
    ) -> None:
        old = await store.sessions.resolve(AGENT, DM, ANN)
        await store.sessions.freeze_prompt(old.id, "prompt", "a title")
        await store.transcript.append(old.id, [UserEntry("one"), UserEntry("two")])
        await clock.advance(5)
        new = await store.sessions.resolve(CLERK, "clerk:telegram:7:dm", PersonId("bob"))
        await store.sessions.archive(new.id)
        (told,) = await store.overview.sessions()
        assert (told.id, told.key, told.person, told.title) == (old.id, DM, ANN, "a title")
        assert (told.entries, told.is_archived) == (2, False)
        everything = await store.overview.sessions(archived=True)
        assert [one.id for one in everything] == [new.id, old.id]
        assert [one.id for one in await store.overview.sessions(CLERK, archived=True)] == [new.id]
        assert [one.id for one in await store.overview.sessions(person=ANN)] == [old.id]
        assert await store.overview.sessions(CLERK) == []

    async def test_a_session_is_found_by_a_part_of_its_id(self, store: Store) -> None:
        one = await store.sessions.create(AGENT, DM, ANN)
        other = await store.sessions.create(AGENT, DM, ANN)
        mark = one.id.rpartition("-")[2]
        for part in (one.id, mark, mark[:5], one.id[:-2]):
            assert [found.id for found in await store.overview.find(part)] == [one.id]
        assert {found.id for found in await store.overview.find(DM)} == {one.id, other.id}
        for part in ("", "%", "_", mark[1:], f"{mark}0", "nobody"):
            assert await store.overview.find(part) == []

    async def test_an_operators_archiving_is_noted(self, store: Store) -> None:
        session = await store.sessions.create(AGENT, DM, ANN)
        assert await store.sessions.archive(session.id, by="ann") is True
        assert await store.sessions.archive(session.id, by="ann") is False
        (row,) = await store.audit.newest(5)
        assert (row["action"], row["actor"], row["facts"]) == (
            "session.archived",
            "ann",
            {"session": session.id},
        )

    async def test_places_are_known_by_messages_and_by_calls(self, store: Store) -> None:
        here = message(address=group(thread="5"))
        key = await talk(store, here)
        await store.sessions.resolve(AGENT, "main:telegram:group:dm", ANN)  # nobody's group
        paid = await store.sessions.resolve(AGENT, "main:group:discord/9/7", None)
        await store.usage.record(
            paid.id, Payer(AGENT, ANN, "discord:7"), "big", Usage(1, 1), 0, None
        )
        told = {one.key: one for one in await store.overview.talks()}
        assert set(told) == {key, paid.key}
        assert told[key].address == here.address
        assert (told[key].sessions, told[key].places) == (1, ())
        assert (told[paid.key].address, told[paid.key].places) == (None, ("discord:7",))

    async def test_t1_a_refused_place_is_known_without_a_word_of_it(self, store: Store) -> None:
        quote = Quote("Bob", "secret quote")
        photo = Attachment(AttachmentKind.IMAGE, "secret reference", "a.png", "image/png", 5)
        for user in ("42", "43"):
            given = message(
                "secret words", group(user), quote=quote, attachments=(photo,), sender_name="Ann"
            )
            assert await store.inbox.refuse(given, REASON, with_address=True)
        await store.inbox.refuse(message(address=group(conversation="-200")), REASON)
        await store.inbox.refuse(message(address=direct()), "not_paired", with_address=True)
        (told,) = await store.overview.refused(REASON)
        assert told == PlaceRefused(group("43"), 2, told.last)
        assert await store.inbox.waiting() == 0
        ann = await store.people.admit(
            PlatformName("telegram"), ExternalUser("42"), name="Ann", role="guest"
        )
        kept = str(await store.privacy.everything(ann.id))
        assert REASON in kept
        assert "secret" not in kept
