"""Which models a session of an agent may use. Pure."""

from collections.abc import Sequence

from gateway.errors import Refused
from gateway.settings import AgentSettings


def allowed_models(settings: AgentSettings, of_provider: str) -> tuple[str, ...]:
    """Name each model once, the agent's default first; that may be its provider's."""
    names = (settings.model or of_provider, *settings.fallback_models, *settings.models)
    return tuple(dict.fromkeys(names))


def check_model(model: str, allowed: Sequence[str]) -> str:
    """Return the model if it is allowed.

    Raises:
        Refused: it is not.
    """
    if model not in allowed:
        raise Refused(f'I cannot use "{model}" here; I can use {", ".join(allowed)}.')
    return model


def session_model(chosen: str | None, allowed: Sequence[str], usual: str | None = None) -> str:
    """Return what a session runs on: its choice, as long as it is still allowed.

    Without one it is the `usual` model of its place, or else the agent's default.
    """
    return chosen if chosen in allowed and chosen else usual or allowed[0]
