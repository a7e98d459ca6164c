from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.ids import AccountName, EventKey, ExternalUser, PlatformName
from gateway.messages import Message, Place, PlaceMoved
from gateway.people.access import Access, Admission, Reason, Refusal
from gateway.people.roles import Role
from gateway.settings import AccessSettings
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.messages import direct, group, message


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=FakeClock())
    await opened.open()
    yield opened
    await opened.close()


async def decide(store: SqlStore, asked: Message, **access: Any) -> Role | Reason:
    settings = AccessSettings.model_validate(access)
    decision = await Access(
        settings, store.people, store.cursors, store.outbox, {AccountName("tty")}
    ).authorise(asked)
    return decision.role if isinstance(decision, Admission) else decision.reason


async def admit(store: SqlStore, user: str, role: str = "member") -> None:
    await store.people.admit(PlatformName("telegram"), ExternalUser(user), name="", role=role)


async def test_t1_a_stranger_is_refused_by_default(store: SqlStore) -> None:
    assert await decide(store, message()) is Reason.NOT_PAIRED
    assert await decide(store, message(), direct_messages="allowlist") is Reason.NOT_ON_ALLOWLIST
    assert await decide(store, message(), direct_messages="off") is Reason.DIRECT_MESSAGES_OFF


async def test_a_stranger_is_a_guest_where_everybody_is_welcome(store: SqlStore) -> None:
    assert await decide(store, message(), direct_messages="open") is Role.GUEST


async def test_a_guest_of_yesterday_is_a_stranger_when_the_door_is_closed(store: SqlStore) -> None:
    await decide(store, message(), direct_messages="open")
    assert await decide(store, message()) is Reason.NOT_PAIRED


async def test_owners_and_the_allowlist_come_from_the_settings(store: SqlStore) -> None:
    assert await decide(store, message(), owners=["telegram:42"]) is Role.OWNER
    assert await decide(store, message(), allowlist=["telegram:42"]) is Role.MEMBER
    assert await decide(store, message(), owners=["discord:42"]) is Reason.NOT_PAIRED


async def test_an_admin_is_let_in_and_may_more_than_a_member(store: SqlStore) -> None:
    admins = {"admins": ["telegram:42"]}
    assert await decide(store, message(), **admins) is Role.ADMIN
    assert await decide(store, message(address=group()), **admins, groups="open") is Role.ADMIN
    off = await decide(store, message(), **admins, direct_messages="off")
    assert off is Reason.DIRECT_MESSAGES_OFF


async def test_t12_a_stored_role_holds_like_one_of_the_settings(store: SqlStore) -> None:
    await admit(store, "42")
    here = {"telegram:-100": {"roles": {"telegram:42": "guest"}}}
    for role in ("admin", "member"):
        await store.people.give_role(PlatformName("telegram"), ExternalUser("42"), role, by="ann")
        assert await decide(store, message()) is Role[role.upper()]
        assert await decide(store, message(), direct_messages="allowlist") is Role[role.upper()]
        assert await decide(store, message(address=group()), groups="open") is Role[role.upper()]
        assert await decide(store, message(address=group()), groups=here) is Role.GUEST
        assert await decide(store, message(), owners=["telegram:42"]) is Role.OWNER
        assert await decide(store, message(), admins=["telegram:42"]) is Role.ADMIN
    await store.people.give_role(PlatformName("telegram"), ExternalUser("42"), "guest", by="ann")
    assert await decide(store, message()) is Reason.NOT_PAIRED
    assert await decide(store, message(address=group()), groups="open") is Role.GUEST
    assert await decide(store, message(), allowlist=["telegram:42"]) is Role.MEMBER


@pytest.mark.parametrize("stored", ["owner", "king", ""])
async def test_t11_nothing_stored_makes_an_owner(store: SqlStore, stored: str) -> None:
    await admit(store, "42")
    await store.people.give_role(PlatformName("telegram"), ExternalUser("42"), stored, by="ann")
    assert await decide(store, message(address=group()), groups="open") is Role.GUEST


@pytest.mark.parametrize("given", ["guest", "member", "admin"])
async def test_a_place_gives_a_role_that_holds_there_alone(store: SqlStore, given: str) -> None:
    await admit(store, "42")
    groups = {"telegram:-100": {"roles": {"telegram:42": given}}, "telegram:-200": {}}
    here, there = message(address=group()), message(address=group(conversation="-200"))
    assert await decide(store, here, groups=groups) is Role[given.upper()]
    assert await decide(store, there, groups=groups) is Role.MEMBER
    assert await decide(store, message(), groups=groups) is Role.MEMBER
    assert await decide(store, here, groups=groups, owners=["telegram:42"]) is Role.OWNER


def test_no_place_makes_an_owner() -> None:
    place = {"roles": {"telegram:42": "owner"}}
    with pytest.raises(ValueError, match="roles"):
        AccessSettings.model_validate({"groups": {"telegram:-100": place}})


async def test_a_right_from_the_settings_ends_with_them(store: SqlStore) -> None:
    await decide(store, message(), owners=["telegram:42"])
    await decide(store, message(), allowlist=["telegram:42"])
    assert await decide(store, message()) is Reason.NOT_PAIRED


async def test_an_owner_may_write_where_direct_messages_are_off(store: SqlStore) -> None:
    settings = {"owners": ["telegram:42"], "direct_messages": "off"}
    assert await decide(store, message(), **settings) is Role.OWNER


async def test_who_was_let_in_stays_until_dismissed(store: SqlStore) -> None:
    await admit(store, "42")
    assert await decide(store, message()) is Role.MEMBER
    await store.people.dismiss(PlatformName("telegram"), ExternalUser("42"))
    assert await decide(store, message()) is Reason.NOT_PAIRED


async def test_t10_a_name_gives_no_right(store: SqlStore) -> None:
    await admit(store, "42")
    impostor = message(address=direct("43"), sender_name="Ann")
    assert await decide(store, impostor, owners=["telegram:42"]) is Reason.NOT_PAIRED
    with pytest.raises(ValueError, match="never a name"):
        AccessSettings.model_validate({"owners": ["telegram:@ann"]})


async def test_t2_a_group_is_silent_until_it_is_allowed(store: SqlStore) -> None:
    asked = message(address=group())
    assert await decide(store, asked) is Reason.PLACE_NOT_ALLOWED
    assert await decide(store, asked, groups=["telegram:-200"]) is Reason.PLACE_NOT_ALLOWED
    assert await decide(store, asked, groups=["telegram:-100"]) is Role.GUEST
    assert await decide(store, asked, groups="open") is Role.GUEST
    whole = message(address=group(conversation="7", space="9", platform="discord"))
    assert await decide(store, whole, groups=["discord:9"]) is Role.GUEST


async def test_in_a_group_only_what_is_meant_for_the_bot_is_heard(store: SqlStore) -> None:
    aside = message(address=group(), is_addressed=False)
    assert await decide(store, aside, groups="open") is Reason.NOT_ADDRESSED
    always = {"telegram:-100": {"answer": "always"}}
    assert await decide(store, aside, groups=always) is Role.GUEST


async def test_direct_pairing_gives_nothing_in_a_group_that_is_not_allowed(
    store: SqlStore,
) -> None:
    await admit(store, "42")
    assert await decide(store, message(address=group())) is Reason.PLACE_NOT_ALLOWED
    assert await decide(store, message(address=group()), groups="open") is Role.MEMBER


async def test_t3_bots_are_never_answered(store: SqlStore) -> None:
    bot = message(is_from_bot=True)
    assert await decide(store, bot, direct_messages="open") is Reason.IS_BOT


async def test_whoever_sits_at_the_terminal_is_the_owner(store: SqlStore) -> None:
    assert await decide(store, message(address=direct(account="tty"))) is Role.OWNER


def test_a_refusal_is_no_admission() -> None:
    assert not isinstance(Refusal(Reason.NOT_PAIRED), Admission)


async def test_a_place_that_moved_is_allowed_as_the_old_one_was(store: SqlStore) -> None:
    settings = AccessSettings.model_validate({"groups": {"telegram:-100": {"answer": "always"}}})
    access = Access(settings, store.people, store.cursors, store.outbox, set())
    asked = message(address=group(conversation="-200"), is_addressed=False)
    assert isinstance(await access.authorise(asked), Refusal)
    moved = PlaceMoved(
        EventKey("m"), AccountName("bot"), PlatformName("telegram"), Place("-100"), Place("-200")
    )
    await access.move_place(moved)
    assert isinstance(await access.authorise(asked), Admission)
