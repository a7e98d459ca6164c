"""Words as Discord shows them: what it would take for markup and is none is kept from it. Pure.

Facts: https://support.discord.com/hc/en-us/articles/210298617
"""

import re

_UNSEEN = "\u200b"
_ADDRESS = re.compile(r"https?://[^\s<>]+")
_SIGNS = re.compile(
    r"\\|\*|~(?=~)|(?<=~)~|`|\|(?=\|)|(?<=\|)\|"
    r"|(?<![^\W_])_|_(?![^\W_])"
    r"|<(?=@|#\d|/[\w -]+:\d|a?:\w+:\d|t:-?\d|id:\w)"
)
_AT_A_LINE = re.compile(r"^([ \t]*)(#{1,3}[ \t]|-#|>{1,3}|[-+*][ \t]|\d+\.[ \t])", re.MULTILINE)
_CALLS = re.compile(r"@(?=everyone|here)")
_TICKS = re.compile(r"`+")


def escaped(text: str, *, at_line_start: bool) -> str:
    """Write text so that it is read as text; addresses lead where they led."""
    pieces, end = [], 0
    for found in _ADDRESS.finditer(text):
        pieces += [_signs(text[end : found.start()]), address(found[0])]
        end = found.end()
    written = "".join([*pieces, _signs(text[end:])])
    first, line_break, rest = written.partition("\n")
    if at_line_start:
        first = _line_start(first)
    return _CALLS.sub(f"@{_UNSEEN}", first + line_break + _line_start(rest))


def address(url: str) -> str:
    """Write an address so that it calls nobody, and leads where it led."""
    return _CALLS.sub("%40", url)


def _signs(text: str) -> str:
    """Keep signs from being markup; of brackets, those that might begin a link."""
    before, end, after = _SIGNS.sub(r"\\\g<0>", text).rpartition("](")
    return before.replace("[", r"\[") + end + after


def _line_start(text: str) -> str:
    """Keep lines from being headings, quotes, lists or small print."""
    return _AT_A_LINE.sub(_with_sign, text)


def _with_sign(found: re.Match[str]) -> str:
    indent, sign = found.groups()
    if sign[0].isdigit():
        return f"{indent}{sign[:-2]}\\{sign[-2:]}"
    return f"{indent}\\{sign}"


def inline_code(text: str) -> str:
    """Write code within a line; Discord knows one and two backticks around it."""
    text = _CALLS.sub(f"@{_UNSEEN}", text.replace("\n", " "))
    if not text.strip():
        return text
    runs = {len(run) for run in _TICKS.findall(text)}
    if not runs:
        return f"`{text}`"
    if 2 in runs or max(runs) > 2:  # noqa: PLR2004 - the two that mark such code
        text = re.sub("(?<=`)(?=`)", _UNSEEN, text)
    pad = " " if "`" in {text[0], text[-1]} else ""
    return f"``{pad}{text}{pad}``"


def block_code(code: str, language: str = "") -> str:
    """Write code as a block of its own; a fence inside it is broken by what nobody sees."""
    code = _CALLS.sub(f"@{_UNSEEN}", code).replace("```", f"`{_UNSEEN}`{_UNSEEN}`")
    return f"```{language}\n{code or _UNSEEN}\n```"
