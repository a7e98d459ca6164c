"""Commands set up the log of their process, which here is that of all tests."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    before, level = list(logging.root.handlers), logging.root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
