"""What the tests of Responses share: requests, chat streams as providers send them, and a whole translation."""

import json
from pathlib import Path
from typing import Any

import msgspec

from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.ingress.responses.answer import ResponseEvents, to_response
from adapters.ingress.responses.envelope import Envelope
from adapters.ingress.responses.request import Translated, to_chat
from adapters.ingress.responses.tools import ToolNames
from adapters.wire.call import AnswerFacts
from domain.payload import Payload
from domain.responses import ResponsesRequest
from domain.usage import TokenUsage

Json = dict[str, Any]

WIRE = Path(__file__).parents[4] / "wire"
STREAMS = sorted((WIRE / "openai").glob("*.sse"))
NOW = 1795222800
USAGE = TokenUsage(7, 3, 2, 1, 1)
DONE = b"data: [DONE]\n\n"


def payload(body: Json) -> Payload[ResponsesRequest]:
    text = json.dumps({"model": "m", **body}).encode()
    fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return Payload(msgspec.json.decode(text, type=ResponsesRequest), fields, len(text))


def translated(**body: Any) -> Translated:
    return to_chat(payload({"input": "hi", **body}), "asked")


def chat_body(**body: Any) -> Json:
    """The chat request that stands for a Responses request."""
    fields = translated(**body).payload.fields
    made: Json = json.loads(msgspec.json.encode(fields))
    return made


def messages(*items: Json, **body: Any) -> list[Json]:
    made: list[Json] = chat_body(input=list(items), **body)["messages"]
    return made


def tools_of(**body: Any) -> ToolNames:
    return translated(**body).tools.names


def envelope(**body: Any) -> Envelope:
    return Envelope(payload({"input": "hi", **body}), "asked", NOW, "t0")


def event(*choices: Json, **fields: object) -> bytes:
    """One chunk of chat."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps(head | {"choices": choices} | fields).encode() + b"\n\n"


def delta(finish: str | None = None, /, **fields: object) -> bytes:
    return event({"index": 0, "delta": fields, "finish_reason": finish})


def call(index: int, /, **fields: object) -> bytes:
    return delta(tool_calls=[{"index": index, **fields}])


def play(*chunks: bytes, usage: TokenUsage | None = USAGE, **body: Any) -> bytes:
    """The whole event stream of chunks as a chat provider passes them on."""
    events = ResponseEvents(envelope(**body), tools_of(**body))
    received = b"".join(events.feed(chunk) for chunk in chunks)
    rest, terminal = events.finish(usage, NOW)
    return received + rest + terminal


def whole(message: Json, finish: str = "stop", **body: Any) -> Json:
    """The response of a whole chat answer."""
    answer = {"id": "c1", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    made: Json = json.loads(to_response(json.dumps(answer).encode(), envelope(**body), tools_of(**body), USAGE, NOW))
    return made


class OverChat:
    """An upstream's raw stream through the OpenAI dialect and on into response events, as the provider does it."""

    def __init__(self) -> None:
        self.chat = ChatStreamDecoder(AnswerFacts("asked", None, lambda: float(NOW)), Quirks(), include_usage=False)
        self._events = ResponseEvents(envelope(), ToolNames())

    def feed(self, data: bytes) -> bytes:
        return self._events.feed(self.chat.feed(data))

    def finish(self) -> bytes | None:
        """The rest with the terminal event; None where the answer is not complete."""
        received = self._events.feed(self.chat.finish())
        if self.chat.failure is not None or not self.chat.done:
            return None
        rest, terminal = self._events.finish(self.chat.usage, NOW)
        return received + rest + terminal
