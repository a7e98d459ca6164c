"""Files of the app: three steps to upload one, and a message that comes when it will.

Facts: https://docs.slack.dev/messaging/working-with-files
"""

from typing import Any

from tests.fakes.slack.blocks import Block, checked_blocks
from tests.fakes.slack.calls import Call
from tests.fakes.slack.conversation import Conversation
from tests.fakes.slack.events import tell, tell_message
from tests.fakes.slack.files import LONGEST, StoredFile
from tests.fakes.slack.refusal import Refusal, invalid
from tests.fakes.slack.world import World

_MIME = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "txt": "text/plain"}
_IMAGES = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def get_upload_url(world: World, call: Call) -> Any:
    name, length = call.needed("filename"), call.integer("length")
    if length <= 0:
        raise invalid("length must be more than 0 [json-pointer:/length]")
    if length > LONGEST:
        raise Refusal("file_upload_size_restricted")
    stored = world.files.keep(
        name,
        b"",
        "application/octet-stream",
        user=world.bot_user,
        team=world.team["id"],
        at=world.now(),
        size=length,
        is_uploaded=False,
        alt_text=call.text("alt_txt"),
    )
    return {"file_id": stored.id, "upload_url": f"{world.files.base}/upload/v1/{stored.id}"}


def receive(world: World, file_id: str, data: bytes) -> StoredFile:
    """Take the bytes that are posted to an upload address."""
    stored = world.files.by_id.get(file_id)
    if stored is None or stored.is_uploaded:
        raise Refusal("file_not_found")
    if len(data) != stored.size:
        raise Refusal("length_mismatch")
    stored.data, stored.is_uploaded = data, True
    suffix = stored.name.rpartition(".")[2].lower()
    found = [mime for start, mime in _IMAGES if data.startswith(start)]
    stored.mime = (found or [_MIME.get(suffix, "application/octet-stream")])[0]
    return stored


def complete_upload(world: World, call: Call) -> Any:
    """Answer files.completeUploadExternal: the answer comes before the message does."""
    given = call.json("files")
    if not isinstance(given, list) or not given:
        raise invalid("files must be an array of at least 1 item")
    files = [_uploaded(world, one) for one in given]
    for stored, one in zip(files, given, strict=True):
        stored.title = one.get("title") or stored.name
    comment = call.text("initial_comment")
    blocks = call.json("blocks", "invalid_blocks_format")
    if comment and blocks:
        raise invalid("blocks and initial_comment exclude each other")
    checked = checked_blocks(blocks) if blocks else []
    places = _places(world, call)
    thread = call.text("thread_ts")
    for place in places:
        world.root_of(place, thread)
    world.look_at(call, checked, text=comment)
    for place in places:
        world.errands.start(_share(world, call, place, files, comment, checked))
    return {"files": [{**one.payload(), "shares": {}} for one in files]}


def _uploaded(world: World, given: Any) -> StoredFile:
    if not isinstance(given, dict) or given.keys() - {"id", "title", "highlight_type"}:
        raise invalid("a file has an id and a title")
    stored = world.files.by_id.get(given.get("id") or "")
    if stored is None or not stored.is_uploaded:
        raise Refusal("file_not_found")
    return stored


def _places(world: World, call: Call) -> list[Conversation]:
    named = [one for one in call.text("channels").split(",") if one]
    if call.has("channel_id"):
        named.append(call.text("channel_id"))
    inner = [Call(call.method, {"channel": one}, call.token, call.record) for one in named]
    return [world.writable(one) for one in inner]


async def _share(
    world: World,
    call: Call,
    place: Conversation,
    files: list[StoredFile],
    comment: str,
    blocks: list[Block],
) -> None:
    await world.clock.sleep(world.file_seconds)
    thread = call.text("thread_ts") or None
    message = world.post(place, call, text=comment, blocks=blocks, files=files, thread_ts=thread)
    note_shares(world, place, files, message.ts, thread)
    tell_message(world, place, message)


def note_shares(
    world: World, place: Conversation, files: list[StoredFile], ts: str, thread: str | None
) -> None:
    """Write into files where they are shown, and tell of each."""
    for stored in files:
        kind = "public" if place.kind == "channel" else "private"
        share = {
            "ts": ts,
            "channel_name": place.name,
            "team_id": world.team["id"],
            "share_user_id": stored.user,
            "reply_users": [],
            "reply_users_count": 0,
            "reply_count": 0,
        }
        if thread is not None:
            share["thread_ts"] = thread
        stored.shares.setdefault(kind, {}).setdefault(place.id, []).append(share)
        event = {
            "type": "file_shared",
            "file_id": stored.id,
            "user_id": stored.user,
            "file": {"id": stored.id},
            "channel_id": place.id,
            "event_ts": world.next_ts(),
        }
        tell(world, event, lane=place.id, is_shared=place.is_shared)


def file_info(world: World, call: Call) -> Any:
    stored = _found(world, call)
    shared = {name: places for name, places in stored.shares.items() if places}
    lists = {
        "channels": sorted(shared.get("public", {})),
        "ims": sorted(one for one in shared.get("private", {}) if one.startswith("D")),
        "groups": sorted(one for one in shared.get("private", {}) if one.startswith("G")),
    }
    return {"file": {**stored.payload(), "shares": shared, **lists}, "comments": []}


def delete_file(world: World, call: Call) -> Any:
    stored = _found(world, call)
    if stored.user != world.bot_user:
        raise Refusal("cant_delete_file")
    stored.is_deleted = True
    return {}


def _found(world: World, call: Call) -> StoredFile:
    stored = world.files.by_id.get(call.needed("file"))
    if stored is None:
        raise Refusal("file_not_found")
    if stored.is_deleted:
        raise Refusal("file_deleted")
    return stored
