"""The code of the made-up kind: its dialect, and the adapter that pairs it with an address and the headers of a key.

In the tree the dialect would be under `adapters/dialects`, the rest `adapters/providers/parrot/adapter.py`.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from typing_extensions import override

from adapters.dialects.openai.params import CHAT_PARAMS
from adapters.providers.base_url import endpoint
from adapters.providers.capability import HttpCapability, fixed
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.chat_answer import MadeMessage, chat_answer
from adapters.wire.chat_history import history
from adapters.wire.errors import Refusals, failure_from_answer, unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.read_stream import WrittenEvents
from adapters.wire.replay import Replay
from adapters.wire.sift import keep_strict, sift
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.fidelity import HONORED, Fidelity, mapped, refused
from domain.fidelity import dropped as left_out
from domain.ports.providers import Capabilities
from domain.usage import TokenUsage

PARAMS: Final[Fidelity] = dict.fromkeys(CHAT_PARAMS, left_out()) | {
    "stream": mapped("live"),
    "stream_options": mapped("", "usage comes without being asked for"),
    "max_tokens": mapped("limit"),
    "max_completion_tokens": mapped("limit"),
    "temperature": HONORED,
    "n": refused("one answer a request"),
    "tools": refused("it calls none"),
}

_encode = msgspec.json.Encoder().encode


class _Said(msgspec.Struct):
    """A whole answer, or an event of a stream."""

    said: str = ""
    over: bool = False
    read: int | None = None
    wrote: int = 0

    @property
    def usage(self) -> TokenUsage | None:
        return TokenUsage(input_tokens=self.read, output_tokens=self.wrote) if self.read is not None else None


_decode = msgspec.json.Decoder(_Said).decode


class Parrot:
    """The second way: a dialect. `{"bird": …, "talk": [{"who": …, "said": …}]}` is answered with `{"said": …}`."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, drop: Sequence[str] = ()) -> None:
        self._drop = drop

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        fields = {name: raw for name, raw in call.payload.fields.items() if name not in self._drop}
        lost = sift(fields, PARAMS, ignored=("model", "messages"))
        talk = [{"who": message.role, "said": message.text()} for message in history(call.payload)]
        body: dict[str, Any] = {"bird": call.model, "talk": talk, "live": stream}
        if "temperature" in fields:
            body["temperature"] = fields["temperature"]
        limit = fields.get("max_completion_tokens", fields.get("max_tokens"))
        if limit is not None:
            body["limit"] = limit
        return Encoded(_encode(body), keep_strict(lost, strict=call.strict))

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:
        try:
            answer = _decode(body)
        except UNDECODABLE:
            raise unreadable(body, call.secret) from None
        return chat_answer(call, [(MadeMessage(answer.said), "stop")], answer.usage)

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> "ParrotStream":
        return ParrotStream(call)

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay | None:
        return None

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return failure_from_answer(status, headers, body, Refusals(), secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return ()


class ParrotStream(WrittenEvents):
    """Its events. Only `over` completes an answer."""

    @override
    def _event(self, name: bytes, data: bytes) -> bytes:
        event = _decode(data)
        output = self._writer.text(event.said)
        if event.over:
            self.done, self.usage = True, event.usage
            output += self._writer.finish("stop") + self._writer.usage(self.usage)
        return output


def build(context: BuildContext) -> Capabilities:
    """Chat; what else can be carried over chat comes by itself."""
    upstream = HttpUpstream(context.transport, context.timeouts, context.now)
    headers = KeyHeaders(context.user_agent, header="x-seed", prefix="")
    talk = fixed(endpoint(context.base, "/talk"))
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream, Parrot(context.provider.settings.drop_params), talk, headers
    )
    return Capabilities(chat=chat)


def fidelity(entry: Entry) -> dict[str, Fidelity]:
    """The parameter tables, by endpoint."""
    return {"chat.completions": PARAMS}
