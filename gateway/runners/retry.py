"""What follows when a model cannot be reached: wait, ask another, or give up. Pure."""

from collections.abc import Callable, Sequence

from gateway.errors import ModelResting, ProviderUnavailable

_TRIES = 3
"""With one model."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 20.0
"""A server that asks for more is not waited for."""
_PATIENCE = 30.0
"""Seconds after the first try in which a further one may begin with the same model."""


class Tries:
    """The tries of one model call, in the order of its models."""

    def __init__(self, models: Sequence[str], began: float, jitter: Callable[[], float]) -> None:
        self.model = models[0]
        self._others = list(models[1:])
        self._began = began
        self._jitter = jitter
        self._failed = 0
        """Tries with this model."""
        self._is_restarted = False
        """Text that was shown has been made void; this is done once."""

    @property
    def models(self) -> tuple[str, ...]:
        """The model that is asked, and those that may follow it."""
        return (self.model, *self._others)

    def pause(self, error: ProviderUnavailable, *, has_text: bool, now: float) -> float:
        """Choose who is asked next and return the seconds until then.

        Raises:
            ProviderUnavailable: `error` itself, when there is nobody left to ask.
        """
        if isinstance(error, ModelResting):
            self._turn_to_another(error)
            return 0.0
        self._failed += 1
        pause = self._wait(error)
        if has_text or self._is_restarted:
            if self._is_restarted or pause > _LONGEST_PAUSE:
                raise error
            self._is_restarted = True
            return pause
        if self._failed < _TRIES and self._is_in_time(pause, now):
            return pause
        self._turn_to_another(error)
        return 0.0

    def _wait(self, error: ProviderUnavailable) -> float:
        jittered = self._jitter() * _FIRST_PAUSE * 2.0 ** (self._failed - 1)
        return jittered if error.after is None else max(error.after, jittered)

    def _is_in_time(self, pause: float, now: float) -> bool:
        return pause <= _LONGEST_PAUSE and now + pause - self._began <= _PATIENCE

    def _turn_to_another(self, error: ProviderUnavailable) -> None:
        if not self._others:
            raise error
        self.model = self._others.pop(0)
        self._failed = 0
