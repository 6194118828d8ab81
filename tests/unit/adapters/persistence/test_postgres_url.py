"""The addresses that hosts of Postgres hand out work, or are refused in one line that names the parameter."""

from urllib.parse import quote

import pytest

from adapters.persistence import postgres_url
from adapters.persistence.engine import DatabaseUrlInvalid, parse_url
from adapters.persistence.postgres_url import driver_url, server_settings

OURS = {"application_name": "open-model-gateway", "timezone": "UTC"}

# address → what the driver gets beside user, password, host and database
TAKEN = [
    ("postgres://u:p@h/d", {}),
    ("postgresql://u:p@h:6543/d?sslmode=require", {"dsn": "postgresql://?sslmode=require"}),
    ("postgresql+asyncpg://u:p@h/d?sslmode=DISABLE", {"dsn": "postgresql://?sslmode=disable"}),
    ("postgresql+asyncpg://u:p@h/d?ssl=verify-full",
     {"dsn": "postgresql://?sslmode=verify-full&sslrootcert=%2Fsystem.pem"}),
    ("postgres://u:p@h/d?sslrootcert=system", {"dsn": "postgresql://?sslrootcert=%2Fsystem.pem&sslmode=verify-full"}),
    ("postgres://u:p@h/d?ssl=true", {"dsn": "postgresql://?sslmode=require"}),
    ("postgres://u:p@h/d?sslmode=verify-ca&sslrootcert=/ca.pem",
     {"dsn": "postgresql://?sslmode=verify-ca&sslrootcert=%2Fca.pem"}),
    ("postgres://u:p@h/d?sslmode=require&channel_binding=require",  # as Neon hands it out
     {"dsn": "postgresql://?sslmode=verify-full&sslrootcert=%2Fsystem.pem"}),
    ("postgres://u:p@h/d?sslmode=verify-ca&sslrootcert=/ca.pem&channel_binding=require",
     {"dsn": "postgresql://?sslmode=verify-ca&sslrootcert=%2Fca.pem"}),
    ("postgres://u:p@h:6543/d?pgbouncer=true&connection_limit=1", {"omg_pooler": "transaction"}),  # as Supabase does
    ("postgres://u:p@h/d?pgbouncer=false", {}),
    ("postgres://u:p@one,two:6432/d?target_session_attrs=read-write",
     {"host": "one,two", "port": "5432,6432", "dsn": "postgresql://?target_session_attrs=read-write"}),
    ("postgres://u:p@/d?host=one,two", {"host": "one,two", "port": "5432,5432"}),
    ("postgres://u:p@h/d?channel_binding=prefer&connect_timeout=10&keepalives=1", {}),
    ("postgres://u:p@h/d?application_name=mine", {"dsn": "postgresql://?application_name=mine"}),
    ("postgres://u:p@h/d?options=endpoint%3Dabc", {"dsn": "postgresql://?options=endpoint%3Dabc"}),
    ("postgres://u:p@h/d?target_session_attrs=read-write", {"dsn": "postgresql://?target_session_attrs=read-write"}),
    ("postgres://u:p@h/d?prepared_statement_cache_size=0", {"prepared_statement_cache_size": "0"}),
    ("postgres://u:p@h/d?statement_cache_size=0", {"prepared_statement_cache_size": "0"}),
    ("postgresql://u:p@/d?host=/var/run/postgresql", {"host": "/var/run/postgresql"}),
    ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/d", {"host": "/var/run/postgresql"}),
    ("postgresql:///d?user=u&password=p&host=h", {"host": "h"}),
    ("postgresql:///?dbname=d&user=u&password=p&host=h", {"host": "h"}),
]  # fmt: skip


@pytest.mark.parametrize(("address", "query"), TAKEN)
def test_what_hosts_hand_out_is_taken(address: str, query: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_url, "_authorities", lambda: "/system.pem")
    url = parse_url(address)

    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.database) == ("u", "p", "d")
    assert url.query == query
    assert url.get_dialect()().create_connect_args(driver_url(url))[1]["database"] == "d"


@pytest.mark.parametrize(
    "password", ["p@ss", "a/b", "a@b/c", "a?b=c@d", "100%", "%zz", "#1", "a:b", "päss wörd", "a+b", "$&="]
)
@pytest.mark.parametrize("after", ["h:6543/d?sslmode=require", "[::1]:6543/d", "one,two/d"])
def test_a_password_that_was_pasted_as_it_is_is_taken(password: str, after: str) -> None:
    plain, encoded = (parse_url(f"postgres://u:{text}@{after}") for text in (password, quote(password, safe="")))

    assert plain.password == encoded.password == password
    assert plain == encoded
    assert plain.database == "d"
    assert plain.host in {"h", "::1", None}


REFUSED = [
    ("?sslmode=maybe", "'sslmode' is one of disable"),
    ("?channel_binding=hunter2", "'channel_binding' is one of"),
    ("?schema=public", "'schema' is not known"),
    ("?search_path=x", "'search_path' is not known"),
    ("?prepared_statement_cache_size=none", "'prepared_statement_cache_size' is a whole number"),
]


@pytest.mark.parametrize(("parameters", "words"), REFUSED)
def test_what_cannot_be_kept_is_refused_by_name_and_without_the_password(parameters: str, words: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match=words) as raised:
        parse_url(f"postgres://u:hunter2@h/d{parameters}")

    assert str(raised.value).startswith("OMG_DATABASE_URL: ")
    assert "\n" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_name_given_by_the_address_is_the_connections() -> None:
    assert server_settings(parse_url("postgres://u:p@h/d?application_name=mine"), OURS) == {
        "application_name": "mine",
        "timezone": "UTC",
    }
    assert server_settings(parse_url("postgres://u:p@h/d?sslmode=require"), OURS) == OURS
