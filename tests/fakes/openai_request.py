"""What the OpenAI chat completions endpoint accepts, and the words in which it refuses.

Facts: https://platform.openai.com/docs/api-reference/chat/create
"""

import re
from collections.abc import Collection
from typing import Any

from tests.fakes.model import Rejected
from tests.fakes.openai_messages import check_messages
from tests.fakes.openai_values import check_array, check_string, missing

# fmt: off
_FIELDS = frozenset({
    "messages", "model", "audio", "frequency_penalty", "function_call", "functions",
    "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities",
    "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty",
    "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
    "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
    "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user",
    "verbosity", "web_search_options",
})
# fmt: on
_REASONING = re.compile(r"(gpt-5|o\d)")
_TOOLS_AT_MOST = 128


def check(body: Any, models: Collection[str]) -> None:
    """Raise `Rejected` unless the real endpoint would take this body."""
    if not isinstance(body, dict):
        raise Rejected(
            "We could not parse the JSON body of your request. (HINT: This likely means you "
            "aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, "
            "but what was sent was not valid JSON.)"
        )
    for name in body:
        if name not in _FIELDS:
            raise Rejected(f"Unrecognized request argument supplied: {name}")
    _check_model(body, models)
    _check_limits(body)
    _check_options(body)
    _check_tools(body)
    check_messages(body.get("messages"))


def _check_model(body: dict[str, Any], models: Collection[str]) -> None:
    model = body.get("model")
    if not model or not isinstance(model, str):
        raise Rejected("you must provide a model parameter")
    if model not in models:
        raise unknown_model(model)


def unknown_model(model: str) -> Rejected:
    return Rejected(
        f"The model `{model}` does not exist or you do not have access to it.",
        status=404,
        code="model_not_found",
    )


def _check_limits(body: dict[str, Any]) -> None:
    old, new = body.get("max_tokens"), body.get("max_completion_tokens")
    if old is not None and new is not None:
        raise Rejected(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    is_reasoning = _REASONING.match(body["model"]) is not None
    if old is not None and is_reasoning:
        raise Rejected(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    temperature = body.get("temperature")
    if is_reasoning and temperature not in {None, 1}:
        raise Rejected(
            f"Unsupported value: 'temperature' does not support {temperature} with this model. "
            "Only the default (1) value is supported.",
            param="temperature",
            code="unsupported_value",
        )
    for name, value in (("max_tokens", old), ("max_completion_tokens", new)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise Rejected(
                f"Invalid '{name}': integer below minimum value. Expected a value >= 1, "
                f"but got {value} instead.",
                param=name,
                code="integer_below_min_value",
            )


def _check_options(body: dict[str, Any]) -> None:
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Rejected(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get(name) is not None and not body.get("tools"):
            raise Rejected(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                param=name,
            )
    for name in ("prompt_cache_key", "safety_identifier", "user"):
        value = body.get(name)
        if value is not None:
            check_string(value, name, longest=64)


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        return
    check_array(tools, "tools")
    if len(tools) > _TOOLS_AT_MOST:
        raise Rejected(
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but "
            f"got an array with length {len(tools)} instead.",
            param="tools",
            code="array_above_max_length",
        )
    for index, tool in enumerate(tools):
        _check_tool(tool, f"tools[{index}]")


def _check_tool(tool: Any, where: str) -> None:
    if not isinstance(tool, dict) or tool.get("type") not in {"function", "custom"}:
        raise missing(f"{where}.type")
    if tool["type"] == "custom":
        return
    function = tool.get("function")
    if not isinstance(function, dict) or "name" not in function:
        raise missing(f"{where}.function")
    check_string(function["name"], f"{where}.function.name", longest=64)
    if not re.fullmatch(r"[a-zA-Z0-9_-]+", function["name"]):
        raise Rejected(
            f"Invalid '{where}.function.name': string does not match pattern. Expected a string "
            "that matches the pattern '^[a-zA-Z0-9_-]+$'.",
            param=f"{where}.function.name",
            code="invalid_value",
        )
    _check_schema(function.get("parameters"), function["name"], f"{where}.function.parameters")


def _check_schema(schema: Any, function: str, where: str) -> None:
    if schema is None:
        return
    if not isinstance(schema, dict) or schema.get("type") != "object":
        found = schema.get("type") if isinstance(schema, dict) else schema
        raise Rejected(
            f"Invalid schema for function '{function}': schema must be a JSON Schema of "
            f"'type: \"object\"', got 'type: \"{found}\"'.",
            param=where,
            code="invalid_function_parameters",
        )
    for name, inner in schema.get("properties", {}).items():
        if isinstance(inner, dict) and inner.get("type") == "array" and "items" not in inner:
            raise Rejected(
                f"Invalid schema for function '{function}': In context=('properties', '{name}'), "
                "array schema missing items.",
                param=where,
                code="invalid_function_parameters",
            )
