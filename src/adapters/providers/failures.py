"""What it means when an upstream could not be talked to. No failure carries the request, which holds the key."""

import httpx

from adapters.wire.errors import shown
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.secrets import Secret

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)


def transport_failure(error: httpx.RequestError, secret: Secret | None) -> UpstreamFailure:
    """Raise it outside the `except` block: an exception's context would still lead to the request."""
    told = str(error) or type(error).__name__
    if isinstance(error, _NOTHING_SENT):
        kind, message = FailureKind.CONNECT, f"The provider could not be reached: {told}"
    elif isinstance(error, httpx.TimeoutException):
        kind, message = FailureKind.TIMEOUT, f"The provider did not answer in time: {told}"
    else:
        kind, message = FailureKind.TRUNCATED, f"The connection to the provider broke: {told}"
    return UpstreamFailure(kind, shown(message, secret))
