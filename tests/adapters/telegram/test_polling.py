"""Updates are confirmed only once they are kept, whatever happens in between."""

from pathlib import Path

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.polling import Position
from adapters.telegram.settings import TelegramSettings
from gateway.ids import AccountName
from gateway.messages import Choice, Origin, OutgoingMessage
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer
from tests.fakes.telegram import FakeTelegram, User
from tests.fakes.telegram_address import at


async def until_confirmed(server: FakeTelegram) -> None:
    await server.until(lambda server: not server.updates.pending)


async def test_r1_what_waited_is_taken_in_order_and_never_dropped(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    """Lesson 1: nothing is dropped at a cold start."""
    for number in range(6):
        ann.writes(f"message {number}")
    async with account.receiving(adapter):
        await until_confirmed(server)
    assert account.gate.texts == [f"message {number}" for number in range(6)]
    [call] = server.calls("deleteWebhook")
    assert not call.parameters.get("drop_pending_updates")


async def test_r1_nothing_is_confirmed_before_it_is_kept(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    account.gate.open.clear()
    ann.writes("keep me")
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: gate.attempts == 1)
        assert len(server.updates.pending) == 1
        account.gate.open.set()
        await until_confirmed(server)
    assert account.gate.texts == ["keep me"]


async def test_r1_what_could_not_be_kept_is_tried_again_before_what_follows(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    ann: User,
) -> None:
    bob = server.user(43, "Bob")
    account.gate.busy_for = [3.0]
    ann.writes("first")
    ann.writes("second")
    bob.writes("meanwhile")
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: gate.texts == ["meanwhile"])
        await account.health.until(lambda health: bool(health.troubles))
        assert len(server.updates.pending) == 3
        await clock.advance(3)
        await until_confirmed(server)
    assert account.gate.texts == ["meanwhile", "first", "second"]


async def test_a_bot_to_whom_nobody_writes_is_connected_all_the_same(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account
) -> None:
    async with account.receiving(adapter):
        await account.health.until(lambda health: health.is_alive)
        assert server.updates.confirmed == 0


async def test_trouble_with_keeping_is_over_once_all_is_kept(
    adapter: TelegramAdapter, account: Account, clock: FakeClock, ann: User
) -> None:
    account.gate.busy_for = [3.0]
    ann.writes("precious")
    async with account.receiving(adapter):
        await account.health.until(lambda health: bool(health.troubles))
        await clock.advance(3)
        await account.health.until(lambda health: health.is_alive)
    assert account.gate.texts == ["precious"]


async def test_what_cannot_be_kept_is_not_tried_before_it_may(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock, ann: User
) -> None:
    account.gate.busy_for = [30.0]
    ann.writes("patience")
    async with account.receiving(adapter):
        await account.health.until(lambda health: bool(health.troubles))
        await clock.advance(29)
        assert account.gate.attempts == 1
        await clock.advance(1)
        await until_confirmed(server)
    assert account.gate.texts == ["patience"]


async def test_r1_a_restart_goes_on_where_the_last_ended(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    ann.writes("before")
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: bool(gate.texts))
        await server.until(lambda server: not server.updates.pending)
    ann.writes("between")
    async with account.receiving(adapter):
        await until_confirmed(server)
    assert account.gate.texts == ["before", "between"]
    assert account.gate.attempts == 2


async def test_chats_are_kept_beside_one_another_and_each_in_order(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account
) -> None:
    """Each waits for a commit: a batch must take one commit's time, not a hundred."""
    people = [server.user(number, f"P{number}") for number in range(100, 125)]
    for turn in range(4):
        for person in people:
            person.writes(f"{person.name} {turn}")
    account.gate.open.clear()
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: gate.attempts == len(people))
        account.gate.open.set()
        await until_confirmed(server)
    for person in people:
        of_person = [text for text in account.gate.texts if text.startswith(f"{person.name} ")]
        assert of_person == [f"{person.name} {turn}" for turn in range(4)]


async def test_sending_outlives_receiving_and_no_poll_is_left_behind(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    async with account.receiving(adapter):
        await server.until(lambda server: server.updates.is_polled)
    ann.writes("hello")
    await adapter.show_typing(at(ann.chat))
    assert ann.chat.is_typing()
    async with account.receiving(adapter):
        await until_confirmed(server)
    assert server.updates.conflicts == 0


async def test_l15_an_account_leaves_no_connection_behind(
    settings: TelegramSettings, server: FakeTelegram, account: Account, ann: User
) -> None:
    async def use() -> None:
        adapter = TelegramAdapter(AccountName("helper"), settings, account.kit)
        await adapter.open()
        ann.writes("hello")
        async with account.receiving(adapter):
            await until_confirmed(server)
        await adapter.close()

    await use()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        await use()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


async def test_a_pressed_button_is_kept_and_answered(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await adapter.send(
        at(ann.chat), OutgoingMessage("out_1", "Sure?", choices=(Choice("Yes", "y:1"),))
    )
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        again = ann.presses("Yes")
        await server.until(lambda _: press.is_answered and again.is_answered)
    assert account.gate.texts == ["y:1", "y:1"]
    pressed = account.gate.messages[0]
    assert pressed.origin is Origin.PRESSED
    assert pressed.pressed_on == f"{ann.chat.id}:{ann.chat.shown()[0].message_id}"
    assert len({message.message_id for message in account.gate.messages}) == 2


async def test_the_stop_button_says_stop(
    adapter: TelegramAdapter, account: Account, ann: User
) -> None:
    ann.writes("hi")
    await adapter.show_draft(at(ann.chat), 7, "Once upon")
    async with account.receiving(adapter):
        await account.gate.until(lambda gate: bool(gate.texts))
        ann.presses_stop()
        await account.gate.until(lambda gate: len(gate.texts) == 2)
    assert account.gate.texts == ["hi", "/stop"]


async def test_a_group_that_moves_is_told_of(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    old = server.group("Team", [ann])
    new = old.migrates(ann)
    async with account.receiving(adapter):
        await until_confirmed(server)
    assert {(move.old.conversation, move.new.conversation) for move in account.gate.moves} == {
        (str(old.id), str(new.id))
    }


async def test_an_album_is_meant_for_us_as_a_whole(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    ann.sends_album([b"\x89PNG1", b"\x89PNG2", b"\x89PNG3"], caption="@parley_bot look", chat=team)
    ann.sends_album([b"\x89PNG4", b"\x89PNG5"], caption="not for bots", chat=team)
    async with account.receiving(adapter):
        await until_confirmed(server)
    assert [message.is_addressed for message in account.gate.messages] == [True] * 3 + [False] * 2


async def test_updates_numbered_anew_after_a_quiet_week_are_not_missed(clock: FakeClock) -> None:
    position = Position(clock)
    position.advance([{"update_id": 900_000_000}])
    assert position.offset() == {"offset": 900_000_001}
    await clock.advance(7 * 86_400)
    assert position.offset() == {}


async def test_menus_show_each_scope_what_it_may_use(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account
) -> None:
    async with account.receiving(adapter):
        await server.until(lambda server: len(server.world.commands) == 2)
    menus = {
        scope: [entry["command"] for entry in menu]
        for (scope, _), menu in server.world.commands.items()
    }
    assert menus == {
        '{"type": "all_private_chats"}': ["start", "new"],
        '{"type": "all_group_chats"}': ["start"],
    }


async def test_menus_that_cannot_be_set_stop_nothing(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    server.faults.add(Answer(400), path="setMyCommands")
    async with account.receiving(adapter):
        ann.writes("hello")
        await until_confirmed(server)
        await server.until(lambda server: len(server.calls("setMyCommands")) == 2)
    assert account.gate.texts == ["hello"]


async def test_two_bots_share_nothing(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock, ann: User
) -> None:
    """CVE-2026-41362: the same numbers on two accounts are two events."""
    other_account = Account(clock, account.kit.data_dir)
    async with FakeTelegram(clock=clock, token="77:OTHER", username="other_bot") as elsewhere:
        other = TelegramAdapter(
            AccountName("other"),
            TelegramSettings.model_validate({"token": "77:OTHER", "api_base": elsewhere.url}),
            other_account.kit,
        )
        await other.open()
        ann.writes("to one")
        elsewhere.user(42, "Ann").writes("to the other")
        async with account.receiving(adapter), other_account.receiving(other):
            await until_confirmed(server)
            await until_confirmed(elsewhere)
        await other.close()
    assert account.gate.texts == ["to one"]
    assert other_account.gate.texts == ["to the other"]
    assert account.gate.messages[0].address.account == "helper"
    assert other_account.gate.messages[0].address.account == "other"
