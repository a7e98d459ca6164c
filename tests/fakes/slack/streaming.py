"""Streamed messages, the sessions of an agent, and what keeps people patient.

A stream lives five minutes, whatever is added to it; then adding and stopping are refused and
people see a broken message until it is updated. An open stream cannot be updated or deleted.
Facts: https://docs.slack.dev/reference/methods/chat.startStream, /ai/agent-sessions; the end
after five minutes and the refusals are measured by others (slackapi/python-slack-sdk#1859).
"""

from typing import Any

from tests.fakes.slack.blocks import IN_MESSAGE, MARKDOWN, Block, check_sum, checked_blocks
from tests.fakes.slack.calls import Call
from tests.fakes.slack.conversation import Conversation, Message, Session, Status, Stream, Task
from tests.fakes.slack.events import tell_changed, tell_message
from tests.fakes.slack.payloads import message_payload
from tests.fakes.slack.posting import metadata_of
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.world import World

_FIELD = 256
_SESSIONS = ("processing", "active", "suspended", "closed")
_STATUSES = ("pending", "in_progress", "complete", "error")
_CHUNKS = {
    "markdown_text": frozenset({"type", "text"}),
    "task_update": frozenset({"type", "id", "title", "status", "details", "output", "sources"}),
    "plan_update": frozenset({"type", "title"}),
    "blocks": frozenset({"type", "blocks"}),
}
_LOADING = 10
_PROMPTS = 4


def start_stream(world: World, call: Call) -> Any:
    place = world.writable(call)
    thread = world.root_of(place, call.text("thread_ts"))
    if thread is None and place.kind in {"im", "mpim"}:
        raise invalid("missing required field: thread_ts")
    recipient = _recipient(world, place, call)
    mode = call.text("task_display_mode") or "timeline"
    if mode not in {"timeline", "plan", "dense"}:
        raise invalid("task_display_mode must be timeline, plan or dense")
    chunks = _chunks(call)
    stream = Stream(world.now(), recipient, mode)
    message = Message("", "bot", world.bot_user, world.now(), stream=stream, thread_ts=thread)
    _take(message, chunks)
    message = world.post(place, call, stream=stream, thread_ts=thread, blocks=message.blocks)
    _look_at(world, call, message)
    tell_message(world, place, message)
    return {"channel": place.id, "ts": message.ts}


def append_stream(world: World, call: Call) -> Any:
    place, message = _open_stream(world, call)
    chunks = _chunks(call)
    if not chunks:
        raise Refusal("no_text")
    _grow(message, chunks)
    call.record.ts = message.ts
    _look_at(world, call, message)
    world.changed(place)
    return {"channel": place.id, "ts": message.ts}


def stop_stream(world: World, call: Call) -> Any:
    place, message = _open_stream(world, call)
    chunks = _chunks(call)
    blocks = call.json("blocks", "invalid_blocks_format")
    checked = [] if blocks is None else checked_blocks(blocks)
    metadata = metadata_of(call)
    status = call.text("session_status") or "active"
    if status not in _SESSIONS:
        raise invalid("session_status")
    before = message_payload(world, place, message)
    _grow(message, chunks, checked)
    if not (message.blocks or message.tasks):
        raise Refusal("no_text")
    message.metadata = metadata if metadata is not None else message.metadata
    assert message.stream is not None
    message.stream.ended = world.now()
    if message.thread_ts in place.sessions:
        place.sessions[message.thread_ts].status = status
    call.record.ts = message.ts
    _look_at(world, call, message)
    world.changed(place)
    tell_changed(world, place, message, before)
    payload = message_payload(world, place, message)
    return {"channel": place.id, "ts": message.ts, "message": payload}


def _recipient(world: World, place: Conversation, call: Call) -> tuple[str, str] | None:
    user, team = call.text("recipient_user_id"), call.text("recipient_team_id")
    if place.kind != "im" or world.recipients_everywhere:
        if not team:
            raise Refusal("missing_recipient_team_id")
        if not user:
            raise Refusal("missing_recipient_user_id")
    if user and user not in place.members:
        raise Refusal("user_not_found")
    return (user, team) if user else None


def _open_stream(world: World, call: Call) -> tuple[Conversation, Message]:
    place = world.writable(call)
    message = place.messages.get(call.needed("ts"))
    if message is None or message.is_deleted:
        raise Refusal("message_not_found")
    if not message.is_from_bot:
        raise Refusal("message_not_owned_by_app")
    if not message.is_streaming(world.now()):
        raise Refusal("message_not_in_streaming_state")
    return place, message


def _chunks(call: Call) -> list[dict[str, Any]]:
    """Read what a call adds: chunks, or Markdown as one chunk."""
    chunks = call.json("chunks", "invalid_chunks")
    markdown = call.text("markdown_text")
    if markdown and chunks:
        raise Refusal("markdown_text_conflict")
    if markdown:
        chunks = [{"type": "markdown_text", "text": markdown}]
    if chunks is None:
        return []
    if not isinstance(chunks, list):
        raise Refusal("invalid_chunks")
    for number, chunk in enumerate(chunks):
        _check_chunk(chunk, f"/chunks/{number}")
    return chunks


def _check_chunk(chunk: Any, where: str) -> None:
    def refused(words: str) -> Refusal:
        return Refusal("invalid_chunks", (f"[ERROR] {words} [json-pointer:{where}]",))

    if not isinstance(chunk, dict) or chunk.get("type") not in _CHUNKS:
        raise refused("unsupported chunk")
    kind = chunk["type"]
    for name in chunk.keys() - _CHUNKS[kind]:
        raise refused(f"invalid additional property: {name}")
    if kind == "markdown_text":
        if not isinstance(chunk.get("text"), str) or not chunk["text"]:
            raise refused("text must be a string with at least 1 character")
        if len(chunk["text"]) > MARKDOWN:
            raise Refusal("msg_too_long")
    elif kind == "blocks":
        checked_blocks(chunk.get("blocks"))
    else:
        _check_card(chunk, refused)


def _check_card(chunk: dict[str, Any], refused: Any) -> None:
    needed = ("title",) if chunk["type"] == "plan_update" else ("id", "title", "status")
    for name in needed:
        if not isinstance(chunk.get(name), str) or not chunk[name]:
            raise refused(f"missing required field: {name}")
    for name in ("title", "details", "output"):
        if len(chunk.get(name) or "") > _FIELD:
            raise Refusal("msg_too_long")
    if chunk["type"] == "task_update" and chunk["status"] not in _STATUSES:
        raise refused(f"status must be one of {', '.join(_STATUSES)}")


def _grow(
    message: Message, chunks: list[dict[str, Any]], bottom: list[Block] | None = None
) -> None:
    """Add to a message, or leave it as it is if it would become too long."""
    shown, blocks = message.shown, [dict(one) for one in message.blocks]
    try:
        _take(message, chunks)
        message.blocks = [*message.blocks, *(bottom or [])]
        _check_size(message.blocks)
    except Refusal:
        message.blocks = blocks
        raise
    message.earlier.append(shown)


def _take(message: Message, chunks: list[dict[str, Any]]) -> None:
    """Show what chunks say: text at the end of text, tasks by their id."""
    assert message.stream is not None
    for chunk in chunks:
        match chunk["type"]:
            case "markdown_text" if message.blocks and message.blocks[-1]["type"] == "markdown":
                message.blocks[-1]["text"] += chunk["text"]
            case "markdown_text":
                message.blocks.append({"type": "markdown", "text": chunk["text"]})
            case "blocks":
                message.blocks.extend(chunk["blocks"])
            case "plan_update":
                message.stream.plan = chunk["title"]
            case "task_update":
                _update_task(message.stream, chunk)
    _check_size(message.blocks)


def _check_size(blocks: list[Block]) -> None:
    check_sum(blocks)
    if len(blocks) > 2 * IN_MESSAGE:
        raise Refusal("msg_blocks_too_long")


def _update_task(stream: Stream, chunk: dict[str, Any]) -> None:
    """Replace title and status; what a task tells of itself is added to."""
    task = stream.tasks.get(chunk["id"])
    if task is None:
        task = stream.tasks[chunk["id"]] = Task(chunk["id"], chunk["title"], chunk["status"])
    else:
        task.earlier.append(task.status)
    task.title, task.status = chunk["title"], chunk["status"]
    task.details += chunk.get("details") or ""
    task.output += chunk.get("output") or ""
    task.sources += chunk.get("sources") or []


def _look_at(world: World, call: Call, message: Message) -> None:
    """Take note of live words: in the whole, as a mention may come in two halves."""
    cards = "\n".join(f"{one.title}\n{one.details}\n{one.output}" for one in message.tasks)
    world.look_at(call, message.blocks, ts=message.ts, text=cards)


def set_status(world: World, call: Call) -> Any:
    """Answer assistant.threads.setStatus; an empty status takes the line away."""
    place = world.place_of(call)
    thread = _thread(world, place, call)
    if "status" not in call.arguments:
        raise invalid("missing required field: status")
    loading = call.json("loading_messages") or []
    if not isinstance(loading, list) or len(loading) > _LOADING:
        raise invalid(f"no more than {_LOADING} loading_messages")
    status = Status(world.now(), call.text("status"), tuple(loading))
    place.statuses.setdefault(thread, []).append(status)
    world.changed(place)
    return {}


def set_title(world: World, call: Call) -> Any:
    place = world.place_of(call)
    place.titles[_thread(world, place, call)] = call.needed("title")
    world.changed(place)
    return {}


def set_prompts(world: World, call: Call) -> Any:
    place = world.place_of(call)
    prompts = call.json("prompts")
    if not isinstance(prompts, list) or not 1 <= len(prompts) <= _PROMPTS:
        raise invalid(f"between 1 and {_PROMPTS} prompts")
    for prompt in prompts:
        if not isinstance(prompt, dict) or set(prompt) != {"title", "message"}:
            raise invalid("a prompt has a title and a message")
    shown = {"title": call.text("title"), "prompts": prompts, "thread": call.text("thread_ts")}
    place.prompts.append(shown)
    world.changed(place)
    return {}


def set_session(world: World, call: Call) -> Any:
    """Answer agents.sessions.setStatus; the session begins with its first status."""
    place = world.place_of(call)
    if not world.is_agent:
        raise Refusal("not_allowed")
    thread, status = _thread(world, place, call), call.needed("status")
    if status not in _SESSIONS:
        raise invalid(f"status must be one of {', '.join(_SESSIONS)}")
    session = place.sessions.setdefault(
        thread, Session(status, call.text("title")[:200], world.now())
    )
    session.status, session.at = status, world.now()
    world.changed(place)
    said = {"status": status, "title": session.title}
    if status == "processing" and "agent_session_stopped" not in world.subscriptions:
        said["warning"] = "missing_agent_session_stopped_event_subscription"
    return said


def rename_session(world: World, call: Call) -> Any:
    place = world.place_of(call)
    session = place.sessions.get(_thread(world, place, call))
    if session is None:
        raise Refusal("session_not_found")
    session.title = call.needed("title")
    world.changed(place)
    return {"title": session.title}


def _thread(world: World, place: Conversation, call: Call) -> str:
    thread = world.root_of(place, call.needed("thread_ts"))
    assert thread is not None
    return thread
