"""The one HTTP chat provider: OpenAI's dialect, an entry's quirks and endpoints, and a transport called directly.

`AsyncClient` is left out on purpose: it follows redirects, reads proxies from the environment, keeps cookies,
and costs ten times what the request itself does. Deadlines are the caller's; here nothing is waited for
without it being told to `CallProgress`.
"""

import time
from collections.abc import Callable, Sequence

import httpx
from typing_extensions import override

from adapters.dialects.openai.call import CallFacts
from adapters.dialects.openai.error_body import MAX_BODY_BYTES
from adapters.dialects.openai.errors import failure_from_answer, unreadable
from adapters.dialects.openai.model_list import read_models
from adapters.dialects.openai.rate_limits import read_limits
from adapters.dialects.openai.replay import as_events
from adapters.dialects.openai.request import RequestEncoder
from adapters.dialects.openai.response import PlainAnswer, read_answer
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.dialects.openai.undecodable import UNDECODABLE
from adapters.providers.base_url import endpoint
from adapters.providers.chat_stream import HttpChatStream, give_up, pieces
from adapters.providers.credentials import KeyHeaders
from adapters.providers.entry import Entry
from adapters.providers.failures import transport_failure
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.keys import ProviderKey
from domain.ports.providers import CallProgress, ChatAnswer, ChatCall, ChatProvider, ChatStream, ModelLister
from domain.providers import Offering, Provider
from domain.secrets import Secret
from domain.timeouts import Timeouts

MAX_ANSWER_BYTES = 32 * 1024 * 1024


class HttpChatProvider(ChatProvider, ModelLister):
    """Completes chats and lists models at one base URL. `now` gives Unix seconds."""

    def __init__(
        self,
        provider: Provider,
        entry: Entry,
        base: httpx.URL,
        transport: httpx.AsyncBaseTransport,
        timeouts: Timeouts,
        user_agent: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._quirks = entry.quirks
        self._chat_url = endpoint(base, entry.chat_path)
        self._models_url = endpoint(base, entry.models_path) if entry.models_path is not None else None
        self._certain_models = (*provider.settings.models, *entry.preset.models)
        self._transport = transport
        self._headers = KeyHeaders(user_agent, entry.headers)
        self._encoder = RequestEncoder(entry.quirks, provider.settings.drop_params)
        self._extensions = {
            "timeout": {"connect": timeouts.connect, "pool": timeouts.pool, "read": None, "write": None}
        }
        self._now = now

    @override
    async def complete(self, call: ChatCall) -> ChatAnswer:
        body, dropped = self._encoder.encode(call.payload, call.model, stream=False)
        secret = call.key.secret if call.key is not None else None
        response = await self._send("POST", self._chat_url, call.key, body)
        try:
            call.progress.headers_received()
            await self._accept(response, secret, call.progress)
            answer_body = await self._read(response, secret, call.progress)
        finally:
            await give_up(response)
        answer = read_answer(answer_body, CallFacts(self._quirks, call.model, secret, self._now))
        limits = self._limits(response)
        return ChatAnswer(answer.body, answer.model, answer.usage, limits, dropped, answer.output_text)

    @override
    async def stream(self, call: ChatCall) -> ChatStream:
        body, dropped = self._encoder.encode(call.payload, call.model, stream=True)
        secret = call.key.secret if call.key is not None else None
        facts = CallFacts(self._quirks, call.model, secret, self._now)
        response = await self._send("POST", self._chat_url, call.key, body)
        try:
            call.progress.headers_received()
            await self._accept(response, secret, call.progress)
            answer = await self._answer_instead_of_stream(response, facts, call.progress)
        except BaseException:
            await give_up(response)
            raise
        decoder = ChatStreamDecoder(facts, include_usage=call.include_usage)
        limits = self._limits(response)
        if answer is None:
            return HttpChatStream(response, decoder, call.progress, secret, limits, dropped)
        await give_up(response)
        told = httpx.Response(200, stream=httpx.ByteStream(as_events(answer)))
        return HttpChatStream(told, decoder, call.progress, secret, limits, dropped)

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        if self._models_url is None:
            return tuple(Offering(model) for model in self._certain_models)
        secret = key.secret if key is not None else None
        response = await self._send("GET", self._models_url, key, b"")
        try:
            await self._accept(response, secret, _NoProgress())
            body = await self._read(response, secret, _NoProgress())
        finally:
            await give_up(response)
        try:
            return read_models(body)
        except UNDECODABLE:
            raise unreadable(body, secret, "a list of models") from None

    async def _send(self, method: str, url: httpx.URL, key: ProviderKey | None, body: bytes) -> httpx.Response:
        request = httpx.Request(
            method, url, headers=self._headers.of(key), stream=httpx.ByteStream(body), extensions=self._extensions
        )
        try:
            return await self._transport.handle_async_request(request)
        except httpx.RequestError as error:
            failure = transport_failure(error, key.secret if key is not None else None)
        raise failure

    async def _accept(self, response: httpx.Response, secret: Secret | None, progress: CallProgress) -> None:
        """Return for a 200; raise what any other status means, with the provider's words."""
        status = response.status_code
        if status in {200, 201}:
            return
        if status < 400:
            what = "a redirect, which is never followed: check base_url" if status >= 300 else "no answer"
            raise UpstreamFailure(
                FailureKind.SERVER_ERROR, f"The provider answered with HTTP {status}, {what}.", status=status
            )
        body = await self._read_some(response, progress)
        raise failure_from_answer(status, response.headers.raw, body, self._quirks, secret=secret, now=self._now())

    async def _answer_instead_of_stream(
        self, response: httpx.Response, facts: CallFacts, progress: CallProgress
    ) -> PlainAnswer | None:
        """None for an event stream. Some servers answer a streamed request with one JSON body."""
        kind = response.headers.get("content-type", "text/event-stream").partition(";")[0].strip().lower()
        if kind == "text/event-stream":
            return None
        if kind.endswith("json"):
            return read_answer(await self._read(response, facts.secret, progress), facts)
        beginning = await self._read_some(response, progress)
        raise unreadable(beginning, facts.secret, "an event stream")

    async def _read(self, response: httpx.Response, secret: Secret | None, progress: CallProgress) -> bytes:
        """The whole body, up to 32 MiB. Raises `UpstreamFailure` where it is larger or breaks off."""
        body = response.extensions.get("body")
        if not isinstance(body, bytes):
            parts: list[bytes] = []
            size = 0
            try:
                async for part in pieces(response):
                    progress.bytes_received()
                    parts.append(part)
                    size += len(part)
                    if size > MAX_ANSWER_BYTES:
                        break
                failure = None
            except httpx.RequestError as error:
                failure = transport_failure(error, secret)
            if failure is not None:
                raise failure
            body = b"".join(parts)
        if len(body) > MAX_ANSWER_BYTES:
            raise UpstreamFailure(
                FailureKind.SERVER_ERROR,
                f"The provider's answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB.",
                status=response.status_code,
                code="invalid_response",
            )
        return body

    async def _read_some(self, response: httpx.Response, progress: CallProgress) -> bytes:
        """The first 64 KiB, or what came before it broke off: enough to say what is wrong (R-34)."""
        body = bytearray()
        try:
            async for part in pieces(response):
                progress.bytes_received()
                body += part
                if len(body) >= MAX_BODY_BYTES:
                    break
        except httpx.RequestError:
            return bytes(body)  # the status has said the most important thing
        return bytes(body[:MAX_BODY_BYTES])

    def _limits(self, response: httpx.Response) -> tuple[RateLimitWindow, ...]:
        table = self._quirks.limits
        return read_limits(response.headers.raw, table, self._now()) if table else ()


class _NoProgress(CallProgress):
    """For calls that are no attempt of a request."""

    @override
    def headers_received(self) -> None:
        """Nobody waits."""

    @override
    def bytes_received(self) -> None:
        """Nobody waits."""
