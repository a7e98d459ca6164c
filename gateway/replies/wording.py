"""Small pieces of Markdown made from plain words, safe whatever the words contain."""

import re
from collections.abc import Sequence

from gateway.messages import Choice

PLACEHOLDER = "…"
_STUB_AT_MOST = 80
_PLAIN_START = re.compile(r"([^\W_][^\n`*_~\[\]<>|#\\&]*)")
_SPECIAL = re.compile(
    r"[\\`*~\[\]<|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|&(?=#?\w+;)|^[ \t]*[#>+=-]|(?<=\d)[.)](?=\s|$)",
    re.MULTILINE,
)


def stub(text: str) -> str:
    """Return the first few words and an ellipsis, never the whole, or just an ellipsis."""
    text = text.strip()
    found = _PLAIN_START.match(text)
    words = found[1][:_STUB_AT_MOST] if found else ""
    if not text[len(words) : len(words) + 1].isspace():
        words = words.rpartition(" ")[0]
    return f"{words.rstrip(' ,.:;!?')}{PLACEHOLDER}"


def is_stub(text: str) -> bool:
    """Say whether a text is such a beginning, or looks like one."""
    return text.endswith(PLACEHOLDER) and len(text) <= _STUB_AT_MOST + len(PLACEHOLDER)


def escaped(words: str) -> str:
    """Return Markdown that shows these words as they are."""
    return _SPECIAL.sub(lambda sign: f"{sign[0][:-1]}\\{sign[0][-1]}", words)


def noted(words: str) -> str:
    """Return words of the gateway's own, set apart from the model's."""
    lines = (line.strip() for line in words.splitlines())
    return "\n".join(f"_{escaped(line)}_" for line in lines if line)


def as_code(words: str) -> str:
    """Return words as inline code that no backtick in them can end."""
    line = " ".join(words.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    marker = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{marker}{pad}{line}{pad}{marker}" if line else ""


def listed(choices: Sequence[Choice]) -> str:
    """Return choices as text, for places without buttons."""
    return "\n".join(f"- {escaped(choice.label)}: {as_code(choice.value)}" for choice in choices)
