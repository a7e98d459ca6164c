"""Every setting of the gateway: frozen, typed, and refusing what it does not know.

Durations are seconds, or a number with `s`, `m`, `h` or `d`. Identities are written
`platform:user_id`, places `platform:conversation_id`; names are refused, as they change hands.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
)

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _parse_duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", value.strip())
    if match is None:
        raise ValueError("must be a duration such as 90, 45s, 30m, 12h or 7d")
    return float(match[1]) * UNITS[match[2] or "s"]


def _check_identity(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]*:[^\s@]+", value):
        raise ValueError("must be platform:id with the platform's own id, never a name")
    return value


Seconds = Annotated[float, BeforeValidator(_parse_duration), Field(gt=0)]
Identity = Annotated[str, AfterValidator(_check_identity)]


class Settings(BaseModel):
    """Base of every settings class."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StoreSettings(Settings):
    """Where everything is kept."""

    url: str | None = None
    """`sqlite:///path`; null means `parley.db` in `data_dir`."""


class CompactionSettings(Settings):
    """When a session's history is folded into a summary."""

    max_tokens: PositiveInt | None = 80_000
    """Fold above this estimate; null leaves folding to `/compact`."""
    keep_tail: PositiveInt = 20
    """Newest entries kept word for word, unless they alone are over `max_tokens`; the cut is
    moved to a user's turn."""


class Price(Settings):
    """What a model costs, for a million tokens."""

    input: NonNegativeFloat
    output: NonNegativeFloat
    cached: NonNegativeFloat | None = None
    """Of a prompt's tokens that the server still had; null means as much as others."""
    cache_write: NonNegativeFloat | None = None
    """Of those that it was told to remember."""


class RoleTools(Settings):
    """Which of an agent's tools its turns may use, by the role of who speaks.

    Owners may use all. Null, elsewhere, means what comes with the tools: guests may use those
    that only read, members and admins those that are not kept for greater roles.
    """

    guest: tuple[str, ...] | None = None
    member: tuple[str, ...] | None = None
    admin: tuple[str, ...] | None = None


class AgentSettings(Settings):
    """One agent: a model, its prompt and its tools."""

    provider: str
    """`anthropic`, `openai` (or any compatible server by `base_url`) or `demo`."""
    model: str = ""
    """Empty means the provider's default."""
    fast_model: str | None = None
    """Writes summaries; null means `model`."""
    fallback_models: tuple[str, ...] = ()
    """Tried in order when the model fails before its first visible word."""
    models: tuple[str, ...] = ()
    """What `/model` may choose, besides `model` and the fallbacks."""
    base_url: str | None = None
    api_key: SecretStr | None = None
    system_prompt: str = "You are a helpful assistant in a chat. Answer briefly and clearly."
    tools: tuple[str, ...] | None = None
    """Names of the tools it may use; null means every builtin tool, `[]` none."""
    tools_for: RoleTools = RoleTools()
    approvals: tuple[str, ...] = ()
    """Tools that run only once who asked has allowed the very call."""
    prices: dict[str, Price] = {}
    """By model; what one without a price costs is not known, and only its tokens count."""
    compaction: CompactionSettings = CompactionSettings()
    chat_timeout: Seconds = 1800.0
    """Longest turn; then the user is told and may go on."""
    idle_timeout: Seconds = 600.0
    """A session's runner is closed after this long without a turn."""
    first_token_timeout: Seconds = 30.0
    token_gap_timeout: Seconds = 60.0
    max_output_tokens: PositiveInt = 8192
    max_steps: PositiveInt = 30
    """Model calls in one turn."""


@dataclass(frozen=True, slots=True)
class IdForm:
    """What the ids of a platform look like; settings write `platform:` before them."""

    pattern: str
    example: str

    def fits(self, told: str) -> bool:
        return re.fullmatch(self.pattern, told) is not None


class AdapterSettings(Settings):
    """What every adapter entry may say; each adapter adds its own.

    Subclasses live in a module that imports no SDK and are named in the entry-point group
    `parley.settings`, so that a configuration can be read without loading any adapter.
    """

    environment: ClassVar[dict[str, str]] = {}
    """Fields, and the well-known variable that fills each when nobody sets it.

    The first of these variables is enough to start an account when no file names any.
    """

    user_ids: ClassVar[IdForm | None] = None
    """Of people; None where any text may be one."""
    place_ids: ClassVar[IdForm | None] = None
    """Of groups and channels."""

    platform: str | None = None
    """Null means that the entry's name is the platform."""
    agent: str | None = None
    """The agent that answers on this account; null means the first."""
    reactions: bool = False
    """Put a sign on each message once it is seen, and when it is answered or has failed, where
    the platform has reactions."""


class PlaceSettings(Settings):
    """How the bot behaves in one group or channel."""

    answer: Literal["mention", "always"] = "mention"
    agent: str | None = None
    model: str | None = None
    """Used here unless `/model` chooses another; null means the agent's."""
    prompt: str | None = None
    """Stands before a conversation here, in place of the agent's `system_prompt`."""
    context: Annotated[int, Field(ge=0, le=100)] = 0
    """How many of the last messages that were not meant for the bot it is told of."""
    tools: tuple[str, ...] | None = None
    """Of its agent's tools, those that may be used here; null means all."""
    roles: dict[Identity, Literal["guest", "member", "admin"]] = {}
    """Roles that hold here, in place of what people are elsewhere; owners stay owners."""


Groups = Literal["off", "open"] | dict[Identity, PlaceSettings] | tuple[Identity, ...]
"""Which places are allowed; of a mapping, with what holds in each."""


class AccessSettings(Settings):
    """Who may talk to the bot."""

    direct_messages: Literal["pairing", "allowlist", "open", "off"] = "pairing"
    groups: Groups = "off"
    owners: tuple[Identity, ...] = ()
    admins: tuple[Identity, ...] = ()
    """People who look after groups; let in everywhere, too."""
    allowlist: tuple[Identity, ...] = ()
    """People let in besides the owners."""


class RetentionSettings(Settings):
    """How long what is kept is kept; null is for good."""

    records: Annotated[Seconds, Field(ge=7 * 86_400)] = 30 * 86_400.0
    """What was received and sent, by which repeats are known."""
    conversations: Seconds | None = None
    """A conversation, from the last word that was said in it."""
    files: Seconds | None = None
    """Files of people and groups, from their last change; skills stay."""
    usage: Annotated[Seconds, Field(ge=32 * 86_400)] | None = None
    """What was spent. Budgets of a month need it for longer than that."""
    forget_after: Seconds = 86_400.0
    """How long after `/forget` everything of a person is erased."""


class LogSettings(Settings):
    """What is logged to standard error; never message text, names or secrets."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] | None = None
    """Null means console on a terminal, JSON elsewhere."""


class Budget(Settings):
    """The most that may be spent in a day or a month; null is no bound."""

    tokens: PositiveInt | None = None
    money: PositiveFloat | None = None
    """In the currency of the prices."""


class BudgetSettings(Settings):
    """Caps on spending; days and months are those of UTC."""

    currency: str = "USD"
    """What prices and budgets are written in; it is only shown."""
    per_person_day: Budget | None = None
    per_person_month: Budget | None = None
    per_place_day: Budget | None = None
    per_place_month: Budget | None = None
    total_day: Budget | None = None
    total_month: Budget | None = None


class RateLimits(Settings):
    """How many messages are taken in a minute; null is no bound. Owners have none."""

    guest: PositiveInt | None = 10
    member: PositiveInt | None = 60
    """Admins as well."""
    place: PositiveInt | None = 120
    """Of all in one group together."""


class QueueSettings(Settings):
    """How much may wait before a message is refused with a word about it, and how much runs."""

    per_session: PositiveInt = 20
    per_person: PositiveInt = 50
    in_all: PositiveInt = 10_000
    at_once: PositiveInt = 1_000
    """Turns that run at once; when more wait, people take turns, however much each has sent."""


class GatewaySettings(Settings):
    """The whole configuration."""

    data_dir: Path = Path("data")
    """Database, workspaces and files; created with mode 0700."""
    store: StoreSettings = StoreSettings()
    agents: dict[str, AgentSettings] = {}
    """The first is the default; without any, the offline demo answers."""
    adapters: dict[str, dict[str, Any]] = {}
    """Checked by each adapter's own settings class."""
    access: AccessSettings = AccessSettings()
    queues: QueueSettings = QueueSettings()
    rate_limits: RateLimits = RateLimits()
    budgets: BudgetSettings = BudgetSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()
    drain_timeout: Seconds = 30.0
    """How long running turns may take to end after SIGTERM."""
