"""What the Anthropic messages endpoint accepts, and the words in which it refuses.

Facts: https://docs.anthropic.com/en/api/messages and https://docs.anthropic.com/en/api/errors
"""

from collections.abc import Collection, Iterator
from typing import Any

from tests.fakes.anthropic_messages import check_blocks, check_messages
from tests.fakes.anthropic_values import (
    check_list,
    check_object,
    check_pattern,
    forbid_others,
    require,
)
from tests.fakes.model import Rejected

# fmt: off
_FIELDS = frozenset({
    "max_tokens", "messages", "prefill", "model", "cache_control", "container", "diagnostics",
    "inference_geo", "metadata", "output_config", "service_tier", "speed", "stop_sequences",
    "stream", "system", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p",
})
_TOOL_FIELDS = frozenset({
    "name", "description", "input_schema", "type", "cache_control", "strict", "defer_loading",
    "allowed_callers", "eager_input_streaming", "input_examples",
})
# fmt: on
_THINKING = ("enabled", "disabled", "adaptive", "between_tools")
_MOST_OUTPUT = 64_000
_BREAKPOINTS_AT_MOST = 4
_LEAST_BUDGET = 1_024


def check(body: Any, models: Collection[str]) -> None:
    """Raise `Rejected` unless the real endpoint would take this body."""
    if not isinstance(body, dict):
        raise Rejected("The request body is not valid JSON: expected an object")
    forbid_others(body, _FIELDS)
    require(body, "model")
    _check_max_tokens(require(body, "max_tokens"), body["model"])
    _check_sampling(body)
    _check_thinking(body)
    _check_tools(body)
    if "system" in body:
        _check_system(body["system"])
    check_messages(require(body, "messages"), has_tools=bool(body.get("tools")))
    _check_breakpoints(body)
    if body["model"] not in models:
        raise Rejected(f"model: {body['model']}", status=404, kind="not_found_error")


def _check_max_tokens(value: Any, model: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Rejected("max_tokens: Input should be a valid integer")
    if value < 0:
        raise Rejected("max_tokens: Input should be greater than or equal to 0")
    if value > _MOST_OUTPUT:
        raise Rejected(
            f"max_tokens: {value} > {_MOST_OUTPUT}, which is the maximum allowed number of "
            f"output tokens for {model}"
        )


def _check_sampling(body: dict[str, Any]) -> None:
    for name in ("temperature", "top_p", "top_k"):
        value = body.get(name)
        if value is not None and not _is_older(body["model"]):
            raise Rejected(f"`{name}` is deprecated for this model.")
        if value is not None and name != "top_k" and not 0 <= value <= 1:
            raise Rejected(f"{name}: range: 0..1")
    if "metadata" in body:
        forbid_others(check_object(body["metadata"], "metadata"), {"user_id"}, "metadata.")
    if body.get("tool_choice") is not None and not body.get("tools"):
        raise Rejected("tool_choice: tool_choice may only be specified while providing tools")


def _check_thinking(body: dict[str, Any]) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = require(check_object(thinking, "thinking"), "type", "thinking.")
    if kind not in _THINKING:
        raise Rejected(f"thinking: Input tag '{kind}' found using 'type' does not match any tags")
    if kind != "enabled":
        return
    if not _is_older(body["model"]):
        raise Rejected(
            '"thinking.type.enabled" is not supported for this model. Use '
            '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
        )
    budget = require(thinking, "budget_tokens", "thinking.enabled.")
    if budget < _LEAST_BUDGET:
        raise Rejected(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        )
    if budget >= body["max_tokens"]:
        raise Rejected("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _is_older(model: str) -> bool:
    """Whether the model still takes what newer ones refuse."""
    return "-4-" in model


def _check_tools(body: dict[str, Any]) -> None:
    names: list[str] = []
    for index, tool in enumerate(check_list(body.get("tools", []), "tools")):
        where = f"tools.{index}.custom."
        if check_object(tool, f"tools.{index}").get("type", "custom") != "custom":
            continue
        forbid_others(tool, _TOOL_FIELDS, where)
        check_pattern(require(tool, "name", where), "[a-zA-Z0-9_-]{1,128}", f"{where}name")
        schema = check_object(require(tool, "input_schema", where), f"{where}input_schema")
        if require(schema, "type", f"{where}input_schema.") != "object":
            raise Rejected(f"{where}input_schema.type: Input should be 'object'")
        names.append(tool["name"])
    if len(set(names)) < len(names):
        raise Rejected("tools: Tool names must be unique.")


def _check_system(system: Any) -> None:
    if not isinstance(system, str):
        check_blocks(check_list(system, "system"), "system", ("text",))


def breakpoints(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give each `cache_control`, in the order in which the prompt is read."""
    for block in blocks(body):
        if block.get("cache_control"):
            yield block["cache_control"]
        inner = block.get("content")
        for nested in inner if isinstance(inner, list) else ():
            if nested.get("cache_control"):
                yield nested["cache_control"]
    if body.get("cache_control"):
        yield body["cache_control"]


def blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give tools, system and content blocks as the prompt has them."""
    yield from body.get("tools", [])
    system = body.get("system", [])
    yield from ({"type": "text", "text": system},) if isinstance(system, str) else system
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            yield {"type": "text", "text": content, "role": message["role"]}
        else:
            yield from content


def _check_breakpoints(body: dict[str, Any]) -> None:
    found = list(breakpoints(body))
    if len(found) > _BREAKPOINTS_AT_MOST:
        raise Rejected(
            f"A maximum of 4 blocks with cache_control may be provided. Found {len(found)}."
        )
    lifetimes = []
    for one in found:
        if one.get("type") != "ephemeral":
            raise Rejected("cache_control.type: Input should be 'ephemeral'")
        lifetimes.append(one.get("ttl", "5m"))
        if lifetimes[-1] not in {"5m", "1h"}:
            raise Rejected("cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    if lifetimes != sorted(lifetimes):
        raise Rejected(
            "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
            "Note that blocks are processed in the following order: `tools`, `system`, "
            "`messages`."
        )
