"""The one place that turns any accepted carrier into one token (S-05). Runs before the body is read (S-31)."""

import re
from urllib.parse import unquote_plus

from domain.errors import RequestInvalid
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX
from entrypoints.http.edge.head import Head

_KEY_PARAMETERS = frozenset({"key", "api_key", "api-key", "apikey", "access_token", "x-api-key", "token"})
_KEY_LIKE = re.compile(r"(?!(?:key|pk|ten|req|dec)_)[A-Za-z0-9._~+/=-]{16,}")
_OUR_PREFIXES = (VIRTUAL_KEY_PREFIX, ADMIN_TOKEN_PREFIX)


def extract_token(head: Head) -> str | None:
    """The caller's key, None where none was sent. Raises `RequestInvalid` for two different ones.

    `Authorization` counts with the scheme `Bearer`, or bare (some clients leave the scheme out).
    """
    found: str | None = None
    for name, value in head.credentials:
        token = _token(name, value)
        if not token:
            continue
        if found is not None and token != found:
            raise RequestInvalid(
                "The request carries two different API keys. Send one, or the same one in every header.",
                code="conflicting_api_keys",
            )
        found = token
    return found


def refuse_keys_in_query(query: bytes) -> None:
    """Raises `RequestInvalid` where a query parameter holds a key: addresses end up in logs."""
    for part in query.split(b"&"):
        name, _, raw = part.partition(b"=")
        value = unquote_plus(raw.decode("latin-1"))
        named = unquote_plus(name.decode("latin-1")).lower() in _KEY_PARAMETERS and _KEY_LIKE.fullmatch(value)
        if named or value.startswith(_OUR_PREFIXES):
            raise RequestInvalid(
                "An API key in the address would end up in logs. Send it as 'Authorization: Bearer …' and replace it.",
                code="api_key_in_query",
            )


def _token(name: bytes, value: bytes) -> str:
    text = value.decode("latin-1").strip()
    if name != b"authorization":
        return text
    scheme, space, rest = text.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return "" if space else text
