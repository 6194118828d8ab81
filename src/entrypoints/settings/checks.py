"""Refuses settings that are well-formed but unsafe or cannot work together (S-11).

The master keys are checked where they are parsed (`entrypoints.ioc.security`).
"""

import re
import ssl
from ipaddress import ip_network
from urllib.parse import urlsplit

from application.configuration.new_providers import check_proxy
from domain.budget_periods import zone_of
from domain.errors import RequestInvalid
from domain.keys import VIRTUAL_KEY_PREFIX, well_formed
from domain.providers import RESERVED_IDS
from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.model import FROM_ENVIRONMENT, Settings, SettingsError

_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]+")
_OWN_SEGMENTS = RESERVED_IDS | {"openai", "openapi.json", "upload"}
_VERSION = re.compile(r"v\d\w*")
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
    _check_data_folder(settings)
    _check_secret("OMG_ADMIN_TOKEN", settings.admin_token)
    _check_bootstrap_key(settings.bootstrap_key)
    _check_urls(settings)
    _check_addresses(settings)
    _check_outbound(settings)
    try:
        zone_of(settings.limits_timezone)
    except RequestInvalid as error:
        raise SettingsError(f"OMG_LIMITS_TIMEZONE: {error.message}") from None
    for name in Timeouts.__struct_fields__:
        if not 0 < getattr(settings.timeouts, name) <= 3600:
            raise SettingsError(f"OMG_TIMEOUT_{name.upper()}: must be more than 0 and at most 3600 seconds")
    if settings.auth == "open" and not settings.on_loopback and not settings.open_on_network:
        raise SettingsError(
            f"OMG_AUTH: 'open' lets anyone in, and OMG_HOST is {settings.host}; listen on 127.0.0.1, use 'keys', "
            "or say with OMG_OPEN_ON_NETWORK=true that the network is the guard"
        )
    if settings.workers > 1 and settings.uses_sqlite:
        raise SettingsError(
            "OMG_WORKERS: more than one worker needs a database that they share: "
            "set OMG_DATABASE_URL (postgresql+asyncpg://…), or run one worker"
        )


def _check_data_folder(settings: Settings) -> None:
    try:
        settings.data_dir.stat()
    except FileNotFoundError:
        return  # it is made
    except OSError as error:
        raise SettingsError(f"OMG_DATA_DIR: cannot be used: {error.strerror}") from None
    if not settings.data_dir.is_dir():
        raise SettingsError("OMG_DATA_DIR: is there and is no folder")


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
    if settings.valkey_url:
        _check_valkey_url(settings.valkey_url.reveal())
    if settings.public_url and not _is_http_url(settings.public_url):
        raise SettingsError("OMG_PUBLIC_URL: must be a URL such as https://gateway.example.com")
    _check_base_path(settings)
    for origin in settings.cors_origins:
        if origin != "*" and not _is_http_url(origin):
            raise SettingsError(f"OMG_CORS_ORIGINS: '{origin}' is no origin such as https://app.example.com")


def _check_base_path(settings: Settings) -> None:
    """Raises `SettingsError` where a path could be taken for another, or for an address of the gateway's own."""
    parts = urlsplit(settings.public_url)
    segments = settings.base_path.split("/")[1:]
    if parts.query or parts.fragment or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        raise SettingsError(
            "OMG_PUBLIC_URL: its path is made of letters, digits and -._~, as in https://example.com/llm; "
            "nothing follows it"
        )
    if segments and (segments[0] in _OWN_SEGMENTS or _VERSION.fullmatch(segments[0])):
        raise SettingsError(
            f"OMG_PUBLIC_URL: '/{segments[0]}' is an address of the gateway's own; where there is no path before it, "
            "leave it out, else use another one, as in https://example.com/llm"
        )


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _check_valkey_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        usable = text.startswith(_VALKEY_SCHEMES) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError("OMG_VALKEY_URL: must be an address such as valkey://host:6379 or redis://host:6379")


def _check_outbound(settings: Settings) -> None:
    if settings.outbound_proxy:
        try:
            check_proxy(settings.outbound_proxy, "proxy")
        except RequestInvalid as error:
            from_environment = settings.proxy.reveal() == FROM_ENVIRONMENT
            raise SettingsError(f"{'HTTPS_PROXY' if from_environment else 'OMG_PROXY'}: {error.message}") from None
    if settings.ca_file is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(settings.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"OMG_CA_FILE: '{settings.ca_file}' is no readable file of certificates (PEM): {error.strerror}"
            ) from None
    if settings.client_cert is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(settings.client_cert, password=lambda: "")
        except (OSError, ValueError) as error:  # the latter for a key that wants a password
            raise SettingsError(
                f"OMG_CLIENT_CERT: '{settings.client_cert}' is no readable file of a certificate with its unencrypted "
                f"key (PEM): {getattr(error, 'strerror', None) or error}"
            ) from None


def _check_addresses(settings: Settings) -> None:
    for entry in settings.trusted_proxies:
        try:
            ip_network(entry, strict=False)
        except ValueError:
            raise SettingsError(f"OMG_TRUSTED_PROXIES: '{entry}' is neither an IP address nor a network") from None
