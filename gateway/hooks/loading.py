"""Hooks that installed packages bring, by entry points."""

from importlib.metadata import EntryPoint, entry_points

import structlog

from gateway.contracts.hook import Hook

log = structlog.get_logger()


def load_hooks() -> tuple[Hook, ...]:
    """Make every hook of the group `parley.hooks`; one that cannot be made is logged."""
    return tuple(
        hook for entry in entry_points(group="parley.hooks") if (hook := _make(entry)) is not None
    )


def _make(entry: EntryPoint) -> Hook | None:
    try:
        hook: Hook = entry.load()()
    except Exception:
        log.exception("hook.not_loaded", hook=entry.name)
        return None
    return hook
