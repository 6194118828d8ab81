"""The commands that need no running gateway, and what the others say where there is none."""

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.persistence import schema
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, well_formed
from entrypoints.cli.main import COMMANDS, main, omg
from entrypoints.settings.model import SettingsError

TOKEN = "Vq8mZ2xK7tR4wB9cN6pL3sD5fH1jG0aY"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Runner":
    monkeypatch.chdir(tmp_path)
    return Runner()


_SETTINGS = ("OMG_URL", "OMG_PORT", "OMG_ADMIN_TOKEN", "OMG_DATA_DIR", "OMG_CONFIG")


class Runner:
    """Runs `omg` in this process, in an empty folder."""

    def __call__(self, *arguments: str, **environ: str) -> Result:
        clean: dict[str, str | None] = dict.fromkeys(_SETTINGS)
        return CliRunner().invoke(omg, arguments, env=clean | environ, catch_exceptions=True)


@pytest.mark.slow
def test_help_lists_every_command_and_imports_none_of_them() -> None:
    """The start-up budget is also the help's."""
    script = (
        "import sys; from entrypoints.cli.main import omg\n"
        "try: omg(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('litestar', 'sqlalchemy', 'httpx', 'rich', 'uvicorn', 'yaml') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert all(name in done.stdout for name in COMMANDS)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Runner, name: str) -> None:
    result = run(name, "--help")

    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_an_unknown_command_is_wrong_usage(run: Runner) -> None:
    assert run("sing").exit_code == 2


def test_settings_are_shown_with_their_source_and_without_secrets(run: Runner) -> None:
    result = run("config", "show", "--json", OMG_ADMIN_TOKEN=TOKEN, OMG_PORT="81", GROQ_API_KEY="gsk-0123456789abcdef")

    rows = {row["setting"]: row for row in map(json.loads, result.output.splitlines())}
    assert rows["OMG_PORT"] == {"setting": "OMG_PORT", "value": 81, "source": "environment"}
    assert rows["OMG_TIMEOUT_IDLE"]["value"] == 30.0
    assert rows["OMG_ADMIN_TOKEN"]["value"] == f"***{TOKEN[-4:]}"
    assert rows["GROQ_API_KEY"] == {"setting": "GROQ_API_KEY", "value": "***cdef", "source": "environment"}
    assert TOKEN not in result.output


def test_validation_reads_the_declared_providers_too(run: Runner) -> None:
    assert run("config", "validate").exit_code == 0
    Path("omg.yaml").write_text("providers: [{id: lab}]")

    assert isinstance(run("config", "validate").exception, SettingsError)
    assert isinstance(run("config", "validate", OMG_MASTER_KEYS="k1:AAAA").exception, SettingsError)


def test_validation_makes_nothing(run: Runner, tmp_path: Path) -> None:
    run("config", "validate")

    assert [*tmp_path.iterdir()] == []


def test_generated_secrets_pass_the_checks(run: Runner) -> None:
    """S-11."""
    made = dict(line.split("=", 1) for line in run("secrets", "generate").output.splitlines())

    assert well_formed(made["OMG_ADMIN_TOKEN"], ADMIN_TOKEN_PREFIX)
    assert well_formed(made["OMG_BOOTSTRAP_KEY"], VIRTUAL_KEY_PREFIX)
    assert len(base64.b64decode(made["OMG_MASTER_KEYS"].split(":")[1])) == 32
    assert run("config", "validate", **made).exit_code == 0


def test_the_database_is_checked_made_copied_and_put_back(run: Runner, tmp_path: Path) -> None:
    assert run("db", "check").exit_code == 1

    assert run("db", "upgrade").exit_code == 0
    assert run("db", "check").exit_code == 0
    assert run("db", "backup", "copy.db").exit_code == 0
    assert run("db", "backup", "copy.db").exit_code == 1
    assert run("db", "restore", "copy.db", "--yes").exit_code == 0
    assert (tmp_path / "data" / "omg.db").exists()


def test_a_plan_says_what_an_upgrade_would_do_and_does_nothing(run: Runner, tmp_path: Path) -> None:
    of_nothing = run("db", "upgrade", "--plan")
    assert not (tmp_path / "data").exists()
    url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'omg.db'}"
    asyncio.run(schema.migrate(url, "0008"))
    contracting = run("db", "upgrade", "--plan")
    asyncio.run(schema.migrate(url, "0032"))
    expanding, as_json = run("db", "upgrade", "--plan"), run("db", "upgrade", "--plan", "--json")
    assert run("db", "check").exit_code == 1
    run("db", "upgrade")

    assert (of_nothing.exit_code, contracting.exit_code, expanding.exit_code) == (3, 4, 3)
    assert "[contracts tenants.updated_at]\n" in contracting.output
    assert "Stop every process of a version before schema 0009 first" in contracting.output
    assert "\n      new table schema_history\n" in expanding.output
    assert "may stay" in expanding.output
    plan = json.loads(as_json.output)
    assert (plan["current"], plan["running_may_stay"], plan["migrations"][0]["kind"]) == ("0032", True, "expand")
    assert run("db", "upgrade", "--plan").exit_code == 0
    assert run("db", "upgrade", "--json").exit_code == 2


def test_a_new_master_key_is_put_before_the_old_one(run: Runner, tmp_path: Path) -> None:
    run("db", "upgrade")
    first = run("secrets", "rotate")
    ring = (tmp_path / "data" / "master.key").read_text()
    again = run("secrets", "rotate")

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert (tmp_path / "data" / "master.key").read_text().strip().endswith(ring.strip())
    assert (tmp_path / "data" / "master.key").stat().st_mode & 0o777 == 0o600


def test_the_doctor_finds_what_others_may_read(run: Runner, tmp_path: Path) -> None:
    run("db", "upgrade")
    well = run("doctor", "--offline")
    (tmp_path / "data").chmod(0o755)

    ill = run("doctor", "--offline")

    assert well.exit_code == 0, well.output
    assert ill.exit_code == 1
    assert "FAIL  mode of data" in ill.output


def test_the_doctor_changes_nothing_before_the_first_start(run: Runner, tmp_path: Path) -> None:
    result = run("doctor")

    assert result.exit_code == 0, result.output
    assert [*tmp_path.iterdir()] == []


def test_the_doctor_asks_declared_providers_and_tells_what_fails(run: Runner) -> None:
    Path("omg.yaml").write_text("providers: [{id: gone, base_url: 'http://127.0.0.1:9/v1', keys: [{secret: k}]}]")

    result = run("doctor")

    assert result.exit_code == 1
    assert "FAIL  provider gone" in result.output


def test_the_doctor_never_takes_a_reference_for_the_secret_itself(run: Runner) -> None:
    """It sent `vault:…` to the provider as its key, and said that the provider refused it."""
    Path("omg.yaml").write_text(
        "providers: [{id: far, base_url: 'http://127.0.0.1:9', keys: [{secret: 'vault:kv/a#b'}]}]"
    )

    result = run("doctor", VAULT_ADDR="http://127.0.0.1:9", VAULT_TOKEN="t")

    assert result.exit_code == 1
    assert "FAIL  providers" in result.output
    assert "of provider 'far'" in result.output
    assert "FAIL  provider far" not in result.output


def test_without_an_admin_token_the_settings_are_wrong(run: Runner) -> None:
    assert isinstance(run("keys", "list").exception, SettingsError)


@pytest.mark.parametrize(
    "command", [("keys", "list"), ("providers", "list"), ("models", "list"), ("keys", "revoke", "k")]
)
def test_a_gateway_that_is_not_there_is_said_to_be_missing(run: Runner, command: tuple[str, ...]) -> None:
    result = run(*command, OMG_ADMIN_TOKEN=TOKEN, OMG_URL="http://127.0.0.1:9")

    assert result.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:9" in result.output
    assert "omg serve" in result.output


def test_wrong_settings_exit_with_two_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMG_PORT", "eighty")
    monkeypatch.setattr(sys, "argv", ["omg", "config", "show"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert capsys.readouterr().err == "omg: OMG_PORT (environment): must be a whole number, not 'eighty'\n"
