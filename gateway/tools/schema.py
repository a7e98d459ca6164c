"""Short ways to write a tool's parameters."""

from typing import Any


def takes(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def text(description: str = "") -> dict[str, Any]:
    return _typed("string", description)


def flag(description: str = "") -> dict[str, Any]:
    return _typed("boolean", description)


def count(description: str = "") -> dict[str, Any]:
    return _typed("integer", description) | {"minimum": 1}


def _typed(name: str, description: str) -> dict[str, Any]:
    return {"type": name, "description": description} if description else {"type": name}
