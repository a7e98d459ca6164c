import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.session_key import (
    SessionKey,
    build_group_session_key,
    build_session_key,
    build_user_session_key,
)

names = st.text(max_size=12)
platforms = names.filter(lambda name: name not in {"user", "group"})


def test_keys_have_the_written_form_of_the_seed() -> None:
    assert build_session_key("main", "telegram", "42", "dm").encode() == "main:telegram:42:dm"
    assert build_user_session_key("main", "7", "dm").encode() == "main:user:7:dm"
    group = build_group_session_key("main", "telegram/-100/5")
    assert group.encode() == "main:group:telegram/-100/5"


def test_a_colon_in_an_id_cannot_imitate_another_key() -> None:
    one = build_session_key("main", "matrix", "@ann:home", "dm")
    other = build_session_key("main", "matrix", "@ann", "home:dm")
    assert one.encode() == "main:matrix:%40ann%3Ahome:dm"
    assert one.encode() != other.encode()


@given(names, platforms, names, names)
def test_a_key_is_read_as_it_was_written(
    agent: str, platform: str, user: str, context: str
) -> None:
    for key in (
        build_session_key(agent, platform, user, context),
        build_user_session_key(agent, user, context),
        build_group_session_key(agent, context),
    ):
        assert SessionKey.decode(key.encode()) == key


@given(st.lists(st.tuples(names, platforms, names, names), min_size=2, max_size=2, unique=True))
def test_different_keys_are_written_differently(keys: list[tuple[str, str, str, str]]) -> None:
    one, other = (build_session_key(*parts).encode() for parts in keys)
    assert one != other


@pytest.mark.parametrize("written", ["", "main", "main:dm", "a:b:c", "a:b:c:d:e", "a:b:c d:e"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not a session key"):
        SessionKey.decode(written)


@pytest.mark.parametrize("platform", ["user", "group"])
def test_a_platform_cannot_take_the_name_of_another_kind_of_key(platform: str) -> None:
    with pytest.raises(ValueError, match="cannot be named"):
        build_session_key("main", platform, "42", "dm")
