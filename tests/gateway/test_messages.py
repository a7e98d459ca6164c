from gateway.ids import AccountName, ExternalUser, PlatformName
from gateway.messages import Address, Place


def context(place: Place, platform: str = "telegram") -> str:
    address = Address(PlatformName(platform), AccountName("one"), ExternalUser("42"), place)
    return address.channel_context


def test_a_direct_message_has_one_context_on_every_platform() -> None:
    place = Place("42", is_direct=True)
    assert context(place) == context(place, "discord") == "dm"


def test_a_thread_in_a_direct_message_is_a_context_of_its_own() -> None:
    assert context(Place("42", thread="7", is_direct=True)) == "dm/telegram/7"


def test_a_group_is_named_by_platform_space_conversation_and_thread() -> None:
    assert context(Place("-100")) == "telegram/-100"
    assert context(Place("-100", thread="7")) == "telegram/-100/7"
    assert context(Place("C1", thread="1.2", space="T1"), "slack") == "slack/T1/C1/1.2"


def test_ids_with_separators_do_not_meet() -> None:
    assert context(Place("a/b")) != context(Place("a", thread="b"))
