from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TELEGRAM_BOT_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "PARLEY_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def check(text: str, *options: str) -> Result:
    Path("config.yaml").write_text(text)
    return CliRunner().invoke(main, ["check", "--config", "config.yaml", *options])


def test_good_settings_are_shown(tmp_path: Path) -> None:
    result = check(
        "agents:\n"
        "  main: {provider: demo}\n"
        "  other: {provider: openai, model: some-model, api_key: none}\n"
        "adapters: {terminal: {platform: local, agent: other}}\n"
        "access: {owners: ['telegram:1'], groups: ['telegram:2']}\n"
    )
    assert result.exit_code == 0
    assert [line.split(maxsplit=2) for line in result.stdout.splitlines()] == [
        ["what", "name", "how"],
        ["agent", "main", "demo (its default model)"],
        ["agent", "other", "openai some-model"],
        ["account", "terminal", "local, answered by other"],
        ["access", "direct", "messages  pairing"],
        ["access", "groups", "1 allowed"],
        ["access", "owners", "telegram:1"],
        ["data", "directory", f"{tmp_path}/data"],
        ["data", "store", "parley.db in the directory"],
        ["The", "settings", "are good."],
    ]
    assert "none" not in result.stdout
    assert result.stderr.startswith("warning: agents.other.api_key: is in clear text")


def test_problems_are_all_told_and_the_code_is_two() -> None:
    result = check("agents: {main: {provider: dmo}, b: {}}\nadapters: {disco: {}}\n")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        (
            "parley: adapters.disco: there is no adapter for `disco` in this version; "
            "did you mean `discord`?"
        ),
        "parley: agents.b.provider: must be set",
    ]
    assert result.stdout == ""


def test_a_tool_that_is_not_there_is_a_problem() -> None:
    assert check("agents: {main: {provider: demo, tools: [now]}}").exit_code == 0
    result = check("agents: {main: {provider: demo, tools: [now, nwo]}}")
    assert result.exit_code == 2
    assert result.stderr.startswith("parley: agents.main.tools: there is no tool `nwo`")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("agents: {main: {provider: demo, approvals: [edit_fiel]}}", "agents.main.approvals"),
        (
            "agents: {main: {provider: demo, tools_for: {guest: [x]}}}",
            "agents.main.tools_for.guest",
        ),
        ("access: {groups: {'telegram:-5': {tools: [x]}}}", "access.groups.telegram:-5.tools"),
    ],
)
def test_nor_may_a_tool_be_named_elsewhere_that_is_not_there(text: str, path: str) -> None:
    result = check(text)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"parley: {path}: there is no tool `")


def test_a_store_that_is_no_file_is_a_problem() -> None:
    result = check("store: {url: 'postgresql://localhost/parley'}")
    assert result.exit_code == 2
    assert result.stderr.startswith("parley: store.url: must be sqlite:///path")


def test_a_file_that_is_not_there() -> None:
    result = CliRunner().invoke(main, ["check", "--config", "nowhere.yaml"])
    assert (result.exit_code, result.stderr) == (2, "parley: nowhere.yaml: there is no such file\n")


def test_the_file_may_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.yaml").write_text("agents: {ada: {provider: demo}}\nadapters: {}")
    monkeypatch.setenv("PARLEY_CONFIG", "mine.yaml")
    result = CliRunner().invoke(main, ["check"])
    assert "ada" in result.stdout
    assert "only `parley chat` can run" in result.stderr


def test_t45_a_token_is_never_printed() -> None:
    result = check("adapters: {telegram: {token: '123456:canary-token-value'}}")
    assert result.exit_code == 0
    assert "canary" not in result.output


def test_a_model_without_a_key_is_told() -> None:
    result = check("agents:\n  main: {provider: openai}\nadapters: {local: {}}\n")
    assert result.exit_code == 2
    assert "agents.main.api_key: is missing" in result.output
