from gateway.contracts.people import Person
from gateway.ids import AccountName, AgentId, PersonId
from gateway.inbound.routing import Route, Routing
from gateway.messages import Message
from gateway.people.access import Admission
from gateway.people.roles import Role
from gateway.session_key import SessionKey
from gateway.settings import PlaceSettings
from tests.messages import direct, group, message

ROUTING = Routing(AgentId("main"), {AccountName("work"): AgentId("clerk")})


def route(
    given: Message,
    *,
    agent: str | None = None,
    is_linked: bool = False,
    is_control: bool = False,
    person: str = "p",
) -> Route:
    known = Person(PersonId(person), "member", is_linked)
    admission = Admission(known, Role.MEMBER, PlaceSettings(agent=agent))
    return ROUTING.route(given, admission, is_control=is_control)


def test_a_place_names_its_agent_before_an_account_does() -> None:
    assert route(message()).agent == "main"
    assert route(message(address=direct(account="work"))).agent == "clerk"
    assert route(message(address=direct(account="work")), agent="poet").agent == "poet"


def test_t13_two_people_never_share_a_direct_session() -> None:
    ann, bob = (route(message(address=direct(user))).key for user in ("42", "43"))
    assert ann != bob
    assert route(message(address=direct("42", platform="discord"))).key != ann


def test_a_linked_person_goes_on_elsewhere() -> None:
    here, there = (
        route(message(address=direct(user, platform=platform)), is_linked=True).key
        for user, platform in (("42", "telegram"), ("7", "discord"))
    )
    assert here == there
    assert route(message(), is_linked=True, person="q").key != here


def test_a_group_has_one_session_for_all_and_one_for_each_thread() -> None:
    ann, bob = (route(message(address=group(user)), is_linked=True).key for user in ("42", "43"))
    assert ann == bob
    assert route(message(address=group(thread="7"))).key != ann
    assert route(message(address=group(conversation="-200"))).key != ann


def test_a_control_waits_in_a_lane_that_is_nobodys_session() -> None:
    plain, control = route(message()), route(message(), is_control=True)
    assert plain.lane == plain.key.encode()
    assert control.key == plain.key
    assert control.lane != plain.lane
    tricky = route(message(address=direct("42:dm!control")))
    assert tricky.lane != control.lane
    assert SessionKey.decode(tricky.lane) == tricky.key
