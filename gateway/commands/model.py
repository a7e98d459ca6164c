"""`/model`: show or choose the session's model."""

from collections.abc import Awaitable, Callable

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.errors import Refused
from gateway.messages import Choice

_DEFAULT = "default"


class Model(Command):
    """Chooses by name or by number, from the models the agent's settings allow.

    A control, so that a message that waits for a dead model can be given another.
    """

    name = "model"
    summary = "Show or choose the model"
    is_control = True

    def __init__(self, release: Callable[[str], Awaitable[None]]) -> None:
        self._release = release

    @override
    async def run(self, call: Call) -> Answer:
        models = call.models
        if not call.argument:
            return _listing(models, call.model)
        chosen = _find(models, call.argument)
        session = await call.pool.resolve_session(call.kept.session_key, call.kept.owner)
        await call.pool.set_model(session.id, chosen)
        await self._release(call.kept.session_key)
        return Answer(f"From the next message on I use `{chosen or models[0]}`.")


def _find(models: tuple[str, ...], wanted: str) -> str | None:
    """Return the model meant, None for the default.

    Raises:
        Refused: no allowed model has this name or number.
    """
    if wanted.isdecimal() and 1 <= int(wanted) <= len(models):
        wanted = models[int(wanted) - 1]
    if wanted == models[0] or wanted.lower() == _DEFAULT:
        return None
    if wanted in models:
        return wanted
    raise Refused(f'I cannot use "{wanted}" here. /model lists what I can use.')


def _listing(models: tuple[str, ...], current: str) -> Answer:
    lines = [
        f"{number}. `{model}`" + (" (in use)" if model == current else "")
        for number, model in enumerate(models, 1)
    ]
    choices = tuple(
        Choice(label=model, value=f"/model {number}")
        for number, model in enumerate(models, 1)
        if model != current
    )
    return Answer("Choose a model:\n\n" + "\n".join(lines), choices)
