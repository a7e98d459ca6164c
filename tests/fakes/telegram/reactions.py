"""setMessageReaction: one standard reaction of the bot, where the chat allows it.

Facts: https://core.telegram.org/bots/api#setmessagereaction and #reactiontypeemoji; the words
of refusals: https://core.telegram.org/method/messages.sendReaction
"""

from typing import Any

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.refusal import bad_request
from tests.fakes.telegram.world import World

# fmt: off
STANDARD = frozenset({
    "👍", "👎", "❤", "🔥", "🥰", "👏", "😁", "🤔", "🤯", "😱", "🤬", "😢", "🎉", "🤩", "🤮", "💩",
    "🙏", "👌", "🕊", "🤡", "🥱", "🥴", "😍", "🐳", "🌚", "🌭", "💯", "🤣", "⚡", "🍌", "🏆", "💔",
    "🤨", "😐", "🍓", "🍾", "💋", "🖕", "😈", "😴", "😭", "🤓", "👻", "👀", "🎃", "🙈", "😇", "😨",
    "🤝", "✍", "🤗", "🫡", "🎅", "🎄", "☃", "💅", "🤪", "🗿", "🆒", "💘", "🙉", "🦄", "😘", "💊",
    "🙊", "😎", "👾", "😡", "🤷", "🤷\u200d♀", "🤷\u200d♂", "👨\u200d💻", "❤\u200d🔥",
})
# fmt: on
_OURS_AT_MOST = 1
_AS_A_PICTURE = "\ufe0f"
"""May stand in an emoji and makes it no other."""


def set_reaction(world: World, call: Call) -> Any:
    """Show the reaction in place of the bot's former one; the same again changes nothing."""
    emoji = _emoji(call.json("reaction") or [])
    chat = world.chat_of(call)
    message = chat.messages.get(call.integer("message_id"))
    if message is None or message.is_deleted:
        raise bad_request("message to react not found")
    if len(emoji) > _OURS_AT_MOST:
        raise bad_request("REACTIONS_TOO_MANY")
    allowed = STANDARD if chat.reactions is None else chat.reactions & STANDARD
    if not set(emoji) <= allowed:
        raise bad_request("REACTION_INVALID")
    message.reacted.pop("bot", None)
    if emoji:
        message.reacted["bot"] = emoji[0]
    world.changed(chat)
    return True


def _emoji(reactions: Any) -> list[str]:
    if not isinstance(reactions, list):
        raise bad_request("expected an Array of ReactionType")
    return [_standard(one) for one in reactions]


def _standard(reaction: Any) -> str:
    if not isinstance(reaction, dict):
        raise bad_request("can't parse ReactionType: expected an Object")
    if "type" not in reaction:
        raise bad_request("can't parse ReactionType: Can't find field \"type\"")
    if reaction["type"] != "emoji":
        raise bad_request("REACTION_INVALID")
    if not isinstance(reaction.get("emoji"), str):
        raise bad_request("can't parse ReactionType: Can't find field \"emoji\"")
    return str(reaction["emoji"]).replace(_AS_A_PICTURE, "")
