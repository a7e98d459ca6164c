"""What a store was made to keep: told to the disk once acknowledged, and looked for later."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import StoreBusy, StoreFailed
from gateway.ids import AgentId, EventKey, Lane, MessageId
from gateway.store.cursors import _SAVE
from gateway.store.statements import Transaction
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.fakes.disk import Disk
from tests.fakes.power_loss import Image
from tests.gateway.store.keeper import NO_BOUNDS
from tests.messages import direct, keep_one, message

_LONG = 3_000
"""Characters that make a row touch several pages."""
SIDES = ("left", "right")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[SqlStore]:
    path = folder / "data" / "parley.db"
    store = SqlStore(f"sqlite:///{path}", clock=FakeClock(), queues=NO_BOUNDS)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


class Diary:
    """Keeps words in a store, and tells the disk of each that was acknowledged."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.refusals: list[str] = []

    async def keep(self, store: SqlStore, word: str, user: str = "42") -> None:
        """Have a message kept, as often as it is delivered."""
        given = message(
            _text(word),
            direct(user),
            event_key=EventKey(word),
            message_id=MessageId(word),
        )
        try:
            await keep_one(
                store.inbox,
                given,
                lane=Lane(user),
                session_key=user,
                agent=AgentId("main"),
                person=None,
            )
        except StoreBusy as error:
            self.refusals.append(str(error))
        else:
            self._disk.tell(f"+{word}")

    async def keep_pair(self, store: SqlStore, word: str) -> None:
        """Have two rows kept in one transaction."""

        def operation(transaction: Transaction) -> None:
            for side in SIDES:
                row = {"name": f"{word}/{side}", "position": "." * _LONG, "saved_at": 0.0}
                transaction.run(_SAVE, row)

        try:
            await store._database.write(operation)
        except StoreBusy as error:
            self.refusals.append(str(error))
        else:
            self._disk.tell(f"+{word}")

    async def erase(self, store: SqlStore, user: str, words: Iterable[str]) -> None:
        """Have all that a person said erased."""
        for word in words:
            self._disk.tell(f"?{word}")
        account = f"telegram:{user}"
        erasure = await store.privacy.ask(account, account, 0.0)
        await store.privacy.erase_talk(erasure)
        await store.privacy.erase_rest(erasure)
        for word in words:
            self._disk.tell(f"-{word}")


@dataclass(slots=True)
class Found:
    """What a store holds after a power loss, beside what it should."""

    lost: set[str] = field(default_factory=set)
    halves: set[str] = field(default_factory=set)
    """Of which one row of two is there."""
    risen: set[str] = field(default_factory=set)
    """Erased, and there again."""
    damage: str = ""

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.halves or self.risen or self.damage)


async def look(folder: Path, image: Image) -> Found:
    """Start the store on what is left, and go on from there; the folder is to be empty."""
    image.lay(folder)
    owed, erased = set[str](), set[str]()
    for told in image.told:
        owed = owed | {told[1:]} if told[0] == "+" else owed - {told[1:]}
        erased = erased | {told[1:]} if told[0] == "-" else erased - {told[1:]}
    found = Found()
    try:
        async with opened(folder) as store:
            there = await store._database.write(lambda transaction: _read(transaction, found))
            after = Diary(Disk(folder))
            await after.keep(store, "after")
            await after.keep_pair(store, "after that")
            found.lost = owed - there
            there = await store._database.write(lambda transaction: _read(transaction, found))
            found.lost |= {"after", "after that", *owed} - there
    except StoreFailed as error:
        found.damage = str(error)
    else:
        held = b"".join(file.read_bytes() for file in (folder / "data").iterdir())
        found.risen = {word for word in erased if _text(word).rstrip(".").encode() in held}
    return found


def _text(word: str) -> str:
    return f"what was said of {word}".ljust(_LONG, ".")


def _read(transaction: Transaction, found: Found) -> set[str]:
    """Return all words that are kept; note what is broken."""

    def asked(sql: str) -> list[str]:
        return [value for (value,) in transaction._connection.execute(sql)]

    check = asked("PRAGMA integrity_check(1)")
    if check != ["ok"]:
        found.damage = check[0]
    names = set(asked("SELECT name FROM cursors"))
    sides = [{name.removesuffix(f"/{side}") for name in names if side in name} for side in SIDES]
    found.halves |= sides[0] ^ sides[1]
    # A word without its message is a row of which only a part was kept.
    return {*asked("SELECT event_key FROM inbox WHERE message IS NOT NULL"), *sides[0]}
