"""A question for approval, as people see it. Pure."""

import json
import re

from gateway.events import ApprovalRequested
from gateway.messages import Choice
from gateway.replies.wording import as_code

_LONGEST = 2_500


def question(asked: ApprovalRequested) -> tuple[str, tuple[Choice, ...]]:
    """Return the words, with all that would be done as far as it can be shown, and the buttons."""
    arguments = _seen(asked.arguments)
    shown = arguments[:_LONGEST]
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(longest + 1, 3)
    cut = len(arguments) - len(shown)
    warning = f"\n**{cut:,} more characters are not shown.**" if cut else ""
    text = (
        f"May I run {as_code(asked.tool)} with this?\n\n{fence}\n{shown}\n{fence}{warning}\n\n"
        "Only you can answer, within 10 minutes."
    )
    return text, (
        Choice("Allow", f"/allow {asked.approval}"),
        Choice("Deny", f"/deny {asked.approval}", is_danger=True),
    )


def _seen(words: str) -> str:
    """Write what nobody would see, or what turns what is seen around, as JSON can write it."""
    if words.isascii():
        return words
    return "".join(
        sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in words
    )
