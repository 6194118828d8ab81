"""`omg setup`: what it prints can be pasted as it is."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli.main import omg

KEY = "sk-omg-canary"


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, **environ: str) -> Result:
    clean: dict[str, str | None] = dict.fromkeys(("OMG_URL", "OMG_PORT", "OMG_BOOTSTRAP_KEY"))
    return CliRunner().invoke(omg, ["setup", *arguments], env=clean | environ)


def exported(result: Result) -> dict[str, str]:
    assert result.exit_code == 0
    lines = [line.removeprefix("export ") for line in result.stdout.splitlines() if line.startswith("export ")]
    return {name: value.strip('"') for name, value in (line.split("=", 1) for line in lines)}


def test_claude_code_gets_the_url_without_v1_and_a_bearer_token() -> None:
    found = exported(run("claude", "--url", "http://gw.example:9/v1/", "--key", KEY, "--model", "a/b"))

    assert (found["ANTHROPIC_BASE_URL"], found["ANTHROPIC_AUTH_TOKEN"]) == ("http://gw.example:9", KEY)
    assert {value for name, value in found.items() if name.endswith("_MODEL")} == {"a/b"}


def test_a_small_model_does_claude_codes_background_work() -> None:
    found = exported(run("claude", "--model", "large", "--small-model", "small"))

    assert (found["ANTHROPIC_DEFAULT_HAIKU_MODEL"], found["ANTHROPIC_DEFAULT_OPUS_MODEL"]) == ("small", "large")


def test_codex_gets_a_file_that_can_be_read() -> None:
    result = run("codex", "--key", KEY, OMG_PORT="8123")

    settings = tomllib.loads(result.stdout)
    assert (settings["model"], settings["model_provider"]) == ("auto", "omg")
    assert settings["model_providers"]["omg"]["base_url"] == "http://127.0.0.1:8123/v1"
    assert settings["model_providers"]["omg"]["wire_api"] == "responses"
    assert settings["model_providers"]["omg"]["supports_websockets"] is False
    assert f'export OMG_KEY="{KEY}"' in result.stdout


@pytest.mark.parametrize("client", ["claude", "codex", "opencode", "crush", "qwen", "copilot", "gemini"])
def test_url_and_key_are_found_in_the_environment_and_a_missing_key_is_told(client: str) -> None:
    found = run(client, OMG_URL="https://gw.example", OMG_BOOTSTRAP_KEY=KEY)
    missing = run(client)

    assert "https://gw.example" in found.stdout
    assert KEY in found.stdout
    assert found.stderr == ""
    assert "omg keys create" in missing.stderr


@pytest.mark.parametrize("client", ["opencode", "crush"])
def test_clients_with_a_settings_file_get_one_that_can_be_read_and_holds_no_key(client: str) -> None:
    result = run(client, "--url", "http://gw.example:9", "--key", KEY, "--model", "a/b")

    settings = "\n".join(line for line in result.stdout.splitlines() if not line.startswith("#"))
    assert '"http://gw.example:9/v1"' in json.dumps(json.loads(settings))
    assert KEY not in settings
    assert f'export OMG_KEY="{KEY}"' in result.stdout


@pytest.mark.parametrize("client", ["opencode", "crush", "qwen", "copilot", "gemini"])
def test_what_was_not_tried_is_said_to_be_so(client: str) -> None:
    assert "not tried" in run(client, "--key", KEY).stdout


def test_clients_that_read_variables_get_the_url_with_v1() -> None:
    qwen = exported(run("qwen", "--url", "http://gw.example:9", "--key", KEY, "--model", "a/b"))
    copilot = exported(run("copilot", "--url", "http://gw.example:9", "--key", KEY, "--model", "a/b"))

    assert (qwen["OPENAI_BASE_URL"], qwen["OPENAI_API_KEY"], qwen["OPENAI_MODEL"]) == (
        "http://gw.example:9/v1",
        KEY,
        "a/b",
    )
    assert (copilot["COPILOT_PROVIDER_BASE_URL"], copilot["COPILOT_MODEL"]) == ("http://gw.example:9/v1", "a/b")
