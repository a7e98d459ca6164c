"""The proof is made once for all tests of its promises; its numbers are shown at the end."""

import time

import pytest

from tests.proof.prove import Report, prove

_SHOWN: list[str] = []


@pytest.fixture(scope="session")
def proof() -> Report:
    begun = time.monotonic()
    report = prove()
    _SHOWN.append(f"{report}; {time.monotonic() - begun:.0f} s")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _SHOWN:
        terminalreporter.write_line(f"crash points: {line}")
