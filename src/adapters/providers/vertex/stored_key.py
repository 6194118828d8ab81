"""What a provider key of Vertex AI may be: a service account's or a person's JSON, or an express-mode API key."""

from typing import Final

import httpx
import msgspec

from adapters.wire.raw_json import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey

_DOMAIN: Final = "googleapis.com"
_TAKEN: Final = ("service_account", "authorized_user")


class GoogleJson(msgspec.Struct, frozen=True):
    """The JSON that `gcloud` and the console write; `info` is all of it, as google-auth reads it."""

    type: str
    project_id: str | None
    info: dict[str, object]


class ApiKey(msgspec.Struct, frozen=True):
    value: str


StoredKey = GoogleJson | ApiKey

_decode = msgspec.json.Decoder(dict[str, object]).decode


def stored_key(key: ProviderKey) -> StoredKey:
    """Raises `UpstreamFailure` (`INVALID_CREDENTIAL`) for anything else, without a word of the key in it."""
    value = key.secret.reveal().strip()
    if not value.startswith("{"):
        if not value.isascii() or not value.isprintable():
            raise refused(key.label, "it holds characters that no HTTP header can carry")
        return ApiKey(value)
    try:
        info = _decode(value)
    except UNDECODABLE:
        raise refused(key.label, "it is no JSON") from None
    return google_json(info, key.label)


def google_json(info: dict[str, object], label: str) -> GoogleJson:
    """Its addresses are checked here, before anything of it is used (S-07)."""
    kind = info.get("type")
    if kind not in _TAKEN:
        raise refused(label, f"its type is none of {', '.join(_TAKEN)}")
    if info.get("universe_domain", _DOMAIN) != _DOMAIN:
        raise refused(label, "its universe_domain is not googleapis.com")
    token_uri = info.get("token_uri")
    if token_uri is not None and not (isinstance(token_uri, str) and is_google(token_uri)):
        raise refused(label, "its token_uri is not at googleapis.com")
    project = info.get("project_id") or info.get("quota_project_id")
    return GoogleJson(str(kind), project if isinstance(project, str) else None, info)


def is_google(address: str) -> bool:
    """Whether a token may be asked for there."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        return False
    host = url.host.lower()
    own = host == _DOMAIN or host.endswith(f".{_DOMAIN}")
    return own and url.scheme == "https" and not url.userinfo and url.port in {None, 443}


def refused(label: str, why: str) -> UpstreamFailure:
    """A credential that cannot be used."""
    return UpstreamFailure(
        FailureKind.INVALID_CREDENTIAL,
        f"Key '{label}' is no credential for Vertex AI: {why}. "
        "It takes the JSON of a service account or of `gcloud auth application-default login`, or an API key.",
    )
