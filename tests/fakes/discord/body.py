"""Bodies of messages, checked and taken in, whichever way they came.

Facts: https://discord.com/developers/docs/resources/message#create-message
"""

from typing import Any

from tests.fakes.discord.calls import Upload
from tests.fakes.discord.components import check_components, texts
from tests.fakes.discord.embeds import check_embeds
from tests.fakes.discord.files import StoredFile
from tests.fakes.discord.mentions import Ping, allowed, calls_replied, check_allowed
from tests.fakes.discord.message import COMPONENTS_V2, EPHEMERAL, SUPPRESS_EMBEDS, Message
from tests.fakes.discord.permissions import May
from tests.fakes.discord.places import Channel
from tests.fakes.discord.refusal import Form, refused
from tests.fakes.discord.world import World

LONGEST = 2000
_NONCE, _FILES, _DESCRIPTION = 25, 10, 1024
_SILENT = 1 << 12
_SETTABLE = SUPPRESS_EMBEDS | EPHEMERAL | _SILENT | COMPONENTS_V2


def check_body(body: dict[str, Any], files: dict[int, Upload], *, is_v2: bool) -> None:
    """Refuse a body with any part that is too long, too many or not what it should be."""
    form = Form()
    form.length("content", body.get("content"), LONGEST)
    if body.get("embeds"):
        check_embeds(form, body["embeds"])
    if body.get("components"):
        check_components(form, body["components"], is_v2=is_v2)
    check_allowed(form, body.get("allowed_mentions"))
    _check_nonce(form, body)
    _check_attachments(form, body, files)
    if is_v2:
        for name in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(name):
                words = f"The '{name}' field cannot be used with MessageFlags.IS_COMPONENTS_V2"
                form.wrong(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words)
    form.check()


def _check_nonce(form: Form, body: dict[str, Any]) -> None:
    nonce = body.get("nonce")
    if isinstance(nonce, bool) or not isinstance(nonce, str | int | None):
        form.wrong("nonce", "NONCE_TYPE_INVALID", "Nonce must be a string or an integer.")
    elif len(str(nonce or "")) > _NONCE:
        words = f"Must be {_NONCE} or fewer in length."
        form.wrong("nonce", "BASE_TYPE_MAX_LENGTH", words)


def _check_attachments(form: Form, body: dict[str, Any], files: dict[int, Upload]) -> None:
    listed = body.get("attachments") or []
    if max(len(listed), len(files)) > _FILES:
        form.wrong("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {_FILES} or fewer in length.")
    for number, one in enumerate(listed):
        at = f"attachments.{number}"
        form.length(f"{at}.description", one.get("description"), _DESCRIPTION)
        if "id" not in one:
            form.required(f"{at}.id")


def take_in(
    world: World,
    channel: Channel,
    message: Message,
    body: dict[str, Any],
    files: dict[int, Upload],
    *,
    by_edit: bool = False,
) -> None:
    """Make a message say what a body says; what the body leaves out stays as it was."""
    flags = message.flags & ~_SETTABLE | int(body.get("flags") or 0) & _SETTABLE
    if "flags" not in body:
        flags = message.flags
    flags |= message.flags & COMPONENTS_V2
    check_body(body, files, is_v2=bool(flags & COMPONENTS_V2))
    kept = _kept(message, body, files)
    content = message.content
    if "content" in body:
        content = (body["content"] or "").strip()
    embeds = [_embed(one) for one in body["embeds"] or []] if "embeds" in body else message.embeds
    components = body["components"] or [] if "components" in body else message.components
    if not (content or embeds or components or kept or files or message.stickers):
        raise refused(50006)
    check_uploads(world, files)
    message.flags, message.content, message.embeds = flags, content, embeds
    message.components = _numbered(components)
    message.files = kept + _uploaded(world, channel, body, files)
    _call(world, channel, message, body.get("allowed_mentions"), by_edit=by_edit)


def check_uploads(world: World, files: dict[int, Upload]) -> None:
    if any(len(file.data) > world.file_bytes for file in files.values()):
        raise refused(40005)


def _kept(message: Message, body: dict[str, Any], files: dict[int, Upload]) -> list[StoredFile]:
    """Return the files of before that stay; every listed one must be known or uploaded."""
    listed = body.get("attachments")
    if listed is None:
        return [] if "attachments" in body else message.files
    known = {str(file.id): file for file in message.files}
    form, kept = Form(), []
    for number, one in enumerate(listed):
        name = str(one["id"])
        if name in known:
            kept.append(known[name])
        elif not name.isdigit() or int(name) not in files:
            words = "Uploaded attachment not found."
            form.wrong(f"attachments.{number}", "ATTACHMENT_NOT_FOUND", words)
    form.check()
    return kept


def _uploaded(
    world: World, channel: Channel, body: dict[str, Any], files: dict[int, Upload]
) -> list[StoredFile]:
    listed = {str(one["id"]): one for one in body.get("attachments") or []}
    stored = []
    for number, upload in sorted(files.items()):
        more = listed.get(str(number), {})
        name = more.get("filename") or upload.name
        stored.append(
            world.files.keep(
                world.next_id(),
                channel.id,
                name,
                upload.data,
                mime=None if upload.mime == "application/octet-stream" else upload.mime,
                description=more.get("description"),
            )
        )
    return stored


def _embed(embed: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich", "content_scan_version": 0, **embed}


def _numbered(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give components the ids that Discord gives those that come without."""
    for number, one in enumerate(components, start=1):
        one.setdefault("id", number)
        for inner, part in enumerate(one.get("components") or [], start=1):
            part.setdefault("id", number * 10 + inner)
    return components


def _call(
    world: World,
    channel: Channel,
    message: Message,
    given: dict[str, Any] | None,
    *,
    by_edit: bool,
) -> None:
    """Find out whom a message of our bot calls, and write it down."""
    words = "\n".join((message.content, *texts(message.components)))
    called = allowed(words, given)
    message.mention_everyone = called.everyone and bool(
        channel.permissions(world.bot_id) & May.MENTION_EVERYONE and channel.guild
    )
    users = [one for one in called.users if one in world.users]
    message.mentions = [world.users[one] for one in users]
    message.mention_roles = _roles(world, channel, called.roles)
    kinds: list[tuple[str, int | None]] = [("user", one) for one in users if one != world.bot_id]
    kinds += [("role", one) for one in message.mention_roles]
    if message.mention_everyone:
        kinds.append(("everyone", None))
    if message.reply_to is not None and calls_replied(given) and not by_edit:
        author = message.reply_to.author
        if author not in message.mentions:
            message.mentions.append(author)
        kinds.append(("reply", int(author["id"])))
    world.pings += [Ping(kind, target, message.id, by_edit) for kind, target in kinds]


def _roles(world: World, channel: Channel, roles: list[int]) -> list[int]:
    if channel.guild is None:
        return []
    may = bool(channel.permissions(world.bot_id) & May.MENTION_EVERYONE)
    known = channel.guild.roles
    return [one for one in roles if one in known and (may or known[one].is_mentionable)]
