"""Puts Google's credentials on each request: an access token, or an API key, in a header and nowhere else (S-21)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import httpx
import msgspec
from typing_extensions import override

from adapters.providers.upstream import HttpUpstream, Signer
from adapters.providers.vertex.stored_key import ApiKey, GoogleJson, StoredKey, google_json, refused, stored_key
from adapters.providers.vertex.tokens import TokenSource
from domain.keys import ProviderKey

FILE_VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_MACHINE: Final = "application default credentials"
_KEPT: Final = 256

_decode = msgspec.json.Decoder(dict[str, object]).decode


class Credentials:
    """The credentials of one provider version, by key."""

    def __init__(self, upstream: HttpUpstream, variables: Mapping[str, str], now: Callable[[], float]) -> None:
        self._upstream = upstream
        self._variables = variables
        self._now = now
        self._read: dict[str, tuple[ProviderKey, StoredKey]] = {}
        self._sources: dict[str, tuple[StoredKey | None, TokenSource]] = {}

    def of(self, key: ProviderKey) -> StoredKey:
        """Raises `UpstreamFailure` (`INVALID_CREDENTIAL`)."""
        known = self._read.get(key.id)
        if known is not None and known[0] is key:
            return known[1]
        if len(self._read) >= _KEPT:
            self._read.clear()
            self._sources.clear()
        found = stored_key(key)
        self._read[key.id] = (key, found)
        return found

    def project(self, key: ProviderKey | None) -> str | None:
        """The one a key belongs to: None where it does not say, empty for an API key, which needs none."""
        found = self.of(key) if key is not None else None
        if isinstance(found, ApiKey):
            return ""
        return found.project_id if found is not None else None

    def source(self, key: ProviderKey | None, given: GoogleJson | None) -> TokenSource:
        name = key.id if key is not None else ""
        known = self._sources.get(name)
        if known is not None and known[0] is given:
            return known[1]
        label = key.label if key is not None else _MACHINE
        source = TokenSource(given or self._of_file(), label, self._upstream, self._now)
        self._sources[name] = (given, source)
        return source

    def _of_file(self) -> GoogleJson | None:
        """A file that only the settings name; google-auth finds what the process's environment names by itself."""
        from os import environ

        path = self._variables.get(FILE_VARIABLE)
        if not path or environ.get(FILE_VARIABLE):
            return None
        try:
            return google_json(_decode(Path(path).read_bytes()), _MACHINE)
        except (OSError, msgspec.MsgspecError):
            raise refused(_MACHINE, f"{FILE_VARIABLE} names no JSON that can be read") from None


class VertexSigner(Signer):
    """Adds what `credentials` have for the request's key."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    @override
    async def sign(self, request: httpx.Request, body: bytes, key: ProviderKey | None) -> None:
        given = self._credentials.of(key) if key is not None else None
        if isinstance(given, ApiKey):
            request.headers["x-goog-api-key"] = given.value
            return
        source = self._credentials.source(key, given)
        request.headers["authorization"] = f"Bearer {await source.token()}"
        if source.quota_project:
            request.headers["x-goog-user-project"] = source.quota_project
