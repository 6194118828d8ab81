"""Where settings come from, and what is said of wrong ones."""

from pathlib import Path

import pytest

from domain.secrets import Secret
from entrypoints.settings.loading import load_settings, unknown_variables
from entrypoints.settings.model import SettingsError


def test_defaults_are_the_contracts(tmp_path: Path) -> None:
    settings = load_settings(environ={}, folder=tmp_path)

    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert (settings.auth, settings.availability, settings.log_level) == ("keys", "automatic", "info")
    assert settings.timeouts.connect == 5
    assert settings.database.startswith("sqlite+aiosqlite:////")
    assert set(settings.sources.values()) == {"default"}


def test_later_sources_win_and_each_value_knows_its_own(tmp_path: Path) -> None:
    (tmp_path / "omg.yaml").write_text("port: 1001\nhost: 127.0.0.2\nlog_level: debug\navailability: manual\n")
    (tmp_path / ".env").write_text("OMG_PORT=1002\nOMG_HOST=127.0.0.3\nOMG_LOG_LEVEL=error\n")
    environ = {"OMG_PORT": "1003", "OMG_HOST": "127.0.0.4"}

    settings = load_settings({"port": 1004, "host": None}, environ, tmp_path)

    shown = {name: (getattr(settings, name), settings.sources[name]) for name in ("port", "host", "log_level")}
    assert shown == {
        "port": (1004, "command line"),
        "host": ("127.0.0.4", "environment"),
        "log_level": ("error", ".env"),
    }
    assert (settings.availability, settings.sources["availability"]) == ("manual", "omg.yaml")


def test_a_named_file_is_read_instead_of_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "omg.yaml").write_text("port: 1001\n")
    (tmp_path / "other.yaml").write_text("timeouts:\n  connect: 2.5\n")

    settings = load_settings(environ={"OMG_CONFIG": "other.yaml"}, folder=tmp_path)

    assert settings.port == 8000
    assert settings.timeouts.connect == 2.5
    assert settings.sources["timeout_connect"] == "other.yaml"


def test_blank_variables_are_as_if_unset(tmp_path: Path) -> None:
    settings = load_settings(environ={"OMG_PORT": " ", "OMG_VALKEY_URL": ""}, folder=tmp_path)

    assert settings.port == 8000
    assert settings.sources["port"] == "default"


def test_lists_come_from_commas_or_from_yaml_lists(tmp_path: Path) -> None:
    (tmp_path / "omg.yaml").write_text("allowed_hosts: [a.example, b.example]\n")

    settings = load_settings(environ={"OMG_CORS_ORIGINS": "https://a.example, https://b.example,"}, folder=tmp_path)

    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_values_in_dotenv_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OMG_ADMIN_TOKEN='aB3$HOME-x9-rTq2LmNv7Zw5Ky8Pj4Hd6'\n")

    settings = load_settings(environ={"HOME": "/root"}, folder=tmp_path)

    assert settings.admin_token == Secret("aB3$HOME-x9-rTq2LmNv7Zw5Ky8Pj4Hd6")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"OMG_PORT": "abc"}, "OMG_PORT (environment): must be a whole number, not 'abc'"),
        ({"OMG_PORT": "70000"}, "OMG_PORT (environment): must be at most 65535, not '70000'"),
        ({"OMG_AUTH": "none"}, "OMG_AUTH (environment): must be one of keys, open, not 'none'"),
        ({"OMG_DEMO": "maybe"}, "OMG_DEMO (environment): must be true or false, not 'maybe'"),
        ({"OMG_TIMEOUT_IDLE": "soon"}, "OMG_TIMEOUT_IDLE (environment): must be a number of seconds, not 'soon'"),
        ({"OMG_TIMEOUT_IDLE": "0"}, "OMG_TIMEOUT_IDLE: must be more than 0 and at most 3600 seconds"),
        ({"OMG_CONFIG": "gone.yaml"}, "OMG_CONFIG (environment): there is no file"),
        ({"OMG_DATABASE_URL": "mysql://x"}, "OMG_DATABASE_URL: must start with sqlite+aiosqlite://"),
        ({"OMG_PUBLIC_URL": "gateway"}, "OMG_PUBLIC_URL: must be a URL"),
        *(
            ({"OMG_PUBLIC_URL": f"https://gw.example{path}"}, "OMG_PUBLIC_URL: its path is made of letters")
            for path in ("/a//b", "/a%2Fb", "/a/../b", "/./a", "//a", "/a b", "/ä", "/a;b", "/a?b=c", "?b=c", "/a#b")
        ),
        *(
            (
                {"OMG_PUBLIC_URL": f"https://gw.example/{own}"},
                f"OMG_PUBLIC_URL: '/{own.split('/')[0]}' is an address of",
            )
            for own in ("v1", "v1/", "v1beta", "v2", "app", "admin", "docs", "openapi.json", "openai/x", "metrics/llm")
        ),
        ({"OMG_TRUSTED_PROXIES": "proxy"}, "OMG_TRUSTED_PROXIES: 'proxy' is neither an IP address nor a network"),
    ],
)
def test_a_wrong_value_is_one_line_naming_the_setting(tmp_path: Path, environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(environ=environ, folder=tmp_path)

    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("prot: 1", "prot (omg.yaml): there is no such setting; did you mean 'port'?"),
        ("timeouts: {conect: 1}", "timeouts.conect (omg.yaml): there is no such setting; did you mean 'connect'?"),
        ("timeouts: 5", "timeouts (omg.yaml): expected names and seconds"),
        ("zzz: 1", "zzz (omg.yaml): there is no such setting"),
        ("port: [1]", "OMG_PORT (omg.yaml): must be a whole number"),
        ("- a", "omg.yaml: expected names and values"),
        ("port: [", "omg.yaml: not valid YAML at line "),
        ("providers: {a: {base_ulr: x}}", "providers[0].base_ulr (omg.yaml): there is no such setting; did you mean"),
        ("providers: [{id: a}, {id: a}]", "providers (omg.yaml): 'a' is declared twice"),
        ("providers: [{id: a, keys: [{secret: 'env:GONE'}]}]", "providers[0].keys[0].secret (omg.yaml): the variable"),
        ("providers: [{id: a, priority: high}]", "providers[0].priority (omg.yaml): Expected `int"),
        ("providers: [{id: a, settings: {modles: []}}]", "providers[0].settings.modles (omg.yaml): there is no such"),
    ],
)
def test_a_wrong_file_is_one_line_naming_the_place(tmp_path: Path, document: str, message: str) -> None:
    (tmp_path / "omg.yaml").write_text(document + "\n")

    with pytest.raises(SettingsError) as raised:
        load_settings(environ={}, folder=tmp_path)

    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_the_file_declares_providers_with_keys_from_variables(tmp_path: Path) -> None:
    (tmp_path / "omg.yaml").write_text(
        """
        providers:
          - id: lab
            base_url: http://10.0.0.5:8000/v1
            priority: 5
            settings: {models: [llama], timeouts: {connect: 1}}
            keys: [{secret: "env:LAB_KEY", weight: 3}, {secret: literal-key-in-file, label: spare}]
        """
    )

    settings = load_settings(environ={"LAB_KEY": "lab-key-from-environment"}, folder=tmp_path)

    (provider,) = settings.providers
    assert (provider.id, provider.priority, provider.settings.models) == ("lab", 5, ("llama",))
    assert provider.settings.timeouts.connect == 1
    assert [key.secret.reveal() for key in provider.keys] == ["lab-key-from-environment", "literal-key-in-file"]
    assert [key.weight for key in provider.keys] == [3, 1]


def test_other_variables_keep_their_source_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GROQ_API_KEY=from-file\nMISTRAL_API_KEY=only-in-file\n")

    variables = load_settings(environ={"GROQ_API_KEY": "from-process"}, folder=tmp_path).variables

    assert (variables.get("GROQ_API_KEY"), variables.source("GROQ_API_KEY")) == ("from-process", "environment")
    assert (variables.get("MISTRAL_API_KEY"), variables.source("MISTRAL_API_KEY")) == ("only-in-file", ".env")
    assert variables.get("ABSENT") is None


def test_no_text_form_of_the_settings_shows_a_secret(tmp_path: Path) -> None:
    """S-21."""
    canary = "canary-Zx81Qp-Tr55Lm-0Vb9-Nn4Kk2"
    environ = {
        "OMG_ADMIN_TOKEN": canary,
        "OMG_DATABASE_URL": f"postgresql+asyncpg://u:{canary}@h/d",
        "GROQ_API_KEY": canary,
    }

    settings = load_settings(environ=environ, folder=tmp_path)

    assert canary not in f"{settings!r} {settings} {settings.variables!r}"


def test_variables_that_look_like_settings_are_pointed_out() -> None:
    hints = dict(unknown_variables({"OMG_PROT": "1", "OMG_PORT": "1", "OMG_URL": "http://x", "PATH": "x"}))

    assert hints == {"OMG_PROT": "; did you mean 'OMG_PORT'?"}


def test_host_names_answered_to_are_local_ones_and_the_public_urls(tmp_path: Path) -> None:
    settings = load_settings(environ={"OMG_PUBLIC_URL": "https://gw.example:8443/"}, folder=tmp_path)

    assert settings.hosts == ("localhost", "127.0.0.1", "::1", "gw.example")
    assert settings.address(1234) == "https://gw.example:8443"


@pytest.mark.parametrize(
    ("address", "base_path"),
    [
        ("", ""),
        ("https://gw.example", ""),
        ("https://gw.example/", ""),
        ("https://gw.example/llm/", "/llm"),
        ("https://gw.example/teams/a.b_c~d-e", "/teams/a.b_c~d-e"),
        ("https://gw.example/apps", "/apps"),
    ],
)
def test_the_path_of_the_public_url_is_the_base_path(tmp_path: Path, address: str, base_path: str) -> None:
    settings = load_settings(environ={"OMG_PUBLIC_URL": address}, folder=tmp_path)

    assert settings.base_path == base_path
    if address:
        assert settings.address(1234) == f"https://gw.example{base_path}"


def test_the_address_is_one_a_client_can_use(tmp_path: Path) -> None:
    anywhere = load_settings({"host": "0.0.0.0"}, {}, tmp_path)
    six = load_settings({"host": "::1"}, {}, tmp_path)

    assert anywhere.address(81) == "http://127.0.0.1:81"
    assert six.address() == "http://[::1]:8000"
