"""Settings that would start an unsafe or broken gateway are refused (S-11)."""

from pathlib import Path

import pytest

from domain.keys import VIRTUAL_KEY_PREFIX, generate_key
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import SettingsError

STRONG = "Vq8mZ2xK7tR4wB9cN6pL3sD5fH1jG0aY"


def refusal(environ: dict[str, str], folder: Path) -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings(environ=environ, folder=folder)
    return str(raised.value)


@pytest.mark.parametrize("name", ["OMG_ADMIN_TOKEN", "OMG_BOOTSTRAP_KEY"])
@pytest.mark.parametrize(
    "weak",
    ["tiny-7", "a" * 16, "a" * 64, "change-me-change-me-change-me-change-me", "sk-your-own-key-goes-in-here-0987"],
)
def test_short_and_example_secrets_are_refused_and_not_repeated(tmp_path: Path, name: str, weak: str) -> None:
    message = refusal({name: weak}, tmp_path)

    assert message.startswith(f"{name}: ")
    assert "omg secrets generate" in message
    assert weak not in message


@pytest.mark.parametrize("name", ["OMG_ADMIN_TOKEN", "OMG_BOOTSTRAP_KEY"])
def test_an_operator_may_choose_a_strong_secret_of_any_form(tmp_path: Path, name: str) -> None:
    assert load_settings(environ={name: STRONG}, folder=tmp_path).sources[name.lower()[4:]] == "environment"


def test_a_virtual_key_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    good = generate_key(VIRTUAL_KEY_PREFIX).reveal()

    assert load_settings(environ={"OMG_BOOTSTRAP_KEY": good}, folder=tmp_path).bootstrap_key.reveal() == good
    assert "checksum" in refusal({"OMG_BOOTSTRAP_KEY": good[:-6] + "000000"}, tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "gateway.example"])
def test_open_access_is_refused_off_loopback(tmp_path: Path, host: str) -> None:
    assert refusal({"OMG_AUTH": "open", "OMG_HOST": host}, tmp_path).startswith("OMG_AUTH: ")


def test_open_access_is_allowed_elsewhere_where_one_says_so(tmp_path: Path) -> None:
    environ = {"OMG_AUTH": "open", "OMG_HOST": "0.0.0.0", "OMG_OPEN_ON_NETWORK": "true"}

    assert load_settings(environ=environ, folder=tmp_path).open_on_network


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_open_access_is_allowed_on_loopback(tmp_path: Path, host: str) -> None:
    assert load_settings(environ={"OMG_AUTH": "open", "OMG_HOST": host}, folder=tmp_path).auth == "open"


def test_several_workers_on_sqlite_are_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    several = {"OMG_WORKERS": "2"}

    for elsewhere in ({}, {"OMG_VALKEY_URL": "valkey://h"}, {"OMG_DATABASE_URL": "sqlite+aiosqlite:///x.db"}):
        message = refusal(several | elsewhere, tmp_path)
        assert "OMG_DATABASE_URL" in message
        assert "VALKEY" not in message


@pytest.mark.parametrize("valkey", [{}, {"OMG_VALKEY_URL": "valkey://h"}])
def test_postgres_is_enough_for_several_workers(tmp_path: Path, valkey: dict[str, str]) -> None:
    shared = {"OMG_WORKERS": "2", "OMG_DATABASE_URL": "postgresql+asyncpg://h/d"} | valkey

    assert load_settings(environ=shared, folder=tmp_path).workers == 2


def test_days_of_limits_begin_in_a_zone_that_there_is(tmp_path: Path) -> None:
    berlin = load_settings(environ={"OMG_LIMITS_TIMEZONE": "Europe/Berlin"}, folder=tmp_path)

    assert berlin.limits_timezone == "Europe/Berlin"
    assert "OMG_LIMITS_TIMEZONE" in refusal({"OMG_LIMITS_TIMEZONE": "Mars/Olympus"}, tmp_path)
