"""Every setting: its name, type, default and meaning, written once; the reference page is made from it."""

import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from typing_extensions import override

from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts

PREFIX = "OMG_"

ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named so that binding to it can be warned about


class SettingsError(Exception):
    """A setting is wrong. The message is one line: which setting, where it came from, what is wrong, what to do."""


class Variables(Mapping[str, str]):
    """The environment over `.env`, for variables that are not the gateway's own (provider keys). Blank ones are unset.

    Holds credentials, so its text form shows how many there are and nothing else.
    """

    def __init__(self, values: Mapping[str, tuple[str, str]]) -> None:
        self._values = {name: (value.strip(), source) for name, (value, source) in values.items() if value.strip()}

    def source(self, name: str) -> str:
        """`environment` or `.env`. Raises `KeyError`."""
        return self._values[name][1]

    @override
    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)

    @override
    def __repr__(self) -> str:
        return f"Variables({len(self._values)} names)"


class DeclaredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider key in the settings file: the secret itself, or `env:NAME`."""

    secret: Secret
    label: str = ""
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1


class DeclaredProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider in the settings file; without `kind` and `base_url`, those of the preset of its id."""

    id: str
    kind: str | None = None
    name: str | None = None
    base_url: str | None = None
    priority: int | None = None
    enabled: bool = True
    settings: ProviderSettings = ProviderSettings()
    keys: tuple[DeclaredKey, ...] = ()


Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[float, Meta(gt=0)]
Bytes = Annotated[int, Meta(ge=1024)]


def _about(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's settings. `OMG_` + the name in capitals is its variable, the name its key in `omg.yaml`."""

    data_dir: Annotated[
        Path, _about("Folder of the SQLite file, the master key and the spool; made with mode 0700")
    ] = Path("data")
    database_url: Annotated[
        Secret, _about("`sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`; empty: SQLite in the data folder")
    ] = Secret("")
    valkey_url: Annotated[Secret, _about("`valkey://` or `redis://`; needed for more than one worker or host")] = (
        Secret("")
    )
    master_keys: Annotated[
        Secret, _about("`kid:base64,…`, 32 bytes each, newest first; empty: the key file in the data folder")
    ] = Secret("")
    admin_token: Annotated[Secret, _about("The platform admin's token; empty: made on first start")] = Secret("")
    bootstrap_key: Annotated[Secret, _about("The default tenant's virtual key; empty: made on first start")] = Secret(
        ""
    )
    host: Annotated[str, _about("Address to listen on")] = "127.0.0.1"
    port: Annotated[Port, _about("Port to listen on; 0 takes a free one")] = 8000
    workers: Annotated[int, Meta(ge=1, le=256, description="Processes; more than one needs Postgres and Valkey")] = 1
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _about("Least level that is logged")] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"], _about("`auto`: console on a terminal, json elsewhere")
    ] = "auto"
    public_url: Annotated[str, _about("The URL clients use, for links; empty: from host and port")] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        _about("Host names answered to; empty: localhost names, the listening address and the public URL's host"),
    ] = ()
    auth: Annotated[
        Literal["keys", "open"], _about("`open`: no client key needed; refused unless listening on loopback only")
    ] = "keys"
    availability: Annotated[
        Literal["automatic", "manual"],
        _about("`manual`: after a rate limit a provider key stays unavailable until someone retries it"),
    ] = "automatic"
    trusted_proxies: Annotated[
        tuple[str, ...], _about("Addresses or networks whose `X-Forwarded-For` is believed")
    ] = ()
    cors_origins: Annotated[tuple[str, ...], _about("Origins browsers may call `/v1` from; empty: none")] = ()
    max_body_bytes: Annotated[Bytes, _about("Largest request body on `/v1`")] = 32 * 1024 * 1024
    max_admin_body_bytes: Annotated[Bytes, _about("Largest request body on `/admin`")] = 256 * 1024
    transport: Annotated[Literal["httptools", "aiohttp"], _about("HTTP client used towards providers")] = "httptools"
    allow_private_network: Annotated[
        bool, _about("Let provider host names resolve to private addresses (metadata addresses stay refused)")
    ] = False
    grace_seconds: Annotated[
        float, Meta(ge=0, description="After a stop signal: how long new requests are still accepted, while busy")
    ] = 5.0
    drain_seconds: Annotated[
        float, Meta(ge=0, description="After a stop signal: how long running requests may take to end")
    ] = 25.0
    demo: Annotated[bool, _about("Adds three simulated providers, so that everything works with no account")] = False
    config: Annotated[Path | None, _about("The settings file; default: `omg.yaml` in the working folder, if any")] = (
        None
    )
    timeouts: Timeouts = Timeouts()
    providers: tuple[DeclaredProvider, ...] = ()
    variables: Variables = Variables({})
    sources: Mapping[str, str] = {}

    @property
    def database(self) -> str:
        """The database URL in force, with its password."""
        if self.database_url:
            return self.database_url.reveal()
        return f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'omg.db'}"

    @property
    def uses_sqlite(self) -> bool:
        return self.database.startswith("sqlite")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the listening address."""
        return is_loopback(self.host)

    def address(self, port: int | None = None) -> str:
        """Where clients find the gateway, without a trailing slash. `port` is the one really listened on."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ANY_ADDRESS else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{port or self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The allow-list of Host names in force."""
        if self.allowed_hosts:
            return self.allowed_hosts
        names = ["localhost", "127.0.0.1", "::1"]
        if self.host not in ANY_ADDRESS:
            names.append(self.host)
        if self.public_url:
            names.append(urlsplit(self.public_url).hostname or "")
        return tuple(dict.fromkeys(name for name in names if name))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
