"""Writing a copy of what is kept of a person, beside a running gateway or without one."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.cli.options import load
from gateway.clock import Clock, SystemClock
from gateway.control.verbs import identity_parts
from gateway.errors import Refused
from gateway.parts import open_store
from gateway.people.export import write_export
from gateway.settings import GatewaySettings


def write_copy(config: Path | None, identity: str, folder: Path) -> Sequence[Path]:
    """Read the store as it is, and write the archives for the user's own eyes only.

    Raises:
        Refused: nobody is known by that account, or the folder cannot be written.
    """
    settings, clock = load(config).settings, SystemClock()
    kept = asyncio.run(_read(settings, clock, identity))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return write_export(folder, kept, settings.data_dir, clock.now())
    except OSError as error:
        raise Refused(f"cannot write to {folder}: {error.strerror}") from error


async def _read(settings: GatewaySettings, clock: Clock, identity: str) -> Mapping[str, Any]:
    platform, user = identity_parts(identity)
    store = open_store(settings, clock, read_only=True)
    await store.open()
    try:
        person = await store.people.find(platform, user)
        if person is None:
            raise Refused(f"{identity} is not known here. `parley people list` lists all.")
        return await store.privacy.everything(person.id)
    finally:
        await store.close()
