"""Whose requests to AWS are: a stored key, the environment's variables, or whatever botocore's chain finds.

botocore is synchronous and reads files and metadata services, so it runs in threads, and is imported in one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from adapters.wire.errors import shown
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey

BEARER_VARIABLE: Final = "AWS_BEARER_TOKEN_BEDROCK"

_HOW: Final = (
    "A Bedrock key is an API key, or JSON with access_key_id, secret_access_key and, if temporary, session_token."
)


class AccessKey(NamedTuple):
    """What signs; the names are botocore's."""

    access_key: str
    secret_key: str
    token: str | None


class ApiKey(NamedTuple):
    """A Bedrock API key: a bearer token that signs nothing."""

    token: str


class _StoredKey(msgspec.Struct):
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


_decode_key = msgspec.json.Decoder(_StoredKey).decode


class AwsIdentity:
    """The credentials of one provider version. `chain` finds others where no key is stored; it may block."""

    def __init__(self, variables: Mapping[str, str], chain: Callable[[str | None], Any] | None = None) -> None:
        self._variables = variables
        self._chain = chain or _botocore_chain
        self._found: Any = None  # botocore's credentials, which renew themselves
        self._finding = asyncio.Lock()
        self._prepared = False

    async def of(self, key: ProviderKey | None) -> AccessKey | ApiKey:
        """Raises `UpstreamFailure` (`INVALID_CREDENTIAL`, or `CONNECT` where the place that knows cannot be asked)."""
        if not self._prepared:
            await asyncio.to_thread(_import_botocore)
            self._prepared = True
        if key is not None:
            return _stored(key)
        bearer = self._variables.get(BEARER_VARIABLE)
        if bearer:
            return ApiKey(bearer)
        access, secret = self._variables.get("AWS_ACCESS_KEY_ID"), self._variables.get("AWS_SECRET_ACCESS_KEY")
        if access and secret:
            return AccessKey(access, secret, self._variables.get("AWS_SESSION_TOKEN"))
        return await self._from_chain()

    async def _from_chain(self) -> AccessKey:
        if self._found is None or _is_due(self._found):
            async with self._finding:
                if self._found is None or _is_due(self._found):
                    self._found = await asyncio.to_thread(self._look)
        frozen = self._found.get_frozen_credentials()
        return AccessKey(frozen.access_key, frozen.secret_key, frozen.token)

    def _look(self) -> Any:
        """In a thread: the credentials, renewed."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.exceptions import ConnectionError as NotReached

        try:
            found = self._found if self._found is not None else self._chain(self._variables.get("AWS_PROFILE"))
            if found is not None:
                found.get_frozen_credentials()
        except (HTTPClientError, NotReached) as error:
            raise UpstreamFailure(FailureKind.CONNECT, shown(f"AWS credentials: {error}", None)) from None
        except (BotoCoreError, ClientError) as error:
            raise UpstreamFailure(FailureKind.INVALID_CREDENTIAL, shown(f"AWS credentials: {error}", None)) from None
        if found is None:
            raise UpstreamFailure(
                FailureKind.INVALID_CREDENTIAL,
                f"No AWS credentials were found. Set {BEARER_VARIABLE} or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "choose an AWS_PROFILE, or store a key for this provider.",
            )
        return found


def _stored(key: ProviderKey) -> AccessKey | ApiKey:
    text = key.secret.reveal().strip()
    if not text.startswith("{"):
        if not text.isascii() or not text.isprintable():
            raise _unusable(key, "holds characters that no HTTP header can carry; enter it again")
        return ApiKey(text)
    try:
        stored = _decode_key(text)
    except msgspec.MsgspecError:
        raise _unusable(key, f"cannot be read. {_HOW}") from None
    return AccessKey(stored.access_key_id, stored.secret_access_key, stored.session_token)


def _unusable(key: ProviderKey, why: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.INVALID_CREDENTIAL, f"Key '{key.label}' {why}")


def _is_due(credentials: Any) -> bool:
    """Whether they are temporary and soon over; botocore's own window is fifteen minutes."""
    due = getattr(credentials, "refresh_needed", None)
    return bool(due()) if due is not None else False


def _import_botocore() -> None:
    """What signing and streaming need, so that no import blocks the loop later.

    botocore's debug lines hold what is signed, session tokens too: they are never written (S-21).
    """
    import botocore.auth
    import botocore.awsrequest
    import botocore.eventstream  # noqa: F401 - imported for later

    logging.getLogger("botocore").setLevel(logging.WARNING)


def _botocore_chain(profile: str | None) -> Any:
    from botocore.session import Session

    return Session(profile=profile).get_credentials()
