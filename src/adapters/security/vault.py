"""Secrets in HashiCorp Vault (or OpenBao), by its KV engine version 2.

Source: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2, "Read secret version" (read 2026-11):
`GET /v1/<mount>/data/<path>` with `X-Vault-Token` answers `{"data": {"data": {…}, "metadata": {…}}}`, 404 also
where the version was deleted, 503 where Vault is sealed.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import msgspec
from typing_extensions import override

from adapters.transport.egress import EgressGuard, EgressRefused
from domain.ports.runtime import Clock
from domain.ports.security import SecretMissing, SecretReferences
from domain.secrets import Secret

SCHEME: Final = "vault:"
ASK_SECONDS: Final = 10.0
FRESH_SECONDS: Final = 300.0
"""How long what was read of a path is taken without asking again."""
MAX_BYTES: Final = 1024 * 1024

MakeTransport = Callable[[EgressGuard], httpx.AsyncBaseTransport]

_WHY: Final = {
    403: "Vault refuses the token, or it may not read this path",
    404: "Vault has no such path, or its newest version was deleted",
    429: "Vault is a standby, or asks to wait",
    503: "Vault is sealed or down",
}


class _Read(msgspec.Struct, frozen=True):
    fields: Mapping[str, object]
    at: float


class VaultSecretReferences(SecretReferences):
    """`vault:MOUNT/PATH#FIELD`, at VAULT_ADDR with VAULT_TOKEN, or the file of VAULT_TOKEN_FILE, read each time.

    A path is read once for all its fields and kept for five minutes. While Vault is away what was read last serves on.
    """

    def __init__(self, variables: Mapping[str, str], make_transport: MakeTransport, clock: Clock) -> None:
        self._variables = variables
        self._make_transport = make_transport
        self._clock = clock
        self._read: dict[str, _Read] = {}

    @property
    @override
    def schemes(self) -> tuple[str, ...]:
        return (SCHEME,)

    @override
    def is_reference(self, text: str) -> bool:
        return text.startswith(SCHEME)

    @override
    async def resolve(self, reference: str) -> Secret:
        path, mark, field = reference.removeprefix(SCHEME).strip().partition("#")
        mount, slash, rest = path.strip("/").partition("/")
        if not (mark and field and slash and rest) or ".." in path:
            raise SecretMissing(f"'{reference}' is written vault:MOUNT/PATH#FIELD")
        value = (await self._fields(mount, rest)).get(field)
        if not isinstance(value, str) or not value.strip():
            raise SecretMissing(f"{SCHEME}{path} has no text in the field '{field}'")
        return Secret(value.strip())

    async def _fields(self, mount: str, rest: str) -> Mapping[str, object]:
        path = f"{mount}/{rest}"
        known = self._read.get(path)
        if known is not None and self._clock.monotonic() - known.at < FRESH_SECONDS:
            return known.fields
        try:
            fields = await self._ask(mount, rest)
        except _Away as error:
            if known is not None:
                return known.fields
            raise SecretMissing(f"{SCHEME}{path}: {error}") from error
        self._read[path] = _Read(fields, self._clock.monotonic())
        return fields

    async def _ask(self, mount: str, rest: str) -> Mapping[str, object]:
        """Raises `_Away`, and `SecretMissing` where Vault says no."""
        base = self._variables.get("VAULT_ADDR", "").rstrip("/")
        if not base:
            raise SecretMissing("the variable VAULT_ADDR is not set")
        rest = rest.removeprefix("data/")
        url = httpx.URL(f"{base}/v1/{quote(mount)}/data/{quote(rest)}")
        headers = {"host": url.netloc.decode("ascii"), "x-vault-token": self._token(), "x-vault-request": "true"}
        if namespace := self._variables.get("VAULT_NAMESPACE"):
            headers["x-vault-namespace"] = namespace
        try:
            async with asyncio.timeout(ASK_SECONDS):
                status, body = await self._get(url, headers)
        except (TimeoutError, httpx.HTTPError, OSError) as error:
            why = "its address is refused" if isinstance(error, EgressRefused) else "it does not answer"
            raise _Away(f"Vault at VAULT_ADDR: {why}") from error
        if status != 200:
            why = _WHY.get(status, f"Vault answered {status}")
            raise _Away(why) if status >= 429 else SecretMissing(f"{SCHEME}{mount}/{rest}: {why}")
        return _fields_of(body, f"{SCHEME}{mount}/{rest}")

    def _token(self) -> str:
        """Agents renew it in their file, so that it is read anew each time."""
        if token := self._variables.get("VAULT_TOKEN", "").strip():
            return token
        name = self._variables.get("VAULT_TOKEN_FILE", "")
        try:
            token = Path(name).read_text(encoding="ascii").strip() if name else ""
        except (OSError, UnicodeDecodeError) as error:
            raise SecretMissing("the file of VAULT_TOKEN_FILE cannot be read") from error
        if not token:
            raise SecretMissing("neither VAULT_TOKEN nor VAULT_TOKEN_FILE gives a token")
        return token

    async def _get(self, url: httpx.URL, headers: dict[str, str]) -> tuple[int, bytes]:
        transport = self._make_transport(EgressGuard.for_provider(url, allow_private_network=True))
        try:
            request = httpx.Request("GET", url, headers=headers)
            answer = await transport.handle_async_request(request)
            try:
                body = b""
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > MAX_BYTES:
                        raise _Away("Vault answered more than a megabyte")
            finally:
                await answer.aclose()
            return answer.status_code, body
        finally:
            await transport.aclose()


class _Away(Exception):
    """Vault cannot be asked now."""


class _Data(msgspec.Struct, frozen=True):
    data: dict[str, object] | None = None


class _Answer(msgspec.Struct, frozen=True):
    data: _Data


def _fields_of(body: bytes, path: str) -> Mapping[str, object]:
    try:
        found = msgspec.json.decode(body, type=_Answer).data.data
    except msgspec.DecodeError as error:
        raise SecretMissing(f"{path}: this is no answer of a KV engine of version 2") from error
    if found is None:
        raise SecretMissing(f"{path}: its newest version was deleted")
    return found
