"""Refuses settings that are well-formed but unsafe or cannot work together (S-11).

The master keys are checked where they are parsed (`entrypoints.ioc.security`).
"""

from ipaddress import ip_network
from urllib.parse import urlsplit

from domain.keys import VIRTUAL_KEY_PREFIX, well_formed
from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.model import Settings, SettingsError

MIN_SECRET_BYTES = 32
_MIN_DISTINCT = 10
_DATABASE_SCHEMES = ("sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+asyncpg")
_VALKEY_SCHEMES = ("valkey://", "valkeys://", "redis://", "rediss://")
_EXAMPLE_WORDS = (
    "change",
    "example",
    "secret",
    "password",
    "replace",
    "insert",
    "your-",
    "your_",
    "xxxxxx",
    "1234567",
    "abcdefg",
)


def check(settings: Settings) -> None:
    """Raises `SettingsError` for the first thing that must not be."""
    _check_secret("OMG_ADMIN_TOKEN", settings.admin_token)
    _check_bootstrap_key(settings.bootstrap_key)
    _check_urls(settings)
    _check_addresses(settings)
    for name in Timeouts.__struct_fields__:
        if not 0 < getattr(settings.timeouts, name) <= 3600:
            raise SettingsError(f"OMG_TIMEOUT_{name.upper()}: must be more than 0 and at most 3600 seconds")
    if settings.auth == "open" and not settings.on_loopback:
        raise SettingsError(
            f"OMG_AUTH: 'open' lets anyone in, and OMG_HOST is {settings.host}; listen on 127.0.0.1 or use 'keys'"
        )
    if settings.workers > 1 and (settings.uses_sqlite or not settings.valkey_url):
        raise SettingsError(
            "OMG_WORKERS: more than one worker needs a shared database and store: "
            "set OMG_DATABASE_URL (postgresql+asyncpg://…) and OMG_VALKEY_URL (valkey://…), or run one worker"
        )


def _check_secret(name: str, secret: Secret) -> None:
    text = secret.reveal()
    if not text:
        return
    if len(text.encode()) < MIN_SECRET_BYTES:
        raise SettingsError(
            f"{name}: too short ({len(text)} characters); use at least {MIN_SECRET_BYTES} random ones, "
            f"such as 'omg secrets generate' prints"
        )
    if len(set(text)) < _MIN_DISTINCT or any(word in text.lower() for word in _EXAMPLE_WORDS):
        raise SettingsError(f"{name}: looks like an example, not a random value; 'omg secrets generate' prints one")


def _check_bootstrap_key(secret: Secret) -> None:
    text = secret.reveal()
    if text.startswith(VIRTUAL_KEY_PREFIX) and not well_formed(text, VIRTUAL_KEY_PREFIX):
        raise SettingsError(
            f"OMG_BOOTSTRAP_KEY: a key that starts with '{VIRTUAL_KEY_PREFIX}' must end with its checksum; "
            "'omg secrets generate' prints one"
        )
    _check_secret("OMG_BOOTSTRAP_KEY", secret)


def _check_urls(settings: Settings) -> None:
    database = settings.database
    if database.partition("://")[0] not in _DATABASE_SCHEMES:
        raise SettingsError("OMG_DATABASE_URL: must start with sqlite+aiosqlite:// or postgresql+asyncpg://")
    if settings.valkey_url and not settings.valkey_url.reveal().startswith(_VALKEY_SCHEMES):
        raise SettingsError("OMG_VALKEY_URL: must start with valkey:// or redis://")
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingsError("OMG_PUBLIC_URL: must be a URL such as https://gateway.example.com")
    for origin in settings.cors_origins:
        if origin != "*" and urlsplit(origin).scheme not in {"http", "https"}:
            raise SettingsError(f"OMG_CORS_ORIGINS: '{origin}' is no origin such as https://app.example.com")


def _check_addresses(settings: Settings) -> None:
    for entry in settings.trusted_proxies:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise SettingsError(f"OMG_TRUSTED_PROXIES: '{entry}' is neither an IP address nor a network") from None
