"""Packages that a test pretends are installed."""

from typing import ClassVar, Literal

from pydantic import PositiveInt, SecretStr
from typing_extensions import override

from gateway.config.installed import Installed
from gateway.errors import ConfigInvalid
from gateway.settings import AdapterSettings, IdForm


class ParrotSettings(AdapterSettings):
    """An account of an invented platform."""

    environment: ClassVar[dict[str, str]] = {"token": "PARROT_BOT_TOKEN", "app": "PARROT_APP"}
    user_ids: ClassVar[IdForm | None] = IdForm(r"\d+", "17")
    place_ids: ClassVar[IdForm | None] = IdForm(r"-\d+", "-5")

    token: SecretStr
    app: SecretStr | None = None
    mode: Literal["polling", "webhook"] = "polling"
    perches: PositiveInt = 1


class OwlSettings(AdapterSettings):
    """An account that needs nothing."""


class FakeInstalled(Installed):
    """Offers two platforms that work and one that cannot be loaded."""

    @override
    def platforms(self) -> tuple[str, ...]:
        return ("broken", "owl", "parrot")

    @override
    def providers(self) -> tuple[str, ...]:
        return ("demo", "mind", "oracle")

    @override
    def settings_type(self, platform: str) -> type[AdapterSettings]:
        if platform == "broken":
            raise ConfigInvalid("", "`broken` cannot be loaded: no module named feathers")
        return ParrotSettings if platform == "parrot" else OwlSettings

    @override
    def key_variables(self) -> dict[str, str]:
        return {"mind": "MIND_KEY", "oracle": "ORACLE_KEY"}
