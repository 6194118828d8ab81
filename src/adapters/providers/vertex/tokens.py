"""Access tokens of Google's credentials: one fetch for all who wait, and a new one before the old one expires."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from adapters.providers.upstream import HttpUpstream
from adapters.providers.vertex.google_calls import GoogleCalls
from adapters.providers.vertex.stored_key import GoogleJson, refused
from domain.errors import UpstreamFailure
from domain.failover import FailureKind

log = logging.getLogger(__name__)

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
RENEWED_BEFORE_SECONDS: Final = 300.0
_USABLE_SECONDS: Final = 10.0
_USUAL_SECONDS: Final = 3600.0


class TokenSource:
    """The tokens of one credential; `given` of None is the machine's own (application default credentials)."""

    def __init__(self, given: GoogleJson | None, label: str, upstream: HttpUpstream, now: Callable[[], float]) -> None:
        self.quota_project: str | None = None
        self._given = given
        self._label = label
        self._upstream = upstream
        self._now = now
        self._credentials: Any = None  # google-auth's
        self._token = ""
        self._expires_at = 0.0
        self._fetching: asyncio.Task[None] | None = None

    async def token(self) -> str:
        """Raises `UpstreamFailure`."""
        left = self._expires_at - self._now()
        if left > RENEWED_BEFORE_SECONDS:
            return self._token
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.ensure_future(self._fetch())
            self._fetching.add_done_callback(_heard)
        try:
            await asyncio.shield(self._fetching)
        except UpstreamFailure as failure:
            if self._expires_at - self._now() <= _USABLE_SECONDS:
                raise
            log.warning("an access token could not be renewed yet", extra={"error": failure.message})
        return self._token

    async def _fetch(self) -> None:
        calls = GoogleCalls(self._upstream, asyncio.get_running_loop(), machine=self._given is None)
        self._token, seconds = await asyncio.to_thread(self._refreshed, calls)
        self._expires_at = self._now() + seconds

    def _refreshed(self, calls: GoogleCalls) -> tuple[str, float]:
        """In a thread: a new token, and how long it holds."""
        from google.auth import exceptions

        try:
            if self._credentials is None:
                self._credentials = _found(calls) if self._given is None else _made(self._given)
            self._credentials.refresh(calls)
        except exceptions.RefreshError as error:
            failure = _not_given(error, self._label)
        except (exceptions.TransportError, TimeoutError) as error:
            failure = UpstreamFailure(FailureKind.CONNECT, f"No access token could be asked for: {error}.")
        except (exceptions.GoogleAuthError, ValueError, OSError) as error:
            failure = refused(self._label, str(error).rstrip(".")[:300])
        else:
            self.quota_project = getattr(self._credentials, "quota_project_id", None)
            expiry: datetime | None = self._credentials.expiry
            if expiry is None:
                return str(self._credentials.token), _USUAL_SECONDS
            left = (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
            return str(self._credentials.token), left
        raise failure


def _made(given: GoogleJson) -> Any:
    if given.type == "service_account":
        from google.oauth2 import service_account

        return service_account.Credentials.from_service_account_info(given.info, scopes=SCOPES)  # type: ignore[no-untyped-call]  # google-auth types few of its functions
    from google.oauth2 import credentials

    return credentials.Credentials.from_authorized_user_info(given.info)  # type: ignore[no-untyped-call]  # as above


def _found(calls: GoogleCalls) -> Any:
    import google.auth

    return google.auth.default(scopes=SCOPES, request=calls)[0]  # type: ignore[arg-type]  # a callable like its own


def _not_given(error: Exception, label: str) -> UpstreamFailure:
    """`invalid_grant` and the like; what Google asks to be tried again is no fault of the key."""
    reason = str(error.args[0] if error.args else error)[:300]
    if getattr(error, "retryable", False):
        return UpstreamFailure(FailureKind.SERVER_ERROR, f"Google gave no access token: {reason}")
    return refused(label, f"Google gave no access token for it ({reason})")


def _heard(task: asyncio.Task[None]) -> None:
    """Whoever waited may be gone; asyncio would log what nobody heard."""
    if not task.cancelled():
        task.exception()
