"""Which optional fields of chat completions a server takes, and how its refusals teach that.

The official server and the many compatible ones differ: https://platform.openai.com/docs/
api-reference/chat/create. Its newer models take tools here only when told not to reason.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

_REASONS_UNLESS_TOLD = ("gpt-5.6", "gpt-6")
_NO_TOOLS = re.compile(
    r"not support\w* (tool|function)|(tools|functions?)( calling)? (is|are) not supported|"
    r"without tool|no endpoints found that support tool",
    re.IGNORECASE,
)
_TOO_HIGH = re.compile(r"too (large|high|big)|at most|less than or equal|maximum", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"not supported|unsupported|unrecogni[sz]ed|unknown|not permitted|extra_forbidden|unexpected",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The optional part of a request, for one model on one server."""

    limit_fields: tuple[str, ...] = ("max_tokens", "max_completion_tokens")
    """Names of the output limit yet to be tried; the first is used, none of none."""
    with_usage: bool = True
    with_cache_key: bool = False
    effort: Literal["none"] | None = None
    """`reasoning_effort` beside tools."""
    may_hush: bool = True
    """Whether an effort of `none` is worth a try."""
    with_tools: bool = True


def is_official(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def first_dialect(model: str, *, official: bool) -> Dialect:
    """Return what to try first."""
    if not official:
        return Dialect()
    return Dialect(
        limit_fields=("max_completion_tokens", "max_tokens"),
        with_cache_key=True,
        effort="none" if model.startswith(_REASONS_UNLESS_TOLD) else None,
    )


def learn(dialect: Dialect, complaint: str) -> Dialect | None:
    """Return the dialect that a complaint asks for; None when it is about something else."""
    if "stream_options" in complaint and dialect.with_usage:
        return replace(dialect, with_usage=False)
    if "prompt_cache_key" in complaint and dialect.with_cache_key:
        return replace(dialect, with_cache_key=False)
    if "reasoning_effort" in complaint:
        return _learn_effort(dialect, complaint)
    if re.search(r"max_completion_tokens|max_tokens|in the completion", complaint):
        return _learn_limit(dialect, complaint)
    if _NO_TOOLS.search(complaint) and dialect.with_tools:
        return replace(dialect, with_tools=False)
    return None


def _learn_effort(dialect: Dialect, complaint: str) -> Dialect | None:
    if dialect.effort is not None:
        can_reason = _can_reason_with_tools(complaint)
        return replace(dialect, effort=None, may_hush=False, with_tools=can_reason)
    if "none" in complaint and dialect.may_hush:
        return replace(dialect, effort="none")
    return None


def _can_reason_with_tools(complaint: str) -> bool:
    """Tell a model that must reason, and so takes no tools here, from one that never does."""
    return "does not support 'none'" not in complaint


def _learn_limit(dialect: Dialect, complaint: str) -> Dialect | None:
    field, *others = dialect.limit_fields or ("",)
    if not field or not re.search(rf"\b{field}\b|in the completion", complaint):
        return None
    if _TOO_HIGH.search(complaint):
        return replace(dialect, limit_fields=())
    return replace(dialect, limit_fields=tuple(others)) if _UNKNOWN.search(complaint) else None
