"""A question for approval, as people see it. Pure."""

import re

from gateway.events import ApprovalRequested
from gateway.messages import Choice
from gateway.replies.wording import as_code

_LONGEST = 2_500


def question(asked: ApprovalRequested) -> tuple[str, tuple[Choice, ...]]:
    """Return the words, with all that would be done as far as it can be shown, and the buttons."""
    shown = asked.arguments[:_LONGEST]
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(longest + 1, 3)
    cut = len(asked.arguments) - len(shown)
    warning = f"\n**{cut:,} more characters are not shown.**" if cut else ""
    text = (
        f"May I run {as_code(asked.tool)} with this?\n\n{fence}\n{shown}\n{fence}{warning}\n\n"
        "Only you can answer, within 10 minutes."
    )
    return text, (
        Choice("Allow", f"/allow {asked.approval}"),
        Choice("Deny", f"/deny {asked.approval}", is_danger=True),
    )
