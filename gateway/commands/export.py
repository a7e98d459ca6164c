"""`/export`: a person's own copy of all that is kept of them."""

import asyncio
from pathlib import Path

from typing_extensions import override

from gateway.clock import Clock
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.privacy import Privacy
from gateway.errors import Refused
from gateway.messages import OutgoingFile
from gateway.people.export import write_export
from gateway.workspace import make_private, outgoing_dir

_WORDS = (
    "Here is all that I keep of you. `export.zip` has your conversations to read, and everything "
    "else as `data.json`.{files} Keep it safe: whoever has it can read it."
)
_FILES = " `files.zip` has your files."
_FAILED = "I could not write the copy: the disk is full, or the like. Whoever runs me can help."


class Export(Command):
    """Waits its turn, so that nothing is left out that is just being said."""

    name = "export"
    summary = "Send you a copy of all that I keep of you"
    is_direct_only = True

    def __init__(self, privacy: Privacy, data_dir: Path, clock: Clock) -> None:
        self._privacy = privacy
        self._data_dir = data_dir
        self._clock = clock

    @override
    async def run(self, call: Call) -> Answer:
        kept = await self._privacy.everything(call.admission.person.id)
        folder, now = outgoing_dir(self._data_dir, call.turn), self._clock.now()
        try:
            make_private(folder, beneath=self._data_dir)
            paths = await asyncio.to_thread(write_export, folder, kept, self._data_dir, now)
        except OSError as error:
            raise Refused(_FAILED) from error
        files = tuple(OutgoingFile(path, path.name, "application/zip") for path in paths)
        return Answer(_WORDS.format(files=_FILES if len(files) > 1 else ""), files=files)
