"""Sends requests to one upstream and reads what comes back: the only code of the adapters that does.

`AsyncClient` is left out on purpose: it follows redirects, reads proxies from the environment, keeps cookies,
and costs ten times what the request itself does. Deadlines are the caller's; here nothing is waited for
unless `CallProgress` hears of it. What a request carries of a key is made here too, once for each key.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import httpx
from typing_extensions import override

from adapters.providers.dialect import KeptStreamDecoder, StreamDecoder
from adapters.providers.opening import MAX_ANSWER_BYTES, Opening
from adapters.providers.own_shortage import is_own_shortage
from adapters.transport.direct import direct
from adapters.transport.response_stream import UnreadableAnswer, UpstreamResponse
from adapters.wire.error_body import MAX_BODY_BYTES
from adapters.wire.errors import shown
from adapters.wire.raw_json import without_halves
from domain.availability import RateLimitWindow
from domain.background_responses import KeptState
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import CallProgress, ProviderStream
from domain.secrets import Secret
from domain.timeouts import Timeouts

_STEP_BYTES = 16 * 1024
"""What is decoded at once."""

_LAST_BYTES_SECONDS = 0.05
"""After `[DONE]` only the end of the body is due; waiting a moment for it keeps the connection for others."""


class HttpStream(ProviderStream):
    """Owns what `answer` streams until it is closed; the rest of the answer is let go.

    `on_failure` is told of a failure before it is raised; `undone` changes back in a block what was changed to ask.
    """

    def __init__(
        self,
        answer: UpstreamResponse,
        decoder: StreamDecoder,
        opening: Opening,
        progress: CallProgress,
        secret: Secret | None,
        limits: tuple[RateLimitWindow, ...],
        dropped_params: tuple[str, ...],
        on_failure: Callable[[UpstreamFailure], None] | None = None,
        undone: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._on_failure = on_failure
        self._undone = undone
        self.content_type = decoder.content_type
        self.limits = limits
        self.dropped_params = dropped_params
        self._source = answer.stream
        self._pieces: AsyncIterator[bytes] = aiter(answer.pieces())
        self._decoder = decoder
        self._opening = opening
        self._progress = progress
        self._secret = secret
        self._closed = False
        self._reading = False
        self.has_content = False
        self._note()

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        failure = None
        self._reading = True
        try:
            piece: bytes | None = await self._begin()
            decoder = self._decoder
            while piece is not None:
                for part in _in_steps(piece):
                    block = decoder.feed(part)
                    if block:
                        self._note()
                        yield block if self._undone is None else self._undone(block)
                    elif part is not piece:
                        await asyncio.sleep(0)  # a flood of comments must not keep the others waiting
                    if decoder.done or decoder.failure is not None:
                        break
                if decoder.done or decoder.failure is not None:
                    break
                piece = await anext(self._pieces, None)
                self._progress.bytes_received()
            else:
                block = decoder.finish()
                self._note()
                if block:
                    yield block if self._undone is None else self._undone(block)
        except UpstreamFailure as error:
            failure = error
        except httpx.RequestError as error:
            failure = transport_failure(error, self._secret)
        self._note()
        self._reading = False
        failure = failure or self._decoder.failure
        if failure is not None:
            if self._on_failure is not None:
                self._on_failure(failure)
            raise failure

    async def _begin(self) -> bytes:
        """What is to be decoded first, by the decoder that is right for it."""
        opening = self._opening
        data = await opening.read(self._pieces, self._progress)
        if opening.is_whole(data):
            self._decoder, data = await opening.whole(data, self._pieces, self._decoder, self._progress)
        return data

    @override
    def output_text(self) -> str:
        return self._decoder.output_text()

    @override
    def kept(self) -> KeptState | None:
        return self._decoder.kept() if isinstance(self._decoder, KeptStreamDecoder) else None

    @override
    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._decoder.done and not self._reading:
                with suppress(httpx.RequestError, TimeoutError):
                    async with asyncio.timeout(_LAST_BYTES_SECONDS):
                        await anext(self._pieces, None)
        finally:
            if self._source is not None:
                await cut(self._source)

    def _note(self) -> None:
        self.model = self._decoder.model
        self.usage = self._decoder.usage
        if self._decoder.has_content and not self.has_content:
            self.has_content = True
            self._progress.content_received()
        self.output_bytes = self._decoder.output_bytes
        self.ending = self._decoder.ending if self._undone is None else self._undone(self._decoder.ending)


def _in_steps(piece: bytes) -> Sequence[bytes]:
    if len(piece) <= _STEP_BYTES:
        return (piece,)
    return [piece[at : at + _STEP_BYTES] for at in range(0, len(piece), _STEP_BYTES)]


_KEPT: Final = 1024
"""Keys whose headers are remembered; more are built anew each time one is forgotten."""

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
)


class Signer(Protocol):
    """Adds credentials that depend on the request or must be fetched: cloud tokens, signatures."""

    async def sign(self, request: httpx.Request, body: bytes, key: ProviderKey | None) -> None:
        """Change the request's headers. Raises `UpstreamFailure` (`INVALID_CREDENTIAL`, `CONNECT`)."""
        ...


class KeyHeaders:
    """The headers to call one provider with, by key: `header` carries it behind `prefix`.

    An allow-list built once, so that nothing of a client's request leaks (S-24).

    Source: every OpenAI-compatible API takes a Bearer key, Anthropic `x-api-key`, Azure `api-key`, Google
    `x-goog-api-key` (read 2026-11).
    """

    def __init__(
        self,
        user_agent: str,
        fixed: Sequence[tuple[str, str]] = (),
        header: str = "authorization",
        prefix: str = "Bearer ",
    ) -> None:
        self._header = header.lower().encode()
        self._prefix = prefix.encode()
        self._fixed = [
            (b"content-type", b"application/json"),
            (b"accept", b"application/json"),  # as OpenAI's own clients ask, for streams too
            (b"user-agent", user_agent.encode()),
            *((name.lower().encode(), value.encode()) for name, value in fixed),
        ]
        self._without_key = httpx.Headers(self._fixed)
        self._by_key: dict[str, tuple[ProviderKey, httpx.Headers]] = {}

    def of(self, key: ProviderKey | None) -> httpx.Headers:
        """Raises `UpstreamFailure` for a key that cannot stand in a header."""
        if key is None:
            return self._without_key
        known = self._by_key.get(key.id)
        if known is not None and known[0] is key:
            return known[1]
        value = key.secret.reveal().strip()
        if not value.isascii() or not value.isprintable():
            raise UpstreamFailure(
                FailureKind.INVALID_CREDENTIAL,
                f"Key '{key.label}' holds characters that no HTTP header can carry; enter it again.",
            )
        headers = httpx.Headers([*self._fixed, (self._header, self._prefix + value.encode())])
        if len(self._by_key) >= _KEPT:
            self._by_key.clear()
        self._by_key[key.id] = (key, headers)
        return headers


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
    ) -> UpstreamResponse:
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

    async def read(self, answer: UpstreamResponse, secret: Secret | None, progress: CallProgress) -> bytes:
        """The whole body, up to 32 MiB. Raises `UpstreamFailure` where it is larger or breaks off."""
        body = answer.body if answer.stream is None else await self._gather(answer, secret, progress)
        if len(body) > MAX_ANSWER_BYTES:
            raise UpstreamFailure(
                FailureKind.SERVER_ERROR,
                f"The provider's answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB.",
                status=answer.status,
                code="invalid_response",
            )
        return without_halves(body) if body[:64].lstrip()[:1] in (b"{", b"[") else body

    async def _gather(self, answer: UpstreamResponse, secret: Secret | None, progress: CallProgress) -> bytes:
        parts: list[bytes] = []
        size = 0
        begun = False
        try:
            async for part in answer.pieces():
                progress.bytes_received()
                if not begun and not part.isspace():  # blank lines keep a connection open while the model thinks
                    begun = True
                    progress.content_received()
                parts.append(part)
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    break
            return b"".join(parts)
        except httpx.RequestError as error:
            failure = transport_failure(error, secret)
        raise failure

    async def read_some(self, answer: UpstreamResponse, progress: CallProgress) -> bytes:
        """The first 64 KiB, or what came before it broke off: enough to say what is wrong (R-34)."""
        body = bytearray()
        progress.content_received()  # its status was the answer
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


async def give_up(answer: UpstreamResponse) -> None:
    """Close the answer at once, also while the calling task is being cancelled (R-01)."""
    if answer.stream is not None:  # else it arrived whole, and its connection is free already
        await cut(answer.stream)


async def cut(source: httpx.AsyncByteStream) -> None:
    """Close what streams, shielded from the cancellation of the calling task."""
    with suppress(httpx.RequestError):
        await asyncio.shield(asyncio.ensure_future(source.aclose()))


def transport_failure(error: httpx.RequestError, secret: Secret | None) -> UpstreamFailure:
    """What it means that an upstream could not be talked to; it carries no request, which holds the key.

    Raise it outside the `except` block: an exception's context would still lead to the request.
    """
    reason = str(error) or type(error).__name__
    if is_own_shortage(error):
        kind, message = FailureKind.LOCAL_SHORTAGE, f"The gateway's own machine is short of something: {reason}"
    elif isinstance(error, _NOTHING_SENT):
        kind, message = FailureKind.CONNECT, f"The provider could not be reached: {reason}"
    elif isinstance(error, httpx.TimeoutException):
        kind, message = FailureKind.TIMEOUT, f"The provider did not answer in time: {reason}"
    elif isinstance(error, UnreadableAnswer):
        message = f"The provider's answer cannot be read: {reason}"
        return UpstreamFailure(FailureKind.SERVER_ERROR, shown(message, secret), status=200)
    else:
        kind, message = FailureKind.TRUNCATED, f"The connection to the provider broke: {reason}"
    return UpstreamFailure(kind, shown(message, secret))


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

    @override
    def content_received(self) -> None:
        """Nobody waits."""
