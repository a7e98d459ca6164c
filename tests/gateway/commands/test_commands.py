"""Every command, for everybody who may use it, over real parts."""

import itertools
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.builtin import builtin_commands
from gateway.commands.permissions import LEAST as TABLE
from gateway.commands.start import Start
from gateway.contracts.people import Person
from gateway.errors import ProviderFailed
from gateway.ids import PersonId
from gateway.messages import Attachment, AttachmentKind, Place
from gateway.people.access import Admission
from gateway.people.roles import Role
from gateway.settings import PlaceSettings
from gateway.store.store import SqlStore
from gateway.transcript import UserEntry
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Make, gateways
from tests.fakes.means import no_means
from tests.fakes.provider import FakeProvider, Gate, says
from tests.messages import message

GUEST, MEMBER, ADMIN = Role.GUEST, Role.MEMBER, Role.ADMIN
LEAST = {
    "start": (GUEST, GUEST),
    "help": (GUEST, GUEST),
    "new": (GUEST, ADMIN),
    "compact": (GUEST, MEMBER),
    "model": (GUEST, ADMIN),
    "stop": (GUEST, GUEST),
    "status": (GUEST, GUEST),
    "usage": (GUEST, GUEST),
    "whoami": (GUEST, GUEST),
    "retry": (GUEST, GUEST),
    "allow": (GUEST, GUEST),
    "deny": (GUEST, GUEST),
    "link": (GUEST, GUEST),
    "linked": (GUEST, GUEST),
    "unlink": (GUEST, GUEST),
    "sessions": (GUEST, GUEST),
    "resume": (GUEST, GUEST),
    "export": (GUEST, GUEST),
    "forget": (GUEST, GUEST),
    "pair": (Role.OWNER, Role.OWNER),
    "people": (Role.OWNER, Role.OWNER),
    "places": (Role.OWNER, Role.OWNER),
    "audit": (Role.OWNER, Role.OWNER),
}
"""The least role for each command, in a direct message and in a group."""
SIGNS = {
    "start": "Hello! Write to me",
    "help": "Anything that is not a command",
    "new": "new conversation",
    "compact": "nothing to summarise",
    "model": "Choose a model",
    "stop": "Nothing is being written",
    "status": "- Agent: `main`",
    "usage": "Last 24 hours",
    "whoami": "- You: `fake:",
    "retry": "nothing to try again",
    "allow": "nothing to answer any more",
    "deny": "nothing to answer any more",
    "link": "good for ten minutes",
    "linked": "no other account",
    "unlink": "no other account",
    "sessions": "no conversation yet",
    "resume": "Which one?",
    "export": "Here is all that I keep",
    "forget": "This erases",
    "pair": "Write `/pair CODE`",
    "people": "**People I know**",
    "places": "No group or channel has written to me",
    "audit": "**The newest in the audit trail**",
}
"""How each answers where nothing has been said yet."""
UNLISTED = {"allow", "deny"}
"""Of use only when there is a question, which names them."""
OWNERS = {"pair", "people", "places", "audit"}
PRIVATE = {"link", "linked", "unlink", "sessions", "resume", "export", "forget", *OWNERS}
"""What only direct messages have."""
CONTROLS = (
    {"start", "help", "model", "stop", "status", "usage", "whoami"}
    | UNLISTED
    | PRIVATE - {"resume", "export"}
)
PHOTO = Attachment(AttachmentKind.IMAGE, "photo", "a.png", "image/png", 5)
ACCESS = {
    "direct_messages": "open",
    "groups": "open",
    "owners": ["fake:owner"],
    "admins": ["fake:admin"],
    "allowlist": ["fake:member"],
}


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield partial(made, access=ACCESS)


@pytest.fixture
def commands(tmp_path: Path) -> Any:
    clock = FakeClock()
    store = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=clock)
    return builtin_commands(store, clock, no_means(store, clock, tmp_path))


# Who may.


def test_t16_the_table_names_every_command(commands: Any) -> None:
    assert set(commands._by_name) == set(LEAST) == set(SIGNS) == set(TABLE)
    assert {info.name for info in commands.infos} == set(LEAST) - UNLISTED


@pytest.mark.parametrize(
    ("name", "role", "is_direct"), list(itertools.product(LEAST, Role, (True, False)))
)
def test_t16_every_command_has_its_least_role(
    commands: Any, name: str, role: Role, is_direct: bool
) -> None:
    admission = Admission(Person(PersonId("p"), "guest", False), role, PlaceSettings())
    command, _ = commands.find(message(f"/{name}"))
    least = LEAST[name][0 if is_direct else 1]
    assert command.allows(admission, is_direct=is_direct) is (role >= least)
    is_seen = role >= least and (is_direct or name not in PRIVATE) and name not in UNLISTED
    assert (command in commands.visible_to(admission, is_direct=is_direct)) is is_seen


@pytest.mark.parametrize("is_direct", [True, False])
def test_t16_a_command_that_nobody_thought_of_is_the_owners(is_direct: bool) -> None:
    command = type("Forgotten", (Start,), {"name": "forgotten"})(lambda _, name: name)
    may = [
        role
        for role in Role
        if command.allows(
            Admission(Person(PersonId("p"), "guest", False), role, PlaceSettings()),
            is_direct=is_direct,
        )
    ]
    assert may == [Role.OWNER]


@pytest.mark.parametrize("user", ["guest", "member", "admin", "owner"])
async def test_t16_a_command_is_refused_or_answered_by_role(make: Make, user: str) -> None:
    role = Role[user.upper()]
    served = make()
    async with served.running():
        for place, column in ((Place(user, is_direct=True), 0), (Place("-1"), 1)):
            for name, least in LEAST.items():
                is_allowed = role >= least[column]
                words = SIGNS[name] if is_allowed else f"/{name} is not for you here."
                if is_allowed and column and name in PRIVATE:
                    words = f"/{name} is for direct messages."
                before = len(served.texts(place.conversation))
                await served.writes(f"/{name}", user, place=place)
                await served.until(
                    lambda before=before, place=place: (  # type: ignore[misc]
                        len(served.texts(place.conversation)) > before
                    )
                )
                await served.idle()
                assert words in served.texts(place.conversation)[-1]
        assert served.model.requests == []


def test_menus_hide_what_only_owners_do_in_groups(commands: Any) -> None:
    direct_only = {info.name for info in commands.infos if info.is_direct_only}
    assert direct_only == {"new", "model"} | PRIVATE
    assert {info.name for info in commands.infos if info.is_for_owner} == OWNERS
    assert all(info.summary for info in commands.infos)


# What is a command.


def test_a_command_is_found_with_its_argument(commands: Any) -> None:
    for text, argument in (("/model", ""), ("/MODEL  big one ", "big one"), ("/model\n2", "2")):
        command, found = commands.find(message(text))
        assert (command.name, found) == ("model", argument)


@pytest.mark.parametrize("text", ["hello", "/", "/ new", "/unknown", "/etc/hosts", "see /new", ""])
def test_everything_else_is_chat(commands: Any, text: str) -> None:
    assert commands.find(message(text)) is None
    assert not commands.is_control(message(text))


def test_a_caption_is_no_command(commands: Any) -> None:
    assert commands.find(message("/new", attachments=(PHOTO,))) is None


def test_controls_do_not_wait_behind_a_turn(commands: Any) -> None:
    assert {name for name in LEAST if commands.is_control(message(f"/{name}"))} == CONTROLS


async def test_unknown_slash_text_and_captions_are_asked_of_the_model(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("/etc/hosts has a typo")
        await served.asks("/new", attachments=(PHOTO,))
        assert len(served.model.requests) == 2
        assert served.model.requests[0].entries == (UserEntry("/etc/hosts has a typo"),)


# What each does.


async def test_new_begins_a_conversation_that_knows_nothing_of_the_old(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("one")
        await served.asks("/new", "A new conversation.")
        await served.asks("two")
        assert served.model.requests[-1].entries == (UserEntry("two"),)


async def test_new_waits_for_the_turn_before_it(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate, *says("One.")], otherwise=lambda _: says("Two.")))
    async with served.running():
        await served.writes("one")
        await served.until(gate.reached.is_set)
        await served.writes("/new")
        await served.writes("two")
        gate.open()
        await served.until(lambda: "Two." in served.texts())
        assert served.texts()[0] == "One."
        assert served.model.requests[-1].entries == (UserEntry("two"),)


async def test_compact_folds_what_is_old(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=lambda _: says("word " * 60)))
    async with served.running():
        await served.asks("/compact", "nothing to summarise")
        for number in range(14):
            await served.asks(f"{number} " + "word " * 60, "word")
        await served.asks("/compact", "The originals are kept.")


@pytest.mark.parametrize("wanted", ["2", "small"])
async def test_a_model_is_chosen_by_number_or_by_name(make: Make, wanted: str) -> None:
    served = make()
    async with served.running():
        await served.asks("hello", user="member")
        await served.asks(f"/model {wanted}", "I use `small`", user="member")
        await served.asks("hello", user="member")
        await served.asks("/model default", "I use `big`", user="member")
        await served.asks("hello", user="member")
        assert [request.model for request in served.model.requests] == ["big", "small", "big"]


@pytest.mark.parametrize("wanted", ["0", "3", "-1", "²", "SMALL", "other", "1 2"])
async def test_only_models_that_are_allowed_can_be_chosen(make: Make, wanted: str) -> None:
    served = make()
    async with served.running():
        await served.asks(f"/model {wanted}", f'I cannot use "{wanted}" here.', user="member")
        await served.asks("hello", user="member")
        assert served.model.requests[0].model == "big"


async def test_models_are_listed_with_buttons_for_the_others(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("/model", "1. `big` (in use)\n2. `small`", user="member")
        (shown,) = served.bot.messages.values()
        assert [(choice.label, choice.value) for choice in shown.choices] == [("small", "/model 2")]
        await served.asks("/model 2", "I use `small`", user="member")
        await served.asks("/model", "2. `small` (in use)", user="member")


async def test_status_tells_the_truth_while_a_turn_runs(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate, *says("Well!")]))
    async with served.running():
        await served.writes("What is a gull?")
        await served.until(gate.reached.is_set)
        await served.writes("and a tern?")
        await served.writes("/status")
        await served.reads("- Queue: 2 messages are in work or waiting")
        assert "- Conversation: What is a gull?" in "".join(served.texts())
        served.model.script.append(says("Well!"))
        gate.open()
        await served.idle()
        await served.asks("/status", "- Queue: nothing is waiting")


async def test_usage_counts_a_persons_own_tokens(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("one")
        await served.asks("two")
        await served.asks("one", user="member")
        await served.asks("/usage", "| big | 2 | 20 | 0 | 10 |")
        await served.clock.advance(2 * 86_400)
        await served.asks("/usage", "**Last 24 hours**: nothing")


async def test_whoami_tells_the_ids_that_settings_need(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("/whoami", "- You: `fake:owner`\n- Role: owner", user="owner")
        await served.writes("/whoami", "guest", place=Place("-1", thread="7"))
        await served.reads("- Role: guest\n- Place: `fake:-1`\n- Thread: `7`", "-1")


async def test_help_shows_what_a_person_may_do_in_this_place(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("/help", "- /new: Start a new conversation", user="guest")
        await served.writes("/help", "guest", place=Place("-1"))
        await served.reads("- /help", "-1")
        assert "/new" not in served.texts("-1")[0]


async def test_retry_asks_again_what_failed_and_nothing_else(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([ProviderFailed("The key is bad.")], [gate, *says("Two.")]))
    async with served.running():
        await served.asks("one", "The key is bad.")
        await served.writes("/retry")
        await served.until(gate.reached.is_set)
        gate.open()
        await served.reads("Two.")
        await served.idle()
        assert served.model.requests[-1].entries == (UserEntry("one"),)
        await served.asks("/retry", "There is nothing to try again.")


async def test_t15_nobody_has_anothers_words_answered_again_with_the_others_rights(
    make: Make,
) -> None:
    gate, place = Gate(), Place("-1")
    served = make(
        model=FakeProvider([*says("Once upon")[:1], gate], otherwise=lambda _: says("Well!"))
    )
    async with served.running():
        await served.writes("a story", "admin", place=place)
        await served.until(gate.reached.is_set)
        await served.writes("/stop", "admin", place=place)
        await served.reads("Stopped.", "-1")
        await served.idle()
        for other in ("guest", "owner"):
            await served.writes("/retry", other, place=place)
            await served.idle()
            assert served.texts("-1")[-1] == "There is nothing to try again."
        assert len(served.model.requests) == 1
        await served.writes("/retry", "admin", place=place)
        await served.reads("Well!", "-1")


async def test_a_linked_account_has_its_persons_words_answered_again(make: Make) -> None:
    answers = ([ProviderFailed("The key is bad.")], says("Two."))
    served = make(model=FakeProvider(*answers))
    async with served.running():
        await served.asks("/link", "good for ten minutes", "member")
        code = served.texts("member")[-1].partition("`/link ")[2].partition("`")[0]
        await served.asks(f"/link {code}", "You are about to link", "admin")
        await served.presses("Yes, link", "admin")
        await served.presses("Yes, link", "member")
        await served.reads("was linked with", "admin")
        await served.asks("one", "The key is bad.", "member")
        await served.writes("/retry", "admin")
        await served.reads("Two.", "member")
