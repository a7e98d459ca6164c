"""Remembers answers with thoughts word for word, as long as their turn lasts.

A model that thinks before it calls a tool wants its thoughts back with the tool's result,
signed and unchanged: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking.
A transcript holds no thoughts, so they live here; after a restart a turn goes on without them.
"""

from collections import OrderedDict
from typing import Any

from gateway.providers.history import Answered, Asked, Round

ContentBlock = dict[str, Any]
_KEPT = 1_000
"""Answers; those of long-ended turns make room."""


class Echoes:
    """Answers of turns that may still be running."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, list[ContentBlock]] = OrderedDict()

    def keep(self, content: list[ContentBlock]) -> None:
        first, *_ = _call_ids(content)
        self._kept[first] = content
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def of(self, rounds: list[Round]) -> dict[str, list[ContentBlock]]:
        """Return what is known of the running turn's answers, by their first call."""
        found: dict[str, list[ContentBlock]] = {}
        for one in reversed(rounds):
            if isinstance(one, Asked):
                break
            kept = self._kept.get(one.calls[0].call_id) if one.calls else None
            if kept is not None and _is_same(kept, one):
                found[one.calls[0].call_id] = kept
        return found


def _call_ids(content: list[ContentBlock]) -> list[str]:
    return [block["id"] for block in content if block["type"] == "tool_use"]


def _is_same(content: list[ContentBlock], answered: Answered) -> bool:
    said = "".join(block["text"] for block in content if block["type"] == "text")
    ids = [call.call_id for call in answered.calls]
    return said.strip() == answered.text.strip() and _call_ids(content) == ids
