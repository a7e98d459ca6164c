"""Embeds, measured as Discord measures them.

Facts: https://discord.com/developers/docs/resources/message#embed-object-embed-limits
"""

from typing import Any

from tests.fakes.discord.refusal import Form

_EMBEDS, _FIELDS, _TOTAL = 10, 25, 6000
_TITLE, _DESCRIPTION, _NAME, _VALUE, _FOOTER, _AUTHOR = 256, 4096, 256, 1024, 2048, 256


def check_embeds(form: Form, embeds: Any) -> None:
    """Note what is wrong with the embeds of a body."""
    if not isinstance(embeds, list):
        form.wrong("embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(embeds) > _EMBEDS:
        words = f"Must be {_EMBEDS} or fewer in length."
        form.wrong("embeds", "BASE_TYPE_MAX_LENGTH", words)
    total = sum(_check(form, f"embeds.{number}", one) for number, one in enumerate(embeds))
    if total > _TOTAL:
        words = f"Embed size exceeds maximum size of {_TOTAL}"
        form.wrong("embeds", "MAX_EMBED_SIZE_EXCEEDED", words)


def _check(form: Form, path: str, embed: dict[str, Any]) -> int:
    """Note what is wrong with one embed; return its length."""
    fields = embed.get("fields") or []
    footer, author = embed.get("footer") or {}, embed.get("author") or {}
    form.length(f"{path}.title", embed.get("title"), _TITLE)
    form.length(f"{path}.description", embed.get("description"), _DESCRIPTION)
    form.length(f"{path}.footer.text", footer.get("text"), _FOOTER)
    form.length(f"{path}.author.name", author.get("name"), _AUTHOR)
    if len(fields) > _FIELDS:
        words = f"Must be {_FIELDS} or fewer in length."
        form.wrong(f"{path}.fields", "BASE_TYPE_MAX_LENGTH", words)
    for number, one in enumerate(fields):
        form.length(f"{path}.fields.{number}.name", one.get("name"), _NAME, 1)
        form.length(f"{path}.fields.{number}.value", one.get("value"), _VALUE, 1)
    words_of = [
        embed.get("title"),
        embed.get("description"),
        footer.get("text"),
        author.get("name"),
        *(one.get(part) for one in fields for part in ("name", "value")),
    ]
    return sum(len(words) for words in words_of if isinstance(words, str))
