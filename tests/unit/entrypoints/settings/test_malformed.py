"""Whatever is written into a setting, the gateway starts with it or says in one line which setting is wrong."""

import codecs
from pathlib import Path

import pytest

from entrypoints.cli import main as main_module
from entrypoints.ioc.persistence import is_sqlite_behind
from entrypoints.ioc.security import key_ring
from entrypoints.server import bind
from entrypoints.settings.loading import field_types, load_settings
from entrypoints.settings.model import Settings, SettingsError
from entrypoints.settings.reference import reference

VALUES = [
    "abc", "-1", "1.5", "1e99", "nan", "inf", "-inf", "0x10", "99999999999999999999", "tcp://10.0.0.1:8000", "true!",
    "null", "[1, 2]", '{"a": 1}', "http://[::1", "http://", "://", "a b", "\u00e9\u00df", "\U0001f600", "a\tb",
    "x" * 5000, "\udc80", "~nobody-here/x",
    "../..", "postgres://", "postgres://h:port/d", "postgres://u:p@h/d?sslmode=maybe", "sqlite://",
    ",", ",,a", "*", "%", "/dev/null", "/dev/null/x", "redis://h:port", "http://h:port",
    "${HOME}", "1:AAAA", "k:notbase64!", "unix:/tmp/x", "0.0.0.0:80", "::1", "[::1]", "300.1.1.1", "10.0.0.0/99",
]  # fmt: skip


def started_as_far_as_settings_go(environ: dict[str, str], folder: Path) -> Settings:
    settings = load_settings({}, environ | {"OMG_DATA_DIR": environ.get("OMG_DATA_DIR", str(folder / "data"))}, folder)
    if settings.master_keys:
        key_ring(settings)
    is_sqlite_behind(settings)
    return settings


@pytest.mark.parametrize("name", sorted(field_types()))
def test_every_setting_takes_a_value_or_refuses_it_in_one_line_that_names_it(tmp_path: Path, name: str) -> None:
    variable, accepted = f"OMG_{name.upper()}", 0
    for value in VALUES:
        try:
            started_as_far_as_settings_go({variable: value}, tmp_path)
            accepted += 1
        except SettingsError as error:
            message = str(error)
            assert variable in message, (value, message)
            assert "\n" not in message, value
            assert len(message) < 6000
    assert accepted < len(VALUES)  # one is no UTF-8


@pytest.mark.parametrize("name", sorted(field_types()))
def test_every_setting_may_be_empty_or_quoted(tmp_path: Path, name: str) -> None:
    variable = f"OMG_{name.upper()}"
    for empty in ("", " ", '""', "''", "\r"):
        assert load_settings({}, {variable: empty}, tmp_path).sources[name] == "default"
    plain = {"OMG_PORT": "9000", "OMG_LOG_LEVEL": "debug", "OMG_DEMO": "true", "OMG_TIMEOUT_IDLE": "7"}
    quoted = {key: f'"{value}"' for key, value in plain.items()}
    assert load_settings({}, quoted, tmp_path).port == load_settings({}, plain, tmp_path).port == 9000


NUMBERS = [name for name, type_ in field_types().items() if "float" in str(type_)]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400"])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_time_is_endless_or_no_number(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"OMG_{name.upper()}"):
        load_settings({}, {f"OMG_{name.upper()}": value}, tmp_path)


HOSTS = [
    "http://0.0.0.0",
    "a b",
    "x" * 300,
    "0.0.0.0:80",
    "\u00e9.example",
    "a..b",
    "256.256.256.256",
    "[::1]",
    "nowhere.example",
]


@pytest.mark.parametrize("host", HOSTS)
def test_an_address_that_cannot_be_listened_on_is_one_line(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError) as raised:
        bind(load_settings({}, {"OMG_HOST": host, "OMG_PORT": "0"}, tmp_path))

    assert str(raised.value).startswith("OMG_HOST")
    assert "\n" not in str(raised.value)


DOCUMENTS = {
    "UTF-8 with a mark": codecs.BOM_UTF8 + b"OMG_PORT=9000\n",
    "UTF-16, as PowerShell writes it": "\ufeffOMG_PORT=9000\r\n".encode("utf-16-le"),
    "UTF-16, big end first": "\ufeffOMG_PORT=9000\n".encode("utf-16-be"),
    "CRLF": b"OMG_PORT=9000\r\nOMG_LOG_LEVEL=debug\r\n",
    "export": b"export OMG_PORT=9000\n",
    "double quotes": b'OMG_PORT="9000"\n',
    "single quotes": b"OMG_PORT='9000'\n",
    "spaces": b"  OMG_PORT = 9000  \n",
    "a comment behind": b"OMG_PORT=9000 # of the gateway\n",
    "comments and blank lines": b"# a comment\n\n  # another\nOMG_PORT=9000",
    "a line that is none": b"just words\nOMG_PORT=9000\n",
}


@pytest.mark.parametrize("content", DOCUMENTS.values(), ids=DOCUMENTS)
def test_dotenv_is_read_in_every_form_that_it_is_written_in(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)

    assert load_settings({}, {}, tmp_path).port == 9000


@pytest.mark.parametrize("name", [".env", "omg.yaml"])
@pytest.mark.parametrize("content", [b"\xff\x00\xfe", b"OMG_PORT=\x80\x81", b"\xff\xfe\x00"])
def test_a_file_that_is_no_text_is_one_line_that_names_it(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SettingsError, match=rf"^{name}: cannot be read: ") as raised:
        load_settings({}, {}, tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("environ", [{"OMG_PORT": "abc"}, {"OMG_DATABASE_URL": "postgres://u:p@h/d?sslmode=maybe"}])
def test_a_wrong_setting_ends_the_start_with_two_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environ: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["omg", "config", "validate"])
    with pytest.raises(SystemExit) as ended:
        main_module.main()

    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"omg: {next(iter(environ))}")


def test_the_reference_knows_every_setting() -> None:
    assert all(f"`OMG_{name.upper()}`" in reference() for name in field_types())
