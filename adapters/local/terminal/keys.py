"""Bytes from a keyboard as keys and text."""

import codecs
import re
from collections.abc import Iterator
from enum import Enum, auto


class Key(Enum):
    """Keys that do something; all others type text or nothing."""

    ENTER = auto()
    NEWLINE = auto()
    INTERRUPT = auto()
    END_OF_INPUT = auto()
    BACKSPACE = auto()
    DELETE = auto()
    LEFT = auto()
    RIGHT = auto()
    WORD_LEFT = auto()
    WORD_RIGHT = auto()
    UP = auto()
    DOWN = auto()
    HOME = auto()
    END = auto()
    CUT_WORD = auto()
    CUT_TO_START = auto()
    CUT_TO_END = auto()


_KEYS = {
    "\r": Key.ENTER,
    # What was typed before the terminal was ours has its Enter turned into this.
    "\n": Key.ENTER,
    "\x1b\r": Key.NEWLINE,
    "\x01": Key.HOME,
    "\x02": Key.LEFT,
    "\x03": Key.INTERRUPT,
    "\x04": Key.END_OF_INPUT,
    "\x05": Key.END,
    "\x06": Key.RIGHT,
    "\x08": Key.BACKSPACE,
    "\x0b": Key.CUT_TO_END,
    "\x0e": Key.DOWN,
    "\x10": Key.UP,
    "\x15": Key.CUT_TO_START,
    "\x17": Key.CUT_WORD,
    "\x7f": Key.BACKSPACE,
    "\x1b\x7f": Key.CUT_WORD,
    "\x1b[3~": Key.DELETE,
    "\x1b[1~": Key.HOME,
    "\x1b[4~": Key.END,
    "\x1bb": Key.WORD_LEFT,
    "\x1bf": Key.WORD_RIGHT,
    "\x1b[1;3D": Key.WORD_LEFT,
    "\x1b[1;5D": Key.WORD_LEFT,
    "\x1b[1;3C": Key.WORD_RIGHT,
    "\x1b[1;5C": Key.WORD_RIGHT,
}
for _start in ("\x1b[", "\x1bO"):
    for _letter, _key in zip(
        "ABCDHF", (Key.UP, Key.DOWN, Key.RIGHT, Key.LEFT, Key.HOME, Key.END), strict=True
    ):
        _KEYS[_start + _letter] = _key

_PASTE_STARTS = "\x1b[200~"
_PASTE_ENDS = "\x1b[201~"
_TOKEN = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]"  # a key with a code
    r"|\x1bO."
    r"|\x1b[^\[O]"  # a key pressed with Alt
    r"|[\x00-\x1a\x1c-\x1f\x7f]"
    r"|[^\x00-\x1f\x7f]+",
    re.DOTALL,
)


class KeyReader:
    """Reads keys however their bytes are cut into pieces."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[Key | str]:
        """Return the keys that are complete; the rest waits for more bytes."""
        self._rest += self._decode(data)
        while self._rest:
            token = self._next()
            if token is None:
                return
            self._rest = self._rest[len(token) :]
            if token.startswith(_PASTE_STARTS):
                pasted = token.removeprefix(_PASTE_STARTS).removesuffix(_PASTE_ENDS)
                yield pasted.replace("\r\n", "\n").replace("\r", "\n")
            elif token in _KEYS:
                yield _KEYS[token]
            elif token.isprintable():
                yield token

    def _next(self) -> str | None:
        if self._rest.startswith(_PASTE_STARTS):
            end = self._rest.find(_PASTE_ENDS)
            return None if end < 0 else self._rest[: end + len(_PASTE_ENDS)]
        found = _TOKEN.match(self._rest)
        return None if found is None else found[0]
