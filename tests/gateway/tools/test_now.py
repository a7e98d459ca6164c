"""The time is told from the clock, in the zone that was asked for."""

from pathlib import Path

import pytest

from gateway.errors import Refused
from gateway.tools.now import now_tools
from tests.fakes.clock import FakeClock
from tests.fakes.turns import a_context


async def tell(**arguments: str) -> str:
    (now,) = now_tools()
    return (await now.run(arguments, a_context(Path("/nowhere"), FakeClock()))).text


async def test_the_time_is_told_in_utc_and_elsewhere() -> None:
    assert await tell() == "Friday, 2027-01-15T08:00:00+00:00 (UTC)"
    assert await tell(timezone="Asia/Kolkata") == (
        "Friday, 2027-01-15T13:30:00+05:30 (Asia/Kolkata)"
    )


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "", "Europe", "a\0b", "\ud800"]
)
async def test_t36_no_other_name_is_a_zone(name: str) -> None:
    with pytest.raises(Refused, match="no time zone"):
        await tell(timezone=name)
