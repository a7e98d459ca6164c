"""What people read when they link accounts. Names are shown, ids decide."""

from datetime import UTC, datetime

from gateway.contracts.linking import Link, Trouble
from gateway.contracts.people import Identity
from gateway.messages import Choice
from gateway.replies.wording import as_code, escaped

CODE_WORDS = (
    "To link another account of yours with this one, write this to me **there**, in a direct "
    "message:\n\n`/link {code}`\n\nWhere an app has but one command, put that first: "
    "`/parley link {code}`. The code is good for ten minutes, and once. Give it to nobody: an "
    "account that is linked with yours reads what we say here."
)
REDEEMED_WORDS = (
    "You are about to link this account with {other}.\n\nBoth will then be one person to me. "
    "Each reads and goes on with what was said directly with me on the other, with every agent; "
    "files, the choice of model and usage are shared. What each may do stays its own, and so do "
    "secrets.\n\nThe conversation on {platform} goes on; the one you have here is put aside, and "
    "`/sessions` lists it. The other side may choose the reverse.\n\n"
    "Is {other} yours, and did you make the code there yourself? If anybody gave it to you, "
    "say no."
)
AGREED_WORDS = "Noted. Now say yes on {platform}, too: I have asked {other} there."
CONFIRM_WORDS = (
    "{other} wants to be linked with this account.\n\nBoth will then be one person to me. Each "
    "reads and goes on with what was said directly with me on the other, with every agent; files, "
    "the choice of model and usage are shared. What each may do stays its own, and so do secrets."
    "\n\nThe conversation here goes on, unless you choose the other one. What is put aside stays "
    "readable: see `/sessions`.\n\nIs {other} yours? If not, say no: somebody has learnt your code."
)
MADE_WORDS = "Done: from your next message on, I know both as you."
LINKED_WORDS = (
    "Your account {own} was linked with {other} on {at}. If that was not you, undo it now; "
    "`/unlink` parts them at any time."
)
UNLINKED_WORDS = "{other} was unlinked from your accounts on {at}."
LEFT_WORDS = "This account was unlinked on {at}. I no longer know here what was said on the others."
REFUSED_WORDS = "Nothing was linked."
OTHER_REFUSED_WORDS = "{other} said no, so nothing was linked."
BURNT_WORDS = (
    "A code of yours was shown in a group, so it is worth nothing any more. "
    "`/link` makes a new one."
)
GROUP_WORDS = (
    "Codes are for direct messages only. If that was one, it is worth nothing any more: others "
    "could read it."
)

TROUBLES = {
    Trouble.WRONG_CODE: "That code is wrong, used or expired. `/link` on the other account makes "
    "a new one.",
    Trouble.LOCKED: "Too many wrong codes were tried. Wait ten minutes, then make a new one.",
    Trouble.TOO_MANY_CODES: "You have made three codes within an hour. Try again later.",
    Trouble.OWN_CODE: "You made this code here. Write it to me on your *other* account.",
    Trouble.SAME_PERSON: "These accounts are linked already. `/linked` lists them.",
    Trouble.BOTH_LINKED: "Both accounts are linked with others already. `/unlink` one of them "
    "from these first.",
    Trouble.SETTLED: "That question is settled, or its time is up. `/link` begins anew.",
    Trouble.NOT_LINKED: "There is no other account that is linked with this one.",
    Trouble.TOO_LATE: "The link is older than a day. `/unlink` still parts the accounts.",
}


def shown(name: str, identity: str) -> str:
    """Return how an account is shown: the name as its platform has it, and the id."""
    return f"{escaped(' '.join(name.split()))} ({as_code(identity)})"


def shown_account(identity: Identity) -> str:
    return shown(identity.name, str(identity))


def title(platform: str) -> str:
    return platform.capitalize()


def day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def redeemed(link: Link) -> tuple[str, tuple[Choice, ...]]:
    """Ask the account that used a code."""
    words = REDEEMED_WORDS.format(
        other=shown_account(link.asker), platform=title(link.asker.platform)
    )
    choices = (
        Choice("Yes, link", f"/link yes {link.id}"),
        Choice("No", f"/link no {link.id}", is_danger=True),
    )
    return words, choices


def agreed(link: Link) -> str:
    platform, other = title(link.asker.platform), shown_account(link.asker)
    return AGREED_WORDS.format(platform=platform, other=other)


def confirm(link: str, platform: str, user: str, name: str) -> tuple[str, tuple[Choice, ...]]:
    """Ask the account that made a code."""
    words = CONFIRM_WORDS.format(other=shown(name, f"{platform}:{user}"))
    choices = (
        Choice("Yes, link", f"/link yes {link}"),
        Choice(f"Yes, go on with {title(platform)}", f"/link yes {link} there"),
        Choice("No", f"/link no {link}", is_danger=True),
    )
    return words, choices
