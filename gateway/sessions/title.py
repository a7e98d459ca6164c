"""A session's title: the first words its user said."""

from gateway.transcript import Content, message_text

_LONGEST = 60
_EARLIEST_CUT = 20


def make_title(content: Content) -> str | None:
    """Return one line of at most 60 characters and an ellipsis; None without words."""
    line = " ".join(message_text(content).split())
    if len(line) <= _LONGEST:
        return line or None
    space = line.rfind(" ", 0, _LONGEST + 1)
    return f"{line[: space if space > _EARLIEST_CUT else _LONGEST]}…"
