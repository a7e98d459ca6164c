import os
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from gateway.config import LoadedSettings, load_settings
from gateway.errors import ConfigInvalid
from tests.fakes.installed import FakeInstalled, ParrotSettings

CANARY = "7391:canary-Zq4xT9vLm2"


def load(path: Path | None = None, **environ: str) -> LoadedSettings:
    return load_settings(path, environ, FakeInstalled())


def refused(text: str, tmp_path: Path, **environ: str) -> list[str]:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        load(file, **environ)
    return str(caught.value).splitlines()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def test_nothing_at_all_is_the_offline_demo_without_accounts() -> None:
    settings = load().settings
    assert settings.agents["main"].provider == "demo"
    assert settings.adapters == {}


def test_an_empty_file_says_as_much_as_none(config: Path) -> None:
    config.write_text("# all is commented out\naccess:\n")
    assert load(config, MIND_KEY="k" * 20).settings.agents["main"].provider == "mind"


def test_well_known_variables_are_enough_to_start() -> None:
    loaded = load(PARROT_BOT_TOKEN=CANARY, ORACLE_KEY="o" * 20)
    assert loaded.settings.agents["main"].provider == "oracle"
    assert loaded.settings.agents["main"].api_key == SecretStr("o" * 20)
    account = ParrotSettings.model_validate(loaded.settings.adapters["parrot"])
    assert account.token.get_secret_value() == CANARY
    assert account.platform == "parrot"
    assert {CANARY, "o" * 20} <= loaded.secrets


def test_the_first_provider_with_a_key_answers() -> None:
    assert load(ORACLE_KEY="o", MIND_KEY="m").settings.agents["main"].provider == "mind"


def test_an_account_starts_by_its_first_variable_only() -> None:
    assert load(PARROT_APP="app").settings.adapters == {}


def test_a_token_without_an_adapter_is_warned_about() -> None:
    assert load(HERON_BOT_TOKEN="t").warnings == (
        "adapter `broken` cannot be loaded: no module named feathers",
        "HERON_BOT_TOKEN is set, but this version has no adapter that uses it",
    )


def test_variables_fill_what_a_file_leaves_out(config: Path) -> None:
    config.write_text("agents: {a: {provider: mind}}\nadapters: {bird: {platform: parrot}}\n")
    loaded = load(config, MIND_KEY="m", PARROT_BOT_TOKEN=CANARY, ORACLE_KEY="o")
    assert loaded.settings.agents["a"].api_key == SecretStr("m")
    assert loaded.settings.adapters == {
        "bird": {"platform": "parrot", "token": SecretStr(CANARY)},
    }
    assert not loaded.warnings


def test_a_key_that_goes_to_another_server_is_pointed_out(config: Path) -> None:
    config.write_text("agents: {a: {provider: mind, base_url: http://x}}\nadapters: {}\n")
    assert load(config, MIND_KEY="m").warnings == (
        "agents.a.api_key: MIND_KEY is sent to its `base_url`",
    )


def test_a_file_that_names_no_adapters_on_purpose_gets_none(config: Path) -> None:
    config.write_text("adapters: {}")
    assert load(config, PARROT_BOT_TOKEN=CANARY).settings.adapters == {}


def test_references_are_expanded_and_keep_their_value_out_of_sight(config: Path) -> None:
    config.write_text(
        "adapters: {parrot: {token: '${MY_TOKEN}'}}\n"
        "agents: {a: {provider: demo, system_prompt: 'Costs $${5}, ${NAME}.'}}\n"
    )
    loaded = load(config, MY_TOKEN=CANARY, NAME="Ada")
    assert loaded.settings.agents["a"].system_prompt == "Costs ${5}, Ada."
    assert loaded.settings.adapters["parrot"]["token"].get_secret_value() == CANARY
    assert CANARY not in repr(loaded.settings)
    assert loaded.secrets == {CANARY}


def test_secrets_are_known_even_in_settings_that_are_none(config: Path) -> None:
    config.write_text("agents: {a: {provider: demo, base_url: 'http://u:${DB_PASSWORD}@h'}}")
    assert load(config, DB_PASSWORD="hunter22").secrets == {"hunter22"}


def test_every_problem_is_listed_with_its_path(tmp_path: Path) -> None:
    lines = refused(
        "agents:\n"
        "  main: {provider: demo, compaction: {keep_tail: 0, max_token: 4}}\n"
        "  second:\n"
        "  third: {provider: mnd, chat_timeout: 12 parsecs}\n"
        "adapters:\n"
        "  parrot: {mode: carrier, perch: 2}\n"
        "  disco: {}\n"
        "access: {direct_messages: closed, groups: [bad], owners: [Parrot:x]}\n"
        "queues: 7\n"
        "log: {level: loud}\n"
        "drain_timeout: -1\n",
        tmp_path,
    )
    assert lines == [
        "adapters.parrot.token: must be set, here or as PARROT_BOT_TOKEN in the environment",
        "adapters.parrot.mode: must be polling or webhook (got `carrier`)",
        "adapters.parrot.perch: is no setting; did you mean `perches`?",
        (
            "adapters.disco: there is no adapter for `disco` in this version; "
            "known here: broken, owl, parrot"
        ),
        "agents.main.compaction.keep_tail: must be at least 1 (got 0)",
        "agents.main.compaction.max_token: is no setting; did you mean `max_tokens`?",
        "agents.second.provider: must be set",
        (
            "agents.third.chat_timeout: must be a duration such as 90, 45s, 30m, 12h or 7d "
            "(got `12 parsecs`)"
        ),
        "access.direct_messages: must be pairing, allowlist, open or off (got `closed`)",
        "access.groups.0: must be platform:id with the platform's own id, never a name (got `bad`)",
        (
            "access.owners.0: must be platform:id with the platform's own id, never a name "
            "(got `Parrot:x`)"
        ),
        "queues: must be a mapping of settings (got 7)",
        "log.level: must be debug, info, warning or error (got `loud`)",
        "drain_timeout: must be above 0 (got -1)",
    ]


def test_a_bound_is_told_as_its_value_was_written(tmp_path: Path) -> None:
    lines = refused("retention: {records: 1d, usage: 100}", tmp_path)
    assert lines == [
        "retention.records: must be at least 7d (got `1d`)",
        "retention.usage: must be at least 2764800 (got 100)",
    ]


def test_names_that_nothing_stands_behind_are_refused(tmp_path: Path) -> None:
    assert refused(
        "agents: {main: {provider: demmo}}\n"
        "adapters: {owl: {agent: mian}, nest: {platform: parot}}\n"
        "access: {groups: {'owl:1': {agent: other}}}\n",
        tmp_path,
    ) == [
        (
            "adapters.nest.platform: there is no adapter for `parot` in this version; "
            "did you mean `parrot`?"
        ),
        "agents.main.provider: there is no provider `demmo`; did you mean `demo`?",
        "adapters.owl.agent: there is no agent `mian`; did you mean `main`?",
        "access.groups.owl:1.agent: there is no agent `other`; known here: main",
    ]


def test_an_adapter_that_cannot_be_loaded_is_a_problem_only_when_used(tmp_path: Path) -> None:
    assert refused("adapters: {broken: {}}", tmp_path) == [
        "adapters.broken: `broken` cannot be loaded: no module named feathers"
    ]


def test_missing_variables_are_named_with_the_setting_that_wants_them(tmp_path: Path) -> None:
    lines = refused(
        "adapters: {parrot: {token: '${NOPE}', app: '${not a name}'}}\n"
        "agents: {a: {provider: demo, fallback_models: [x, '${EMPTY}']}}",
        tmp_path,
        EMPTY="",
    )
    assert lines == [
        "adapters.parrot.token: the environment variable NOPE is not set or empty",
        "adapters.parrot.app: `${not a name}` must name an environment variable",
        "agents.a.fallback_models.1: the environment variable EMPTY is not set or empty",
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"adapters: {{parrot: {{token: ['{CANARY}']}}}}",
        f"adapters: {{parrot: {{token: t, tken: '{CANARY}'}}}}",
        "adapters: {parrot: {token: t, mode: '${SECRET}'}}",
        "adapters: {parrot: {token: 73910000}}",
        f"agents: {{a: {{provider: demo, chat_timeout: '{CANARY}-{CANARY}'}}}}",
    ],
)
def test_t45_a_secret_in_the_wrong_place_is_not_printed(text: str, tmp_path: Path) -> None:
    (line,) = refused(text, tmp_path, SECRET="73910000")
    assert "7391" not in line


def test_one_token_cannot_serve_two_accounts(tmp_path: Path) -> None:
    assert refused(
        "adapters: {one: {platform: parrot}, two: {platform: parrot}}",
        tmp_path,
        PARROT_BOT_TOKEN=CANARY,
    ) == ["adapters.two.token: is the same as that of adapters.one; every account needs its own"]


def test_a_secret_in_clear_text_gets_a_warning(config: Path) -> None:
    config.write_text(f"adapters: {{parrot: {{token: '{CANARY}', app: '${{APP}}'}}}}")
    config.chmod(0o600)
    warning = "adapters.parrot.token: is in clear text; keep it in a variable and write ${NAME}"
    assert [line.startswith(warning) for line in load(config, APP="a").warnings] == [True]
    config.chmod(0o644)
    warnings = load(config, APP="a").warnings
    assert warnings[1] == (
        f"{config}: holds secrets and can be read by other users; run `chmod 600 {config}`"
    )
    assert CANARY not in "".join(warnings)


def test_a_file_without_secrets_may_be_read_by_anyone(config: Path) -> None:
    config.write_text("adapters: {parrot: {token: '${TOKEN}'}}")
    config.chmod(0o644)
    assert load(config, TOKEN=CANARY).warnings == ()


@pytest.mark.parametrize(
    ("access", "start"),
    [
        ("{direct_messages: open}", "access.direct_messages: `open` lets anybody"),
        ("{direct_messages: allowlist}", "access.allowlist: is empty, and so are the owners"),
        ("{owners: ['crow:1']}", "access.owners: crow:1 is on no platform of this version"),
    ],
)
def test_what_is_hardly_meant_gets_a_warning(access: str, start: str, config: Path) -> None:
    config.write_text(f"adapters: {{}}\naccess: {access}")
    (warning,) = load(config).warnings
    assert warning.startswith(start)


def test_ids_that_look_like_none_get_a_warning(config: Path) -> None:
    roles = "{'parrot:1': admin, 'parrot:eve': guest}"
    config.write_text(
        f"adapters: {{parrot: {{token: '${{TOKEN}}'}}, owl: {{}}}}\n"
        "access:\n"
        "  owners: ['parrot:17', 'parrot:ann', 'owl:ann']\n"
        f"  groups: {{'parrot:-5': {{roles: {roles}}}, 'parrot:5': {{}}, 'owl:den': {{}}}}\n"
    )
    assert load(config, TOKEN=CANARY).warnings == (
        "access.owners: parrot:ann does not look like an id of parrot, such as parrot:17",
        "access.groups: parrot:5 does not look like an id of parrot, such as parrot:-5",
        (
            "access.groups.parrot:-5.roles: parrot:eve does not look like an id of parrot, "
            "such as parrot:17"
        ),
    )


def test_relative_paths_start_at_the_file(config: Path) -> None:
    config.write_text("data_dir: state\nstore: {url: 'sqlite:///db/parley.db'}")
    settings = load(config).settings
    assert settings.data_dir == config.parent / "state"
    assert settings.store.url == f"sqlite:///{config.parent}/db/parley.db"


def test_absolute_paths_and_home_stay(config: Path) -> None:
    config.write_text("data_dir: ~/state\nstore: {url: 'sqlite:////var/parley.db'}")
    settings = load(config).settings
    assert settings.data_dir == Path.home() / "state"
    assert settings.store.url == "sqlite:////var/parley.db"


def test_the_data_directory_may_come_from_the_environment(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load().settings.data_dir == tmp_path / "data"
    assert load(PARLEY_DATA_DIR="/srv/parley").settings.data_dir == Path("/srv/parley")
    config.write_text("data_dir: mine")
    assert load(config, PARLEY_DATA_DIR="/srv").settings.data_dir == tmp_path / "mine"


def test_the_real_packages_are_found() -> None:
    loaded = load_settings(None, {"OPENAI_API_KEY": "k" * 20})
    assert loaded.settings.agents["main"].provider == "openai"
    both = load_settings(None, {"OPENAI_API_KEY": "k" * 20, "ANTHROPIC_API_KEY": "a" * 20})
    assert both.settings.agents["main"].provider == "anthropic"


def test_what_was_loaded_can_be_loaded_by_the_adapter_again(config: Path) -> None:
    config.write_text("adapters: {parrot: {token: '${T}', perches: '3', agent: main}}")
    entry = load(config, T=CANARY, **os.environ).settings.adapters["parrot"]
    assert ParrotSettings.model_validate(entry).perches == 3


def test_a_budget_in_money_needs_prices(tmp_path: Path) -> None:
    agent = {"provider": "anthropic", "model": "big", "fast_model": "small", "api_key": "${KEY}"}
    priced = {**agent, "prices": {"big": {"input": 1, "output": 2}}}
    for given, unpriced in ((agent, ["`big`", "`small`"]), (priced, ["`small`"])):
        file = tmp_path / "parley.yaml"
        document = {"agents": {"main": given}, "budgets": {"total_day": {"money": 5}}}
        file.write_text(yaml.safe_dump(document))
        warnings = load_settings(file, {"KEY": "k" * 20}).warnings
        doubts = [one for one in warnings if "has no price" in one]
        assert [one.split(": ")[1].split(" has")[0] for one in doubts] == unpriced


def test_a_budget_has_room_for_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "parley.yaml"
    agent = {"provider": "demo", "max_output_tokens": 1_000}
    for tokens, is_doubted in ((1_000, True), (5_000, False)):
        document = {"agents": {"main": agent}, "budgets": {"per_person_day": {"tokens": tokens}}}
        file.write_text(yaml.safe_dump(document))
        warnings = load_settings(file, {}).warnings
        assert any("has no room for one answer" in one for one in warnings) is is_doubted
