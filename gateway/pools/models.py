"""Which models a session of an agent may use. Pure."""

from gateway.errors import Refused
from gateway.settings import AgentSettings


def allowed_models(settings: AgentSettings) -> tuple[str, ...]:
    """Name each model once, the agent's default first."""
    names = (settings.model, *settings.fallback_models, *settings.models)
    return tuple(dict.fromkeys(names))


def check_model(model: str, settings: AgentSettings) -> str:
    """Return the model if the agent may use it.

    Raises:
        Refused: it may not.
    """
    allowed = allowed_models(settings)
    if model not in allowed:
        raise Refused(f"I cannot use `{model}` here; I can use {', '.join(allowed)}.")
    return model


def session_model(chosen: str | None, settings: AgentSettings) -> str:
    """Return what a session runs on: its choice, as long as the settings still allow it."""
    return chosen if chosen in allowed_models(settings) and chosen else settings.model
