"""Converse as a dialect: one chat format for every model on Bedrock."""

from collections.abc import Sequence

from adapters.dialects.bedrock.answer import read_converse
from adapters.dialects.bedrock.errors import failure_from_bedrock
from adapters.dialects.bedrock.families import family_of
from adapters.dialects.bedrock.request import encode_converse
from adapters.dialects.bedrock.stream import ConverseStreamDecoder
from adapters.dialects.bedrock.tools import answers_by_tool
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.replay import Replay, chat_replay
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class BedrockConverse:
    """Chat. `drop` are an operator's own parameters to leave out."""

    stream_types = frozenset({"application/vnd.amazon.eventstream"})

    def __init__(self, drop: Sequence[str] = ()) -> None:
        self._drop = drop

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - the address says it
        return encode_converse(call, self._drop)

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_converse(body, call, answers_by_tool=answers_by_tool(call, family_of(call.model)))

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> ConverseStreamDecoder:  # noqa: ARG002 - frames
        return ConverseStreamDecoder(call, answers_by_tool=answers_by_tool(call, family_of(call.model)))

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
        return chat_replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return failure_from_bedrock(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - it sends none
        return ()
