"""Postgres addresses as hosts hand them out: libpq's parameters, understood by the driver or refused in words.

asyncpg knows them in an address of its own (`dsn`), and as arguments not at all: SQLAlchemy would hand over each
parameter as an argument, and the first `sslmode` would be a `TypeError`.
Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS (read 2026-11).
"""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from sqlalchemy import URL

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_WORDS = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable", "off": "disable"}

_UNDERSTOOD = (
    "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "passfile", "krbsrvname", "gsslib",
    "application_name", "options",
)  # fmt: skip
_WITHOUT_EFFECT = (
    "connect_timeout", "timeout", "command_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
    "keepalives_count", "tcp_user_timeout", "client_encoding", "fallback_application_name", "gssencmode",
    "sslcompression", "sslsni", "load_balance_hosts", "connection_limit", "pool_timeout",
)  # fmt: skip
"""What the gateway decides itself, and what asks for nothing that it would leave out."""

_NUMBERS = ("prepared_statement_cache_size", "statement_cache_size")
_PLACES = {"user": "username", "password": "password", "dbname": "database", "database": "database"}

_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._%~-]*)(?::\d{0,5})?"
_ADDRESS = re.compile(
    rf"(?:(?P<who>.*?)@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<database>[^?@/]*))?(?:\?(?P<query>\w+=.*)?)?", re.DOTALL
)
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

AUTHORITIES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
"""Where systems keep the authorities that they trust, as one file."""

_POOLER = "omg_pooler"
"""The parameter under which an address remembers that a pooler of transactions stands before the server."""


def read_address(text: str) -> URL:
    """The parts of an address. A password may hold what it should have percent-encoded (`@`, `/`, `?`, `#`, `%`), as it
    does where people paste it; several hosts stand between commas. Raises `ValueError` where it is no address.
    """
    found = _ADDRESS.fullmatch(text.partition("://")[2])
    if found is None:
        raise ValueError("it is no URL")
    username, colon, password = (found["who"] or "").partition(":")
    query: dict[str, str] = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    hosts = [
        part.rpartition(":") if re.search(r":\d*$", part) else (part, "", "") for part in found["hosts"].split(",")
    ]
    host, _, port = hosts[0]
    if len(hosts) > 1:
        query["host"] = ",".join(_bare(name) for name, _, _ in hosts)
        query["port"] = ",".join(number or "5432" for _, _, number in hosts)
        host, port = "", ""
    return URL.create(
        "postgresql+asyncpg",
        _decoded(username) or None,
        _decoded(password) if colon else None,
        _bare(host) or None,
        int(port) if port else None,
        unquote(found["database"] or "") or None,
        query,
    )


def postgres_url(url: URL) -> URL:
    """The address as SQLAlchemy and asyncpg take it. Raises `ValueError` with what is wrong, without any value."""
    query = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    url = url.set(drivername="postgresql+asyncpg", query={})
    for name, part in _PLACES.items():
        if name in query:
            url = url.set(**{part: query.pop(name)})  # type: ignore[arg-type]  # one of its parts by name
    if url.host is not None and url.host.lower().startswith("%2f"):  # a Unix socket's folder where a host stands
        query.setdefault("host", unquote(url.host))
        url = url.set(host=None)
    if "," in query.get("host", "") and "port" not in query:
        query["port"] = ",".join("5432" for _ in query["host"].split(","))
    kept: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, value in query.items():
        if name in {"host", "port", *_NUMBERS}:
            if name in _NUMBERS and not value.isdigit():
                raise ValueError(f"its parameter '{name}' is a whole number")
            kept[name] = value
        elif name == "ssl" or name in _UNDERSTOOD:
            parameters["sslmode" if name == "ssl" else name] = value
        elif name == "channel_binding":
            _check_channel_binding(value)
        elif name in {"pgbouncer", _POOLER}:  # the former is Prisma's word, which hosts hand out
            kept |= {_POOLER: "transaction"} if value.lower() in {"true", "1", "transaction"} else {}
        elif name not in _WITHOUT_EFFECT:
            raise ValueError(
                f"its parameter '{name}' is not known; known are {', '.join(_UNDERSTOOD)}, "
                "and settings of the server as options=-c%20name%3Dvalue"
            )
    if "sslmode" in parameters:
        parameters["sslmode"] = _ssl_mode(parameters["sslmode"])
    if query.get("channel_binding") == "require" and parameters.get("sslmode", "prefer") != "verify-ca":
        parameters["sslmode"] = "verify-full"
    if parameters.get("sslmode", "").startswith("verify") or parameters.get("sslrootcert") == "system":
        _name_authorities(parameters)
    if parameters:
        kept["dsn"] = f"postgresql://?{urlencode(parameters)}"
    if "statement_cache_size" in kept:
        kept["prepared_statement_cache_size"] = kept.pop("statement_cache_size")
    return url.set(query=kept)


def is_pooled(url: URL) -> bool:
    """Whether each transaction may get another connection of the server: nothing of a session is kept then."""
    return _POOLER in url.query


def driver_url(url: URL) -> URL:
    """Without what is the gateway's own remark."""
    return url.set(query={name: value for name, value in url.query.items() if name != _POOLER})


def server_settings(url: URL, ours: Mapping[str, str]) -> dict[str, str]:
    """The settings that a connection begins with; a name that the address gives it wins over ours. None at a pooler,
    which would refuse them.
    """
    if is_pooled(url):
        return {}
    dsn = url.query.get("dsn", "")
    given = dict(parse_qsl(urlsplit(dsn if isinstance(dsn, str) else dsn[-1]).query))
    own = {"application_name": given["application_name"]} if "application_name" in given else {}
    return {**ours, **own}


def _ssl_mode(value: str) -> str:
    mode = _SSL_WORDS.get(value.lower(), value.lower())
    if mode not in _SSL_MODES:
        raise ValueError(f"its parameter 'sslmode' is one of {', '.join(_SSL_MODES)}")
    return mode


def _check_channel_binding(value: str) -> None:
    """What `require` is for is to be sure of the server. The driver cannot do it that way (asyncpg knows no
    SCRAM-PLUS), so that its certificate is checked in full instead.
    """
    if value not in {"disable", "prefer", "require"}:
        raise ValueError("its parameter 'channel_binding' is one of disable, prefer, require")


def _name_authorities(parameters: dict[str, str]) -> None:
    """Whom to believe where the address names nobody: the system's authorities. The driver looks into one file."""
    if parameters.get("sslrootcert", "system") != "system" or os.environ.get("PGSSLROOTCERT"):
        return
    parameters["sslrootcert"] = _authorities()
    parameters.setdefault("sslmode", "verify-full")


def _authorities() -> str:
    own = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    for name in (own, str(Path.home() / ".postgresql" / "root.crt"), *AUTHORITIES):
        if name and Path(name).is_file():
            return name
    import certifi

    return certifi.where()


def _decoded(text: str) -> str:
    """Percent-encoding is undone where all of it is that."""
    return text if _BROKEN_PERCENT.search(text) else unquote(text)


def _bare(host: str) -> str:
    return host[1:-1] if host.startswith("[") else host
