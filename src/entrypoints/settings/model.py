"""Every setting: its name, type, default and meaning, written once; the reference page is made from it."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta
from typing_extensions import override

from application.configuration.credentials import unquoted
from application.configuration.new_providers import DeclaredProvider
from application.configuration.routes import NewRoute
from domain.issuers import Issuer
from domain.limits import Period
from domain.ports.security import SecretMissing
from domain.secrets import Secret
from domain.timeouts import Timeouts
from entrypoints.settings.secret_references import LocalSecretReferences

PREFIX = "OMG_"

FROM_ENVIRONMENT = "environment"
"""In the place of a proxy: the one that other programs use."""

ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named so that binding to it can be warned about


class SettingsError(Exception):
    """A setting is wrong. The message is one line: which setting, where it came from, what is wrong, what to do."""


class Variables(Mapping[str, str]):
    """The environment over `.env`, for variables that are not the gateway's own (provider keys). Blank ones are unset,
    and the quotes around a value are off.

    Holds credentials, so its text form shows how many there are and nothing else.
    """

    def __init__(self, values: Mapping[str, tuple[str, str]]) -> None:
        plain = {name: (unquoted(value), source) for name, (value, source) in values.items()}
        self._values = {name: pair for name, pair in plain.items() if pair[0]}

    def source(self, name: str) -> str:
        """`environment` or `.env`. Raises `KeyError`."""
        return self._values[name][1]

    def kept_in_files(self) -> Mapping[str, str]:
        """Those that hold a secret and say `file:PATH`, with that: what is there may be renewed."""
        return {name: value for name, (value, _) in self._values.items() if _is_of_file(name, value)}

    @override
    def __getitem__(self, name: str) -> str:
        """Of one that holds a secret and says `file:PATH`, what the file holds. Raises `KeyError`, `SettingsError`."""
        value = self._values[name][0]
        return _of_file(value, name) if _is_of_file(name, value) else value

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @override
    def __len__(self) -> int:
        return len(self._values)

    @override
    def __repr__(self) -> str:
        return f"Variables({len(self._values)} names)"


_HOLDS_A_SECRET = re.compile(r"\w*(KEY|KEYS|TOKEN|SECRET|PASSWORD|CREDENTIALS)(_\d+)?")


def _is_of_file(name: str, value: str) -> bool:
    return value.startswith("file:") and _HOLDS_A_SECRET.fullmatch(name) is not None


def _of_file(reference: str, name: str) -> str:
    try:
        return LocalSecretReferences({}).read(reference).reveal()
    except SecretMissing as error:
        raise SettingsError(f"{name}: {error}") from None


Port = Annotated[int, Meta(ge=0, le=65535)]
Days = Annotated[float, Meta(gt=0, le=3650)]
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
    database_pooler: Annotated[
        Literal["", "transaction"],
        _about(
            "`transaction`: a pooler of transactions (PgBouncer, Supavisor, Neon's `-pooler`) stands before Postgres"
        ),
    ] = ""
    retain_requests_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        _about("Days for which single requests are kept, sums stay; empty: always"),
    ] = None
    valkey_url: Annotated[
        Secret,
        _about(
            "`valkey://` or `redis://` (with TLS `valkeys://`, `rediss://`): counts limits for all processes; "
            "empty: in memory beside SQLite, else in Postgres"
        ),
    ] = Secret("")
    master_keys: Annotated[
        Secret, _about("`kid:base64,…`, 32 bytes each, newest first; empty: the key file in the data folder")
    ] = Secret("")
    admin_token: Annotated[Secret, _about("The platform admin's token; empty: made on first start")] = Secret("")
    bootstrap_key: Annotated[Secret, _about("The default tenant's virtual key; empty: made on first start")] = Secret(
        ""
    )
    host: Annotated[str, _about("Address to listen on")] = "127.0.0.1"
    port: Annotated[Port, _about("Port to listen on; 0 takes a free one")] = 8000
    workers: Annotated[int, Meta(ge=1, le=256, description="Processes; more than one needs Postgres")] = 1
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _about("Least level that is logged")] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"], _about("`auto`: console on a terminal, json elsewhere")
    ] = "auto"
    public_url: Annotated[str, _about("The URL clients use, for links; empty: from host and port")] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        _about("Host names answered to; empty: localhost names, the listening address and the public URL's host"),
    ] = ()
    service_names: Annotated[
        tuple[str, ...],
        _about("Names of a private network that are answered to besides, `*.svc` covers subdomains; the images set it"),
    ] = ()
    auth: Annotated[
        Literal["keys", "open"],
        _about("`open`: no client key and no sign-in, on `/admin` neither; refused unless listening on loopback only"),
    ] = "keys"
    open_on_network: Annotated[
        bool, _about("Lets `open` listen elsewhere too: whoever reaches the gateway uses it and sets it up")
    ] = False
    personal_tenants: Annotated[bool, _about("Each new user gets a personal tenant")] = True
    session_idle: Annotated[Days, _about("Days after which a sign-in that is not used ends")] = 14.0
    session_absolute: Annotated[Days, _about("Days after which every sign-in ends")] = 90.0
    availability: Annotated[
        Literal["automatic", "manual"],
        _about("`manual`: after a rate limit a provider key stays unavailable until someone retries it"),
    ] = "automatic"
    health_interval: Annotated[
        float, Meta(ge=5, le=86_400, description="Seconds between checks of each provider, by a call that is free")
    ] = 60.0
    health_window: Annotated[
        int,
        Meta(ge=1, le=100, description="Of so many checks, more than half must fail for a provider to be unhealthy"),
    ] = 5
    health_cooldown: Annotated[
        float, Meta(ge=1, le=86_400, description="Seconds that it then is, unless it answers a check or a call before")
    ] = 300.0
    trusted_proxies: Annotated[
        tuple[str, ...], _about("Addresses or networks whose `X-Forwarded-For` is believed")
    ] = ()
    cors_origins: Annotated[tuple[str, ...], _about("Origins browsers may call `/v1` from; empty: none")] = ()
    max_body_bytes: Annotated[Bytes, _about("Largest request body on `/v1`")] = 32 * 1024 * 1024
    max_body_bytes_in_flight: Annotated[
        int,
        Meta(ge=0, description="Largest sum of all request bodies being served, a worker; beyond it 503 `overloaded`. "
             "0: a sixteenth of the memory of machine or container, shared by the workers, at least 64 MiB"),
    ] = 0  # fmt: skip
    max_admin_body_bytes: Annotated[Bytes, _about("Largest request body on `/admin`")] = 256 * 1024
    default_rpm: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        _about("Requests a minute of each key and each tenant that has no such limit of its own; empty: no limit"),
    ] = None
    default_tpm: Annotated[Annotated[int, Meta(ge=0)] | None, _about("The same for tokens a minute")] = None
    default_parallel: Annotated[Annotated[int, Meta(ge=0)] | None, _about("The same for requests at once")] = None
    default_budget_usd: Annotated[
        Decimal | None, _about("What each key and each tenant may spend, in USD, that has no budget; empty: no budget")
    ] = None
    default_budget_period: Annotated[Period, _about("The period of that budget")] = "month"
    limits_timezone: Annotated[
        str, _about("Zone in which the days of `rpd` and `tpd` begin, such as `Europe/Berlin`")
    ] = "UTC"
    transport: Annotated[Literal["httptools", "aiohttp"], _about("HTTP client used towards providers")] = "httptools"
    proxy: Annotated[
        Secret,
        _about(
            "Outbound proxy to all that is called by HTTP, `http://user:password@host:port`; `environment`: the one in "
            "`HTTPS_PROXY`"
        ),
    ] = Secret("")
    no_proxy: Annotated[
        tuple[str, ...],
        _about("Hosts that are reached without a proxy: names (and all below them), addresses, networks, `*`"),
    ] = ()
    ca_file: Annotated[
        Path | None, _about("Authorities (PEM) that are trusted besides the usual ones, whoever is called")
    ] = None
    client_cert: Annotated[
        Path | None, _about("A certificate and its key (PEM), shown to every server that is called and asks for one")
    ] = None
    allow_private_network: Annotated[
        bool, _about("Let provider host names resolve to private addresses (metadata addresses stay refused)")
    ] = False
    grace_seconds: Annotated[
        float,
        Meta(ge=0, le=3600, description="After a stop signal: how long new requests are still accepted, while busy"),
    ] = 5.0
    drain_seconds: Annotated[
        float, Meta(ge=0, le=3600, description="After a stop signal: how long running requests may take to end")
    ] = 15.0
    smtp_url: Annotated[
        Secret, _about("Mail server of alerts: `smtp://user:password@host:587?from=omg@example.org`, or `smtps://…`")
    ] = Secret("")
    metrics: Annotated[
        Literal["loopback", "token", "public", "off"],
        _about("Who may read `/metrics`: callers on this machine and admin tokens, admin tokens, everybody, nobody"),
    ] = "loopback"
    telemetry_subjects: Annotated[bool, _about("Metrics and spans name tenants, keys and users by their ids")] = False
    demo: Annotated[bool, _about("Adds three simulated providers, so that everything works with no account")] = False
    config: Annotated[Path | None, _about("The settings file; default: `omg.yaml` in the working folder, if any")] = (
        None
    )
    timeouts: Timeouts = Timeouts()
    providers: tuple[DeclaredProvider, ...] = ()
    routes: tuple[NewRoute, ...] = ()
    issuers: tuple[Issuer, ...] = ()
    objects: Mapping[str, object] = {}
    bootstrap: Mapping[str, object] = {}
    variables: Variables = Variables({})
    sources: Mapping[str, str] = {}
    ignored: tuple[str, ...] = ()

    @property
    def database(self) -> str:
        """The database URL in force, with its password."""
        if self.database_url:
            address = self.database_url.reveal()
            if self.database_pooler and not address.startswith("sqlite"):
                return f"{address}{'&' if '?' in address.rpartition('@')[2] else '?'}pgbouncer=true"
            return address
        return f"sqlite+aiosqlite:///{self.data_dir.absolute() / 'omg.db'}"

    @property
    def outbound_proxy(self) -> str:
        """The URL of the proxy in force, with its password; empty where there is none."""
        address = self.proxy.reveal()
        return self._foreign("HTTPS_PROXY") if address == FROM_ENVIRONMENT else address

    @property
    def unproxied(self) -> tuple[str, ...]:
        """Hosts that no proxy is asked for."""
        foreign = self._foreign("NO_PROXY") if self.proxy.reveal() == FROM_ENVIRONMENT else ""
        return (*self.no_proxy, *(host.strip() for host in foreign.split(",") if host.strip()))

    def _foreign(self, name: str) -> str:
        return self.variables.get(name.lower()) or self.variables.get(name) or ""

    @property
    def uses_sqlite(self) -> bool:
        return self.database.startswith("sqlite")

    @property
    def file_name(self) -> str:
        """What the settings file is called."""
        return self.config.name if self.config else "omg.yaml"

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
    def base_path(self) -> str:
        """The path of the public URL, below which every address answers too; empty where it has none."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The allow-list of Host names in force."""
        if self.allowed_hosts:
            return (*self.allowed_hosts, *self.service_names)
        names = ["localhost", "127.0.0.1", "::1", *self.service_names]
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
