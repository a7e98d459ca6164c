"""The prompt cache as Anthropic documents it: whole prefixes, up to a breakpoint.

Facts: https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
"""

import json
from collections import deque
from hashlib import sha256
from typing import Any

from tests.fakes.anthropic_request import blocks
from tests.fakes.model import tokens

_LOOK_BACK = 20
_KEPT = 20_000


class PromptCache:
    """Knows the prefixes that were written, and counts what a request reads and writes."""

    def __init__(self, minimum: int) -> None:
        self.minimum = minimum
        """Shorter prefixes (in tokens) are not cached."""
        self._written: set[bytes] = set()
        self._order: deque[bytes] = deque()

    def count(self, body: dict[str, Any]) -> dict[str, int]:
        """Return the input side of `usage`, and keep the prefixes this request writes."""
        prefixes, marked = self._prefixes(body)
        total = prefixes[-1][1] if prefixes else 1
        read = max(
            (
                prefixes[index][1]
                for mark in marked
                for index in range(max(0, mark - _LOOK_BACK), mark + 1)
                if prefixes[index][0] in self._written
            ),
            default=0,
        )
        until = max((prefixes[mark][1] for mark in marked), default=0)
        if until < self.minimum:
            until = read = 0
        for mark in marked:
            if prefixes[mark][1] >= self.minimum:
                self._keep(prefixes[mark][0])
        return {
            "input_tokens": max(0, total - max(until, read)),
            "cache_creation_input_tokens": max(0, until - read),
            "cache_read_input_tokens": read,
        }

    def _keep(self, prefix: bytes) -> None:
        if prefix in self._written:
            return
        self._written.add(prefix)
        self._order.append(prefix)
        if len(self._order) > _KEPT:
            self._written.discard(self._order.popleft())

    def _prefixes(self, body: dict[str, Any]) -> tuple[list[tuple[bytes, int]], list[int]]:
        """Return each block's prefix (digest, tokens so far), and which are marked."""
        digest, length = sha256(body["model"].encode()), 0
        prefixes: list[tuple[bytes, int]] = []
        marked: list[int] = []
        for index, block in enumerate(blocks(body)):
            plain = {name: value for name, value in block.items() if name != "cache_control"}
            text = json.dumps(plain, sort_keys=True)
            digest.update(text.encode())
            length += tokens(text)
            prefixes.append((digest.copy().digest(), length))
            if block.get("cache_control"):
                marked.append(index)
        if body.get("cache_control") and prefixes:
            marked.append(len(prefixes) - 1)
        return prefixes, marked
