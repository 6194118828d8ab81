"""What chat says, read as far as a response tells it: the deltas of chunks, and whole messages, which are one delta.

Chat's answers reach this point mended, whoever gave them: roles, indexes and ids are there, arguments are text.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from adapters.ingress.responses.envelope import Envelope
from adapters.ingress.responses.output import CallItem, CustomCallItem, Json, MessageItem, OutputItem, ReasoningItem
from adapters.ingress.responses.tools import ToolNames
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.signatures import PLACE, in_order, place_of
from adapters.wire.sse import read_event
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage


class FunctionDelta(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class CallDelta(msgspec.Struct):
    """A fragment of a tool call; a whole message's calls have no index but their place."""

    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None
    extra_content: Any = None


class Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking_blocks: Any = None
    tool_calls: list[CallDelta] | None = None
    annotations: Any = None

    def thought(self) -> str:
        """Some providers say the same under both names."""
        for value in (self.reasoning_content, self.reasoning):
            if isinstance(value, str) and value:
                return value
        return ""


class Logprobs(msgspec.Struct):
    content: list[Any] | None = None


class ChunkChoice(msgspec.Struct):
    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Chunk(msgspec.Struct):
    choices: list[ChunkChoice] = []
    model: str | None = None
    service_tier: str | None = None


class WholeChoice(msgspec.Struct):
    message: Delta
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Completion(msgspec.Struct):
    choices: list[WholeChoice]
    model: str | None = None
    service_tier: str | None = None


_CALL_ID_DIGITS: Final = 24
"""Short enough for every upstream that may read the call in a history: OpenAI's chat takes ids of 40 characters."""
_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Chat's finish reasons that mean less than all, as Responses calls them."""

_encode = msgspec.json.Encoder().encode


class ResponseMaker:
    """One response. Feed it `begin`, then `say` as often as chat does, then `finish`; `take` what there is to tell."""

    def __init__(self, envelope: Envelope, tools: ToolNames) -> None:
        self._envelope = envelope
        self._tools = tools
        self._events: list[bytes] = []
        self._sequence_number = 0
        self._items: list[OutputItem] = []
        self._speaking: MessageItem | ReasoningItem | None = None
        self._calls: dict[int, CallItem | CustomCallItem] = {}
        self._extra_content: dict[str, Any] = {}

    def begin(self) -> None:
        response = self._envelope.opening()
        self._tell("response.created", response=response)
        self._tell("response.in_progress", response=response)

    def say(self, delta: Delta, logprobs: list[Any] | None = None) -> None:
        """What chat says next; a whole message is one delta."""
        thought = delta.thought()
        if thought:
            self._reasoning().text(thought)
        if isinstance(delta.thinking_blocks, list):
            self._reasoning().sealed.thinking_blocks += delta.thinking_blocks
        if isinstance(delta.reasoning_details, list):
            self._reasoning().sealed.reasoning_details += delta.reasoning_details
        if delta.content:
            self._message().text(delta.content, [_logprob(entry) for entry in logprobs or ()])
        if delta.refusal:
            self._message().refusal(delta.refusal)
        if isinstance(delta.annotations, list):
            for annotation in delta.annotations:
                if (citation := _citation(annotation)) is not None:
                    self._message().annotation(citation)
        for place, call in enumerate(delta.tool_calls or ()):
            self._call(place if call.index is None else call.index, call)

    def finish(self, reason: str | None, usage: TokenUsage | None, now: int) -> Json:
        """Ends every item; the whole response. Its terminal event is the last of what `take` gives."""
        why = _INCOMPLETE.get(reason or "")
        status = "incomplete" if why is not None else "completed"
        if self._extra_content:
            self._open_reasoning().sealed.extra_content |= self._extra_content
        for item in self._items:
            if not item.closed:
                item.close(status)
        response = self._envelope.response(
            status,
            [item.json() for item in self._items],
            usage=usage,
            incomplete_reason=why,
            completed_at=None if why is not None else now,
        )
        self._tell(f"response.{status}", response=response)
        return response

    def take(self) -> list[bytes]:
        """The events since the last time."""
        events, self._events = self._events, []
        return events

    def _tell(self, type_: str, **fields: object) -> None:
        data = _encode({"type": type_, "sequence_number": self._sequence_number, **fields})
        self._sequence_number += 1
        self._events.append(b"event: %b\ndata: %b\n\n" % (type_.encode(), data))

    def _next(self) -> tuple[str, int]:
        """The random part of the next item's id, and its place."""
        place = len(self._items)
        return f"{self._envelope.token}{place:02x}", place

    def _message(self) -> MessageItem:
        if not isinstance(self._speaking, MessageItem):
            self._silence()
            token, place = self._next()
            self._speaking = MessageItem(self._tell, f"msg_{token}", place)
            self._items.append(self._speaking)
        return self._speaking

    def _reasoning(self) -> ReasoningItem:
        if not isinstance(self._speaking, ReasoningItem):
            self._silence()
            self._speaking = self._open_reasoning()
        return self._speaking

    def _open_reasoning(self) -> ReasoningItem:
        token, place = self._next()
        item = ReasoningItem(self._tell, token, place)
        self._items.append(item)
        return item

    def _silence(self) -> None:
        """Nothing more comes of what was being said. Calls stay open: their fragments may alternate."""
        if self._speaking is not None:
            self._speaking.close("completed")
            self._speaking = None

    def _call(self, index: int, delta: CallDelta) -> None:
        function = delta.function
        item = self._calls.get(index)
        if item is None:
            self._silence()
            tool = self._tools.offered((function.name if function is not None else None) or "")
            token, place = self._next()
            call_id = delta.id or f"call_{token[-_CALL_ID_DIGITS:]}"
            kind = CustomCallItem if tool.is_custom else CallItem
            item = self._calls[index] = kind(self._tell, token, place, call_id, tool)
            self._items.append(item)
        if delta.extra_content is not None:
            self._extra_content[item.call_id] = delta.extra_content
        if function is not None and function.arguments:
            item.arguments(function.arguments)


def _logprob(entry: Any) -> Json:
    """Chat's entry in the shape of Responses: the same but for its alternatives, which are always there."""
    given = dict(entry) if isinstance(entry, dict) else {}
    return {
        "token": given.get("token", ""),
        "bytes": given.get("bytes") or [],
        "logprob": given.get("logprob", 0.0),
        "top_logprobs": [
            {"token": other.get("token", ""), "bytes": other.get("bytes") or [], "logprob": other.get("logprob", 0.0)}
            for other in given.get("top_logprobs") or ()
        ],
    }


def _citation(annotation: Any) -> Json | None:
    """Chat nests a citation under its type; Responses has it flat."""
    if not isinstance(annotation, dict):
        return None
    cited = annotation.get("url_citation")
    if annotation.get("type") != "url_citation" or not isinstance(cited, dict):
        return None
    start, end = cited.get("start_index"), cited.get("end_index")
    return {
        "type": "url_citation",
        "start_index": start if isinstance(start, int) else 0,
        "end_index": end if isinstance(end, int) else 0,
        "url": str(cited.get("url") or ""),
        "title": str(cited.get("title") or ""),
    }


_decode_chunk = TolerantDecoder(Chunk)
_decode_completion = TolerantDecoder(Completion)


def to_response(body: bytes, envelope: Envelope, tools: ToolNames, usage: TokenUsage | None, now: int) -> bytes:
    """The Response object of a whole `chat.completion`. Raises `UpstreamFailure` for what is none."""
    try:
        answer = _decode_completion(body)
    except UNDECODABLE as error:
        raise _unreadable(error) from None
    envelope.model = answer.model or envelope.model
    envelope.service_tier = answer.service_tier
    maker = ResponseMaker(envelope, tools)
    reason = None
    for choice in answer.choices[:1]:
        for delta in _in_order(choice.message):
            maker.say(delta, choice.logprobs.content if choice.logprobs is not None else None)
        reason = choice.finish_reason
    return _encode(maker.finish(reason, usage, now))


def _in_order(message: Delta) -> Iterator[Delta]:
    """A whole message as it was said: Claude thinks between its texts and calls."""
    blocks = message.thinking_blocks if isinstance(message.thinking_blocks, list) else []
    thoughts = [(place_of(block.get(PLACE)), block) for block in blocks if isinstance(block, dict)]
    told = "".join(str(block.get("thinking") or "") for _, block in thoughts)
    if all(place == (0, 0) for place, _ in thoughts) or message.thought() not in ("", told):
        yield message
        return
    calls = list(enumerate(message.tool_calls or ()))
    for said in in_order(message.content or "", calls, thoughts):
        if isinstance(said, str):
            yield Delta(content=said)
        elif isinstance(said, tuple):
            ((place, call),) = said
            call.index = place
            yield Delta(tool_calls=[call])
        else:
            yield Delta(reasoning_content=said[0].get("thinking"), thinking_blocks=said)
    yield msgspec.structs.replace(
        message, content=None, reasoning_content=None, reasoning=None, thinking_blocks=None, tool_calls=None
    )


class ResponseEvents:
    """Fed with blocks of whole chunk events, as every chat provider streams them; gives blocks of response events."""

    def __init__(self, envelope: Envelope, tools: ToolNames) -> None:
        self._envelope = envelope
        self._maker = ResponseMaker(envelope, tools)
        self._reason: str | None = None
        self._begun = False

    def feed(self, block: bytes) -> bytes:
        """Raises `UpstreamFailure` for a chunk that is none."""
        for text in block.split(b"\n\n"):
            data = text[6:] if text.startswith(b"data: {") else read_event(text).data
            if not data or data == b"[DONE]":
                continue
            try:
                self._chunk(_decode_chunk(data))
            except UNDECODABLE as error:
                raise _unreadable(error) from None
        return b"".join(self._maker.take())

    def finish(self, usage: TokenUsage | None, now: int) -> tuple[bytes, bytes]:
        """Chat is complete: the events that are left, and the terminal one by itself."""
        self._begin()
        self._maker.finish(self._reason, usage, now)
        *rest, terminal = self._maker.take()
        return b"".join(rest), terminal

    def _chunk(self, chunk: Chunk) -> None:
        self._envelope.model = chunk.model or self._envelope.model
        self._envelope.service_tier = chunk.service_tier or self._envelope.service_tier
        self._begin()
        for choice in chunk.choices:
            if choice.index != 0:
                continue
            if choice.delta is not None:
                self._maker.say(choice.delta, choice.logprobs.content if choice.logprobs is not None else None)
            self._reason = choice.finish_reason or self._reason

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._maker.begin()


def _unreadable(error: Exception) -> UpstreamFailure:
    return UpstreamFailure(
        FailureKind.SERVER_ERROR, f"The provider's answer is invalid: {error}.", status=200, code="invalid_response"
    )
