"""One capability of one upstream: a dialect, an address, and the headers of a key."""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

import httpx
from typing_extensions import override

from adapters.providers.dialect import Dialect
from adapters.providers.stream import HttpStream, give_up
from adapters.providers.upstream import HttpUpstream, unexpected_status
from adapters.transport.direct import Answer
from adapters.wire.answer import Encoded
from adapters.wire.call import WireCall
from adapters.wire.errors import unreadable
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.ports.providers import Answering, CallProgress, ProviderAnswer, ProviderCall, ProviderStream, Streaming

R = TypeVar("R", bound=InferenceRequest)

Address = Callable[[str, bool], httpx.URL]
"""From a model and whether it streams to where the request goes."""


def fixed(url: httpx.URL) -> Address:
    """The address of an upstream that takes every model at one place."""

    def address(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        return url

    return address


class HeaderSource(Protocol):
    """The headers to call one provider with."""

    def of(self, key: ProviderKey | None) -> httpx.Headers:
        """Raises `UpstreamFailure` for a key that cannot stand in a header."""
        ...


class HttpCapability(Answering[R], Streaming[R], Generic[R]):
    """Answers whole and as a stream, whatever the capability."""

    def __init__(self, upstream: HttpUpstream, dialect: Dialect[R], address: Address, headers: HeaderSource) -> None:
        self._upstream = upstream
        self._dialect = dialect
        self._address = address
        self._headers = headers

    @override
    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer:
        wire = self._wire(call)
        encoded = self._dialect.encode(wire, stream=False)
        answer = await self._send(call, encoded, stream=False)
        try:
            if answer.stream is not None:  # else there is nothing left to wait for
                call.progress.headers_received()
            await self._accept(answer, wire, call.progress)
            body = await self._upstream.read(answer, wire.secret, call.progress)
        finally:
            await give_up(answer)
        told = self._dialect.read(body, wire, _content_type(answer))
        limits = self._dialect.limits(answer.headers, wire.now())
        return ProviderAnswer(
            told.body, told.model, told.usage, limits, encoded.dropped, told.output_text, told.content_type
        )

    @override
    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        wire = self._wire(call)
        encoded = self._dialect.encode(wire, stream=True)
        answer = await self._send(call, encoded, stream=True)
        try:
            call.progress.headers_received()
            await self._accept(answer, wire, call.progress)
            told = await self._answer_instead_of_stream(answer, wire, call.progress)
        except BaseException:
            await give_up(answer)
            raise
        limits = self._dialect.limits(answer.headers, wire.now())
        decoder = self._dialect.decoder(wire, _content_type(answer))
        if told is not None:
            await give_up(answer)
            answer = Answer(200, [], body=told)
        return HttpStream(answer, decoder, call.progress, wire.secret, limits, encoded.dropped)

    def _wire(self, call: ProviderCall[R]) -> WireCall[R]:
        return WireCall(
            call.payload,
            call.model,
            call.key.secret if call.key is not None else None,
            self._upstream.now,
            include_usage=call.include_usage,
            strict=call.strict,
            client_headers=call.client_headers,
        )

    def _send(self, call: ProviderCall[R], encoded: Encoded, *, stream: bool) -> Awaitable[Answer]:
        headers = self._headers.of(call.key)
        if encoded.headers or encoded.content_type != "application/json":
            headers = headers.copy()
            headers["content-type"] = encoded.content_type
            for name, value in encoded.headers:
                headers[name] = value
        url = self._address(call.model, stream)
        return self._upstream.send("POST", url, headers, encoded.body, call.key)

    async def _accept(self, answer: Answer, wire: WireCall[R], progress: CallProgress) -> None:
        """Return for a 200; raise what any other status means, with the provider's words."""
        status = answer.status
        if status == 200:
            return
        failure = unexpected_status(status)
        if failure is not None:
            raise failure
        if status >= 400:
            body = await self._upstream.read_some(answer, progress)
            raise self._dialect.failure(status, answer.headers, body, wire)

    async def _answer_instead_of_stream(
        self, answer: Answer, wire: WireCall[R], progress: CallProgress
    ) -> bytes | None:
        """None for a stream. Some servers answer a streamed request with one JSON body: its events then."""
        kind = _content_type(answer)
        wanted = self._dialect.stream_types
        if not kind or not wanted or kind in wanted:
            return None
        if kind.endswith("json"):
            body = await self._upstream.read(answer, wire.secret, progress)
            told = self._dialect.replay(self._dialect.read(body, wire, kind), wire)
            if told is not None:
                return told
            raise unreadable(body, wire.secret, "an event stream")
        raise unreadable(await self._upstream.read_some(answer, progress), wire.secret, "an event stream")


def _content_type(answer: Answer) -> str:
    for name, value in answer.headers:
        if len(name) == 12 and name.lower() == b"content-type":
            return value.partition(b";")[0].strip().lower().decode("latin-1")
    return ""
