"""What people read when they have something erased."""

from gateway.commands.link_words import day
from gateway.messages import Choice
from gateway.replies.wording import as_code

ALL_WORDS = (
    "This erases **all that I keep of you**, on all your accounts: every conversation, your "
    "files, what you said in groups and what I answered you there, links between your accounts, "
    "and that you were let in. To me you are a stranger afterwards, and nobody can bring it "
    "back.\n\n"
    "It happens {delay} after you say yes; until then `/forget undo` takes it back. `/export` "
    "gives you a copy first, and `/forget 2` erases only the second of `/sessions`.\n\n"
    "What I cannot erase: the messages in this chat, which the platform keeps; what I have told "
    "others; what the maker of a model was sent; sums of what was spent, which lose your name; and "
    "the trail of who was let in, linked and erased, which has ids and no words."
)
NOTED_WORDS = (
    "Noted. On {at} I erase all that I keep of you. Until then `/forget undo` takes it back."
)
TAKEN_BACK_WORDS = "Good: nothing is erased."
NOTHING_ASKED_WORDS = "Nothing is waiting to be erased."
WHICH_WORDS = "Which one? `/sessions` numbers them; `/forget` alone is for everything."
ONE_WORDS = "Erase **{title}**, with all that was said in it? Nobody can bring it back."
ERASED_WORDS = "Erased."
BUSY_WORDS = (
    "I am still at work in that conversation. Try again once I have answered, or `/stop` me first."
)
KEPT_WORDS = "{by} took back that all I keep of you be erased. Nothing is."
CHANGED_WORDS = (
    "Your accounts were linked or unlinked since you asked me to erase all that I keep of you, so "
    "I did not. `/forget` asks anew."
)
FORGOTTEN_WORDS = (
    "As you asked, I now erase all that I keep of you. To me you are a stranger again. Goodbye!"
)
_FORGETTING_WORDS = (
    "{by} has asked me to erase all that I keep of you, on {at}. If that was not you, undo it "
    "now, and `/unlink` that account."
)
UNDO = Choice("Undo", "/forget undo")
SURE = Choice("Yes, erase everything", "/forget everything yes", is_danger=True)


def forgetting(by: str, at: float) -> tuple[str, tuple[Choice, ...]]:
    """Tell another account of the person what was asked for."""
    return _FORGETTING_WORDS.format(by=as_code(by), at=day(at)), (UNDO,)
