"""Which parameters each method knows; others are ignored by the real server, counted here.

Facts: https://core.telegram.org/bots/api#available-methods (Bot API 10.3)
"""

_EVERY_SEND = (
    "business_connection_id chat_id message_thread_id direct_messages_topic_id "
    "disable_notification protect_content allow_paid_broadcast message_effect_id "
    "suggested_post_parameters reply_parameters reply_markup ephemeral_message_parameters"
)
_CAPTION = "caption parse_mode caption_entities"
_FILE = f"{_EVERY_SEND} {_CAPTION}"
_EDIT = "business_connection_id chat_id message_id inline_message_id reply_markup"

KNOWN: dict[str, frozenset[str]] = {
    method: frozenset(names.split())
    for method, names in {
        "getMe": "",
        "logOut": "",
        "close": "",
        "getUpdates": "offset limit timeout allowed_updates",
        "setWebhook": (
            "url certificate ip_address max_connections allowed_updates drop_pending_updates "
            "secret_token"
        ),
        "deleteWebhook": "drop_pending_updates",
        "getWebhookInfo": "",
        "sendMessage": f"{_EVERY_SEND} text parse_mode entities link_preview_options",
        "sendMessageDraft": (
            "chat_id message_thread_id draft_id text parse_mode entities can_stop keep_on_stop"
        ),
        "sendPhoto": f"{_FILE} photo show_caption_above_media has_spoiler",
        "sendDocument": f"{_FILE} document thumbnail disable_content_type_detection",
        "sendAudio": f"{_FILE} audio duration performer title thumbnail",
        "sendVoice": f"{_FILE} voice duration",
        "sendVideo": (
            f"{_FILE} video duration width height thumbnail cover start_timestamp "
            "show_caption_above_media has_spoiler supports_streaming"
        ),
        "sendAnimation": (
            f"{_FILE} animation duration width height thumbnail show_caption_above_media "
            "has_spoiler"
        ),
        "sendMediaGroup": (
            "business_connection_id chat_id message_thread_id direct_messages_topic_id media "
            "disable_notification protect_content allow_paid_broadcast message_effect_id "
            "reply_parameters"
        ),
        "editMessageText": f"{_EDIT} text parse_mode entities link_preview_options rich_message",
        "editMessageCaption": f"{_EDIT} {_CAPTION} show_caption_above_media",
        "editMessageMedia": f"{_EDIT} media",
        "editMessageReplyMarkup": _EDIT,
        "deleteMessage": "chat_id message_id",
        "deleteMessages": "chat_id message_ids",
        "sendChatAction": "business_connection_id chat_id message_thread_id action",
        "setMessageReaction": "chat_id message_id reaction is_big",
        "answerCallbackQuery": "callback_query_id text show_alert url cache_time",
        "getFile": "file_id",
        "setMyCommands": "commands scope language_code",
        "deleteMyCommands": "scope language_code",
        "getMyCommands": "scope language_code",
        "getChat": "chat_id",
        "getChatMember": "chat_id user_id",
    }.items()
}
METHODS = {method.lower(): method for method in KNOWN}
"""Methods by their lower-case name: the Bot API does not mind the case."""
