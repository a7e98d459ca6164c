"""A session's title: the first words its user said."""

from gateway.transcript import Content, message_text

_LONGEST = 60
_EARLIEST_CUT = 20


def make_title(content: Content) -> str | None:
    """Return one line of at most 60 characters and an ellipsis; None without words."""
    line = " ".join(message_text(content).split())
    if len(line) <= _LONGEST:
        return line or None
    head = line[:_LONGEST]
    cut = head.rfind(" ")
    return f"{head[:cut] if cut > _EARLIEST_CUT else head}…"
