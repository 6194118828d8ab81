"""Sends requests to one upstream and reads what comes back: the only code of the adapters that does.

`AsyncClient` is left out on purpose: it follows redirects, reads proxies from the environment, keeps cookies,
and costs ten times what the request itself does. Deadlines are the caller's; here nothing is waited for
without it being told to `CallProgress`.
"""

import time
from collections.abc import Callable
from typing import Protocol

import httpx
from typing_extensions import override

from adapters.providers.failures import transport_failure
from adapters.providers.stream import give_up
from adapters.transport.direct import Answer, direct
from adapters.wire.error_body import MAX_BODY_BYTES
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import CallProgress
from domain.secrets import Secret
from domain.timeouts import Timeouts

MAX_ANSWER_BYTES = 32 * 1024 * 1024


class Signer(Protocol):
    """Adds credentials that depend on the request or must be fetched: cloud tokens, signatures."""

    async def sign(self, request: httpx.Request, body: bytes, key: ProviderKey | None) -> None:
        """Change the request's headers. Raises `UpstreamFailure` (`INVALID_CREDENTIAL`, `CONNECT`)."""
        ...


class HttpUpstream:
    """One provider version's connections. `now` gives Unix seconds."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        timeouts: Timeouts,
        now: Callable[[], float] = time.time,
        signer: Signer | None = None,
    ) -> None:
        self.now = now
        self._transport = direct(transport, timeouts)
        self._signer = signer

    async def send(
        self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes, key: ProviderKey | None
    ) -> Answer:
        """The answer's head. Raises `UpstreamFailure` where there is none."""
        if self._signer is not None:
            request = httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(body))
            await self._signer.sign(request, body, key)
            headers = request.headers
        try:
            return await self._transport.ask(method, url, headers, body)
        except httpx.RequestError as error:
            failure = transport_failure(error, key.secret if key is not None else None)
        raise failure

    async def read(self, answer: Answer, secret: Secret | None, progress: CallProgress) -> bytes:
        """The whole body, up to 32 MiB. Raises `UpstreamFailure` where it is larger or breaks off."""
        body = answer.body if answer.stream is None else await self._gather(answer, secret, progress)
        if len(body) > MAX_ANSWER_BYTES:
            raise UpstreamFailure(
                FailureKind.SERVER_ERROR,
                f"The provider's answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB.",
                status=answer.status,
                code="invalid_response",
            )
        return body

    async def _gather(self, answer: Answer, secret: Secret | None, progress: CallProgress) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async for part in answer.pieces():
                progress.bytes_received()
                parts.append(part)
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    break
            return b"".join(parts)
        except httpx.RequestError as error:
            failure = transport_failure(error, secret)
        raise failure

    async def read_some(self, answer: Answer, progress: CallProgress) -> bytes:
        """The first 64 KiB, or what came before it broke off: enough to say what is wrong (R-34)."""
        body = bytearray()
        try:
            async for part in answer.pieces():
                progress.bytes_received()
                body += part
                if len(body) >= MAX_BODY_BYTES:
                    break
        except httpx.RequestError:
            return bytes(body)  # the status has said the most important thing
        return bytes(body[:MAX_BODY_BYTES])

    async def fetch(
        self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes, key: ProviderKey | None
    ) -> tuple[int, httpx.Headers, bytes]:
        """A call that is no attempt of a request: status, headers and the whole body. Raises `UpstreamFailure`."""
        answer = await self.send(method, url, headers, body, key)
        try:
            content = await self.read(answer, key.secret if key is not None else None, Unwatched())
        finally:
            await give_up(answer)
        return answer.status, httpx.Headers(answer.headers), content


def unexpected_status(status: int) -> UpstreamFailure | None:
    """The failure of a 1xx, 2xx or 3xx that is no answer; None for an answer or an error with a body to read."""
    if status in {200, 201} or status >= 400:
        return None
    what = "a redirect, which is never followed: check base_url" if status >= 300 else "no answer"
    return UpstreamFailure(
        FailureKind.SERVER_ERROR, f"The provider answered with HTTP {status}, {what}.", status=status
    )


class Unwatched(CallProgress):
    """For calls that are no attempt of a request."""

    @override
    def headers_received(self) -> None:
        """Nobody waits."""

    @override
    def bytes_received(self) -> None:
        """Nobody waits."""
