"""Which arguments each method knows, which scope it needs and how often it may come.

Unknown arguments are ignored by the real server and counted here.
Facts: https://docs.slack.dev/reference/methods and /apis/web-api/rate-limits
"""

from dataclasses import dataclass

ANYWHERE = frozenset({"team_id"})
"""The SDK adds it to every call of an app that is installed for an organization."""


@dataclass(frozen=True, slots=True)
class Known:
    """One method: its arguments, scopes of which one is enough, and calls a minute."""

    arguments: frozenset[str]
    scopes: tuple[str, ...]
    per_minute: int


_T1, _T2, _T3, _T4, _SPECIAL = 1, 20, 50, 100, 600
_LOOKS = "icon_emoji icon_url username"
_POST = f"channel text as_user attachments blocks thread_ts {_LOOKS} link_names parse markdown_text"
_PAGE = "cursor limit"
_HISTORY = f"channel {_PAGE} inclusive include_all_metadata latest oldest"
_LIST = f"{_PAGE} exclude_archived types"
_UNFURLS = "unfurl_links unfurl_media"
_UPDATE = (
    "channel ts text attachments blocks as_user file_ids link_names parse reply_broadcast "
    f"metadata markdown_text {_UNFURLS}"
)
_STREAM = "channel markdown_text chunks"
_RECIPIENT = "recipient_team_id recipient_user_id"
_WRITE = ("chat:write",)
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_PAST = ("channels:history", "groups:history", "im:history", "mpim:history")
_AGENT = ("assistant:write", "chat:write")

METHODS: dict[str, Known] = {
    method: Known(frozenset(arguments.split()), scopes, per_minute)
    for method, arguments, scopes, per_minute in (
        ("auth.test", "", (), _SPECIAL),
        ("apps.connections.open", "", ("connections:write",), _SPECIAL),
        ("team.info", "team domain include_slackbot_availability", ("team:read",), _T3),
        ("bots.info", "bot", ("users:read",), _T3),
        ("users.info", "user include_locale", ("users:read",), _T4),
        ("users.conversations", f"{_LIST} user", _READ, _T3),
        ("conversations.history", _HISTORY, _PAST, _T3),
        ("conversations.replies", f"{_HISTORY} ts", _PAST, _T3),
        ("conversations.info", "channel include_locale include_num_members", _READ, _T3),
        ("conversations.members", f"channel {_PAGE}", _READ, _T4),
        ("conversations.list", _LIST, _READ, _T2),
        (
            "conversations.open",
            "channel return_im users prevent_creation",
            ("im:write", "mpim:write"),
            _T3,
        ),
        (
            "chat.postMessage",
            f"{_POST} reply_broadcast {_UNFURLS} container_id mrkdwn metadata",
            _WRITE,
            _SPECIAL,
        ),
        (
            "chat.update",
            _UPDATE,
            _WRITE,
            _T3,
        ),
        ("chat.delete", "channel ts as_user", _WRITE, _T3),
        ("chat.postEphemeral", f"{_POST} user", _WRITE, _T4),
        ("chat.getPermalink", "channel message_ts", (), _SPECIAL),
        (
            "chat.startStream",
            f"{_STREAM} thread_ts {_RECIPIENT} task_display_mode {_UNFURLS} {_LOOKS}",
            _WRITE,
            _T2,
        ),
        ("chat.appendStream", f"{_STREAM} ts", _WRITE, _T4),
        ("chat.stopStream", f"{_STREAM} ts blocks metadata session_status", _WRITE, _T2),
        (
            "assistant.threads.setStatus",
            f"channel_id thread_ts status loading_messages {_LOOKS}",
            _AGENT,
            _T3,
        ),
        (
            "assistant.threads.setSuggestedPrompts",
            "channel_id thread_ts title prompts",
            _AGENT,
            _T3,
        ),
        ("assistant.threads.setTitle", "channel_id thread_ts title", _AGENT, _T3),
        (
            "agents.sessions.setStatus",
            f"channel_id thread_ts status title initiator_user_id {_LOOKS}",
            _WRITE,
            _T3,
        ),
        ("agents.sessions.rename", "channel_id thread_ts title", _WRITE, _T3),
        ("reactions.add", "channel name timestamp", ("reactions:write",), _T3),
        (
            "reactions.remove",
            "channel name timestamp file file_comment",
            ("reactions:write",),
            _T2,
        ),
        (
            "files.getUploadURLExternal",
            "filename length alt_txt snippet_type",
            ("files:write",),
            _T4,
        ),
        (
            "files.completeUploadExternal",
            "files channel_id channels initial_comment thread_ts blocks",
            ("files:write",),
            _T4,
        ),
        ("files.info", f"file count page {_PAGE}", ("files:read",), _T4),
        ("files.delete", "file", ("files:write",), _T3),
        ("views.publish", "user_id view hash", (), _T4),
        ("views.open", "trigger_id interactivity_pointer view", (), _T4),
    )
}

_SCOPES = """
app_mentions:read assistant:write channels:history channels:read chat:write commands files:read
files:write groups:history groups:read im:history im:read im:write mpim:history mpim:read
mpim:write reactions:read reactions:write team:read users:read
"""
_EVENTS = """
app_mention message.channels message.groups message.im message.mpim app_home_opened
app_context_changed agent_session_stopped assistant_thread_started reaction_added
reaction_removed file_shared
"""
BOT_SCOPES, EVENTS = frozenset(_SCOPES.split()), frozenset(_EVENTS.split())
