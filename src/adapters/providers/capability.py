"""One capability of one upstream: a dialect, an address, and the headers of a key; or several, chosen by the model."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

import httpx
from typing_extensions import override

from adapters.constraints.conform import Conformed, Conformer
from adapters.providers.dialect import Dialect, StreamDecoder
from adapters.providers.opening import Opening
from adapters.providers.upstream import HttpStream, HttpUpstream, give_up, unexpected_status
from adapters.transport.response_stream import UpstreamResponse
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.refusal_meaning import ADDED_FIELDS
from adapters.wire.replay import ReplayedAnswer
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.ports.providers import (
    Answering,
    CallProgress,
    ModelLister,
    ProviderAnswer,
    ProviderCall,
    ProviderStream,
    Streaming,
)
from domain.providers import Offering
from domain.secrets import Secret

MAX_MODELS = 1_024

_NONE: frozenset[str] = frozenset()


class RefusedFields:
    """By model, as a router's hosts differ. Lives as long as the provider's version: a changed one is asked afresh."""

    def __init__(self) -> None:
        self._by_model: OrderedDict[str, frozenset[str]] = OrderedDict()

    def of(self, model: str) -> frozenset[str]:
        return self._by_model.get(model, _NONE) if self._by_model else _NONE

    def learn(self, model: str, sent: bytes, failure: UpstreamFailure) -> None:
        """Take note of a refusal. What was not sent was not ours: then the request is refused for its own sake."""
        if failure.kind is not FailureKind.ADDED_FIELD_REFUSED:
            return
        refused = frozenset(name for name in ADDED_FIELDS if b'"%s":' % name.encode() in sent)
        if not refused:
            failure.kind = FailureKind.FEATURE_REFUSED
            return
        self._by_model[model] = self.of(model) | refused
        if len(self._by_model) > MAX_MODELS:
            self._by_model.popitem(last=False)


R = TypeVar("R", bound=InferenceRequest)

Address = Callable[[str, bool], httpx.URL]
"""From a model and whether it streams to where the request goes."""


def fixed(url: httpx.URL) -> Address:
    """The address of an upstream that takes every model at one address."""

    def address(model: str, stream: bool) -> httpx.URL:  # noqa: ARG001 - an `Address`
        return url

    return address


class HeaderSource(Protocol):
    """The headers to call one provider with."""

    def of(self, key: ProviderKey | None) -> httpx.Headers:
        """Raises `UpstreamFailure` for a key that cannot stand in a header."""
        ...


class HttpCapability(Answering[R], Streaming[R], Generic[R]):
    """Answers whole and as a stream, whatever the capability.

    `conformer` makes conversations follow what the upstream takes; what is none needs none.
    """

    def __init__(
        self,
        upstream: HttpUpstream,
        dialect: Dialect[R],
        address: Address,
        headers: HeaderSource,
        conformer: Conformer | None = None,
    ) -> None:
        self._upstream = upstream
        self._dialect = dialect
        self._address = address
        self._headers = headers
        self._conformer = conformer
        self._refused_fields = RefusedFields()

    @override
    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer:
        fit = self._fit(call)
        dialect_call = self._dialect_call(call, fit)
        encoded = self._dialect.encode(dialect_call, stream=False)
        answer = await self._send(call, encoded, stream=False)
        try:
            if answer.stream is not None:  # else there is nothing left to wait for
                call.progress.headers_received()
            await self._accept(answer, dialect_call, call.progress)
            body = await self._upstream.read(answer, dialect_call.secret, call.progress)
        finally:
            await give_up(answer)
        plain = self._dialect.read(body, dialect_call, _content_type(answer))
        limits = self._dialect.limits(answer.headers, dialect_call.now())
        body = plain.body if fit.changes is None else fit.changes.undone(plain.body)
        dropped = _all_dropped(fit, encoded)
        return ProviderAnswer(
            body, plain.model, plain.usage, limits, dropped, plain.output_text, plain.content_type, kept=plain.kept
        )

    @override
    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        fit = self._fit(call)
        dialect_call = self._dialect_call(call, fit)
        encoded = self._dialect.encode(dialect_call, stream=True)
        answer = await self._send(call, encoded, stream=True)
        try:
            call.progress.headers_received()
            await self._accept(answer, dialect_call, call.progress)
            await self._refuse_other_types(answer, dialect_call, call.progress)
        except BaseException as error:
            if isinstance(error, UpstreamFailure):
                self._refused_fields.learn(call.model, encoded.body, error)
            await give_up(answer)
            raise
        limits = self._dialect.limits(answer.headers, dialect_call.now())
        decoder = self._dialect.decoder(dialect_call, _content_type(answer))
        opening = Opening(self._dialect.stream_types, partial(self._replayed, dialect_call))
        learn = partial(self._refused_fields.learn, call.model, encoded.body)
        dropped = _all_dropped(fit, encoded)
        undone = None if fit.changes is None else fit.changes.undone
        return HttpStream(answer, decoder, opening, call.progress, dialect_call.secret, limits, dropped, learn, undone)

    def _fit(self, call: ProviderCall[R]) -> Conformed[R]:
        """The request as this upstream takes it."""
        if self._conformer is None:
            return Conformed(call.payload, call.client_headers)
        return self._conformer.conform(call.payload, call.model, call.client_headers, strict=call.strict)

    def _dialect_call(self, call: ProviderCall[R], fit: Conformed[R]) -> DialectCall[R]:
        return DialectCall(
            fit.payload,
            call.model,
            call.key.secret if call.key is not None else None,
            self._upstream.now,
            include_usage=call.include_usage,
            strict=call.strict,
            client_headers=fit.headers,
            carried_from=call.carried_from,
            omit=self._refused_fields.of(call.model),
            owner_key=call.owner_key,
        )

    def _send(self, call: ProviderCall[R], encoded: Encoded, *, stream: bool) -> Awaitable[UpstreamResponse]:
        headers = self._headers.of(call.key)
        if encoded.headers or encoded.content_type != "application/json":
            headers = headers.copy()
            headers["content-type"] = encoded.content_type
            for name, value in encoded.headers:
                headers[name] = value
        url = self._address(call.model, stream)
        return self._upstream.send("POST", url, headers, encoded.body, call.key)

    async def _accept(self, answer: UpstreamResponse, dialect_call: DialectCall[R], progress: CallProgress) -> None:
        """Return for a 200; raise what any other status means, with the provider's words."""
        status = answer.status
        if status == 200:
            return
        failure = unexpected_status(status)
        if failure is not None:
            raise failure
        if status >= 400:
            body = await self._upstream.read_some(answer, progress)
            raise self._dialect.failure(status, answer.headers, body, dialect_call)

    async def _refuse_other_types(
        self, answer: UpstreamResponse, dialect_call: DialectCall[R], progress: CallProgress
    ) -> None:
        """A page of a proxy is no stream. What may be one says by its first bytes what it is."""
        kind = _content_type(answer)
        wanted = self._dialect.stream_types
        if not wanted or kind in wanted or kind in _ANY_TYPE or kind.endswith("json"):
            return
        raise unreadable(await self._upstream.read_some(answer, progress), dialect_call.secret, "an event stream")

    def _replayed(self, dialect_call: DialectCall[R], body: bytes) -> StreamDecoder:
        """Some servers answer a request for a stream with one JSON body. Raises `UpstreamFailure`."""
        answer = self._dialect.read(body, dialect_call, "application/json")
        try:
            replay = self._dialect.replay(answer, dialect_call)
        except UNDECODABLE:  # in a field that nobody read until now
            replay = None
        if replay is None:
            raise unreadable(body, dialect_call.secret, "an event stream")
        return ReplayedAnswer(answer, replay)


def _all_dropped(fit: Conformed[R], encoded: Encoded) -> tuple[str, ...]:
    return tuple(sorted({*fit.dropped, *encoded.dropped})) if fit.dropped else encoded.dropped


_ANY_TYPE = frozenset({"", "text/plain", "text/event-stream", "application/octet-stream"})
"""What servers that do not know better call a stream."""


def _content_type(answer: UpstreamResponse) -> str:
    for name, value in answer.headers:
        if len(name) == 12 and name.lower() == b"content-type":
            return value.partition(b";")[0].strip().lower().decode("latin-1")
    return ""


ReadModels = Callable[[bytes], Sequence[Offering]]
"""Raises one of `UNDECODABLE` for what is no list of models."""

NextPage = Callable[[httpx.URL, bytes], httpx.URL | None]
"""From a page and its body to the page after it; None at the end."""

ReadFailure = Callable[[int, RawHeaders, bytes, Secret | None], UpstreamFailure]


MAX_PAGES: Final = 50
"""Of a list; one that goes on beyond is going round in a circle."""


class HttpModels(ModelLister):
    """One GET and one reader, or a GET a page. `url` of None: there is no list, `certain` is all that is known."""

    def __init__(
        self,
        upstream: HttpUpstream,
        url: httpx.URL | None,
        headers: HeaderSource,
        read: ReadModels,
        failure: ReadFailure,
        certain: Sequence[str] = (),
        next_page: NextPage | None = None,
    ) -> None:
        self._upstream = upstream
        self._url = url
        self._headers = headers
        self._read = read
        self._failure = failure
        self._certain = certain
        self._next_page = next_page

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        url = self._url
        if url is None:
            return tuple(Offering(model) for model in self._certain)
        found: list[Offering] = []
        for _ in range(MAX_PAGES):
            body = await self._page(url, key)
            try:
                found.extend(self._read(body))
                following = self._next_page(url, body) if self._next_page is not None else None
            except UNDECODABLE:
                raise unreadable(body, key.secret if key is not None else None, "a list of models") from None
            if following is None:
                break
            url = following
        return tuple(found)

    async def _page(self, url: httpx.URL, key: ProviderKey | None) -> bytes:
        status, headers, body = await self._upstream.fetch("GET", url, self._headers.of(key), b"", key)
        odd = unexpected_status(status)
        if odd is not None:
            raise odd
        if status >= 400:
            raise self._failure(status, headers.raw, body, key.secret if key is not None else None)
        return body
