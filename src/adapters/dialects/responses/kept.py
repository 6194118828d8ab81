"""What an upstream of OpenAI's Responses says of those that it keeps, and how many tokens a request for one has.

Source: openai-python 3.52, `resources/responses` (November 2026).
"""

from typing import Final

import msgspec
from msgspec import UnsetType
from typing_extensions import override

from adapters.dialects.responses.answer import Facts, read_head, tokens, with_kept_id
from adapters.dialects.responses.pass_through import ResponsesPassThrough
from adapters.dialects.responses.stream import NativeStreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.errors import RefusalTable, failure_from_answer
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.replay import Replay
from domain.availability import RateLimitWindow
from domain.background_responses import FORGOTTEN, UNSAID, KeptState
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.kept_responses import KeptResponseRequest
from domain.response_ids import kept_id
from domain.responses import ResponsesRequest
from domain.usage import TokenUsage

_FREE: Final = TokenUsage()
"""What was booked when the response was made is not booked again."""

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class KeptResponses:
    """Answers pass as they came, with ids as clients of the gateway know them. A failed response is an answer, too."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, provider_id: str, refusals: RefusalTable) -> None:
        self._provider_id = provider_id
        self._refusals = refusals

    def encode(self, call: DialectCall[KeptResponseRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - all in the address
        return Encoded(b"")

    def read(self, body: bytes, call: DialectCall[KeptResponseRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        facts, request = self._facts(call), call.payload.value
        model = request.of_model or call.model
        try:
            fields = _decode_fields(body)
            if request.action == "input_items":
                return PlainAnswer(body, model, _FREE)
            if "id" not in fields:
                raise facts.unreadable(body)
            shown = with_kept_id(body, self._provider_id, call.owner_key)
            kept = _state(body, request, model)
        except UNDECODABLE:
            raise facts.unreadable(body) from None
        return PlainAnswer(shown, kept.model, _FREE, kept=kept)

    def decoder(self, call: DialectCall[KeptResponseRequest], content_type: str) -> NativeStreamDecoder:  # noqa: ARG002 - events
        return _KeptStream(self._facts(call))

    def replay(self, answer: PlainAnswer, call: DialectCall[KeptResponseRequest]) -> Replay | None:  # noqa: ARG002 - a `Dialect`
        return None

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[KeptResponseRequest]
    ) -> UpstreamFailure:
        if status in {404, 405}:
            shown = kept_id(self._provider_id, call.payload.value.upstream_id, call.owner_key)
            return not_found(shown)
        return failure_from_answer(status, headers, body, self._refusals, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        table = self._refusals.limits
        return read_limits(headers, table, now, by_model=self._refusals.limits_by_model) if table else ()

    def _facts(self, call: DialectCall[KeptResponseRequest]) -> Facts:
        return Facts(self._provider_id, call.model, self._refusals, call.secret, call.now(), call.owner_key)


def _state(body: bytes, request: KeptResponseRequest, model: str) -> KeptState:
    """How the response stands. Raises one of `UNDECODABLE`."""
    if request.action == "delete":
        return KeptState(request.upstream_id, FORGOTTEN, model, fetched=True)
    head = read_head(msgspec.Raw(body))
    usage = tokens(head)
    text = "" if usage is not None or isinstance(head.output, UnsetType) else bytes(head.output).decode()
    model = request.of_model or head.model or model
    return KeptState(request.upstream_id, head.status or UNSAID, model, usage, text, fetched=True)


def not_found(shown_id: str) -> UpstreamFailure:
    """Nobody's fault but the request's."""
    return UpstreamFailure(
        FailureKind.CLIENT_FAULT,
        f"Response with id '{shown_id}' not found.",
        status=404,
        type_="invalid_request_error",
        code="not_found",
    )


class _KeptStream(NativeStreamDecoder):
    """The events of a response that was made in the background, from the one that was asked for on."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.usage = _FREE

    @override
    def _with_response(self, data: bytes, response: msgspec.Raw) -> bytes:
        shown = super()._with_response(data, response)
        self.usage = _FREE
        return shown


class ResponseCounts(ResponsesPassThrough):
    """Counts the input tokens of a request for a response."""

    @override
    def read(self, body: bytes, call: DialectCall[ResponsesRequest], content_type: str) -> PlainAnswer:
        try:
            fields = _decode_fields(body)
        except UNDECODABLE:
            fields = {}
        if "input_tokens" not in fields:
            raise self._facts(call).unreadable(body)
        return PlainAnswer(body, call.model, _FREE)
