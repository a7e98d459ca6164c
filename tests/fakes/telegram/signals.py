"""Typing, drafts, and answers to pressed buttons."""

from typing import Any

from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.chat import Chat, Draft, Typing
from tests.fakes.telegram.refusal import Refusal, bad_request
from tests.fakes.telegram.sending import LONGEST_TEXT, checked_thread, formatted_text
from tests.fakes.telegram.text import units
from tests.fakes.telegram.world import World

# fmt: off
_ACTIONS = frozenset({
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note",
})
# fmt: on
_LONGEST_ANSWER = 200
_ANSWERED_WITHIN = 15.0
"""Seconds. The real limit is not documented, and has been longer."""


def send_chat_action(world: World, call: Call) -> Any:
    chat = world.chat_of(call)
    if call.text("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    thread = checked_thread(chat, call, takes_general=True)
    chat.typing.append(Typing(world.now(), call.text("action"), thread))
    world.changed(chat)
    return True


def send_draft(world: World, call: Call) -> Any:
    """Show a passing preview: private chats only, gone after 30 seconds."""
    if not world.has_drafts:
        raise Refusal(404, "Not Found: method not found")
    chat = world.chat_of(call)
    if chat.kind != "private":
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    draft_id = call.integer("draft_id")
    if not draft_id:
        raise bad_request("draft_id must be non-zero")
    formatted = formatted_text(call.text("text"), call, "entities")
    if units(formatted.text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    draft = _draft(chat, call, draft_id, checked_thread(chat, call))
    if not draft.is_stopped:
        draft.is_over = False
        draft.texts.append((world.now(), formatted.text))
    world.changed(chat)
    return True


def _draft(chat: Chat, call: Call, draft_id: int, thread: int | None) -> Draft:
    """Find the draft to change; another one in its place is over."""
    for draft in chat.drafts:
        if draft.thread == thread and draft.draft_id != draft_id:
            draft.is_over = True
    found = [one for one in chat.drafts if (one.draft_id, one.thread) == (draft_id, thread)]
    if found and not (found[-1].is_over and not found[-1].is_stopped):
        return found[-1]
    made = Draft(draft_id, thread, call.flag("can_stop"), call.flag("keep_on_stop"))
    chat.drafts.append(made)
    return made


def answer_press(world: World, call: Call) -> Any:
    press = world.presses.get(call.text("callback_query_id"))
    if press is None or world.now() - press.at > _ANSWERED_WITHIN:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if units(call.text("text")) > _LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    press.is_answered = True
    press.answer = call.text("text")
    press.is_alert = call.flag("show_alert")
    world.watch.changed()
    return True
