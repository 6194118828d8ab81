"""One state machine for each format a client reads streams in: what its SDKs can follow, and nothing else.

Each machine reads a whole stream and gives back what was said. Source: the reaction tables of openai-python 3.52,
openai-node 6.49, the AI SDK 6 and the Anthropic SDKs, tried in November 2026.
"""

import json
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from anthropic import _streaming as anthropic
from google.genai import types as google
from openai import _streaming as openai

from tests.unit.adapters.dialects.openai.samples import validator
from tests.unit.adapters.ingress.responses.grammar import follow

Json = dict[str, Any]

CHAT_END: Final = b"data: [DONE]\n\n"
_BLOCK_TEXTS: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "input_json_delta": ("tool_use", "partial_json"),
}


class Told(NamedTuple):
    """What one choice said, whatever the format. `calls` are names with their arguments, read where they are JSON."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, Any], ...] = ()


_KNOWN: Final = re.compile("error$|message_|content_block_")

Grammar = Callable[[bytes], list[Told]]


def blocks(stream: bytes) -> Iterator[tuple[str, bytes]]:
    """Each event's name and data: LF alone, at most one name, one line of data, no id and no comment."""
    *whole, rest = stream.split(b"\n\n")
    assert rest == b""
    assert b"\r" not in stream
    for event in whole:
        *before, last = event.split(b"\n")
        assert last.startswith(b"data: "), event
        assert len(before) <= 1
        assert all(line.startswith(b"event: ") for line in before), event
        yield "".join(line[7:].decode() for line in before), last[6:]


def chat(stream: bytes) -> list[Told]:
    """OpenAI's chunks: the role once and first, calls from 0 told once, one finish reason, usage last, `[DONE]`."""
    choices: dict[int, _ChatChoice] = {}
    usages = 0
    head: set[str] = set()
    for chunk in _until_done(stream):
        validator("chunk").validate(chunk)
        assert "error" not in chunk
        assert not usages, "a chunk came after the usage"
        assert chunk["id"]
        head |= {chunk["id"]} if chunk["choices"] else set()  # Azure's verdict on the prompt comes without one
        usages += chunk.get("usage") is not None
        for choice in chunk["choices"]:
            choices.setdefault(choice["index"], _ChatChoice()).take(choice)
    assert len(head) == 1
    assert all(choice.finished for choice in choices.values())
    return [choices[index].received() for index in range(len(choices))]


def completions(stream: bytes) -> list[Told]:
    """OpenAI's legacy chunks: texts, one finish reason a choice and nothing after it, usage last, `[DONE]`."""
    texts: dict[int, str] = {}
    finished: set[int] = set()
    usages = 0
    head: set[tuple[str, str]] = set()
    for chunk in _until_done(stream):
        assert not usages, "a chunk came after the usage"
        head.add((chunk["id"], chunk["object"]))
        usages += chunk.get("usage") is not None
        for choice in chunk["choices"]:
            index = choice["index"]
            assert index not in finished
            texts[index] = texts.get(index, "") + choice["text"]
            if choice["finish_reason"] is not None:
                assert choice["finish_reason"] in {"stop", "length", "content_filter"}
                finished.add(index)
    assert {kind for _, kind in head} == {"text_completion"}
    assert len(head) == 1
    assert finished == set(range(len(texts)))
    return [Told(texts[index]) for index in range(len(texts))]


def responses(stream: bytes) -> list[Told]:
    """OpenAI's response events, in their order and numbers; one terminal event, with everything said before."""
    response = follow(stream)
    texts, thoughts, calls = "", "", []
    for item in response["output"]:
        if item["type"] == "message":
            texts += "".join(part["text"] for part in item["content"] if part["type"] == "output_text")
        elif item["type"] == "reasoning":
            thoughts += "".join(part["text"] for part in item["summary"])
        else:
            calls.append((item["name"], arguments(item["arguments"])))
    assert response["usage"] is not None
    return [Told(texts, thoughts, tuple(calls))]


def messages(stream: bytes) -> list[Told]:
    """Anthropic's events: one start, blocks 0..n one by one, one `message_delta` or more with usage, one stop."""
    state, last = "before", -1
    open_block: _Block | None = None
    received = Told()
    for name, data in blocks(stream):
        event = json.loads(data)
        assert name == event["type"], "SDKs do not see an event without its name"
        match state, name:
            case _, "ping":
                pass
            case "before", "message_start":
                state = "in"
                assert event["message"]["content"] == []
                assert event["message"]["role"] == "assistant"
                assert isinstance(event["message"]["usage"]["input_tokens"], int)
            case "in", "content_block_start":
                assert open_block is None
                last += 1
                assert event["index"] == last
                open_block = _Block(event["content_block"])
            case "in", "content_block_delta":
                assert open_block is not None
                assert event["index"] == last
                open_block.take(event["delta"])
            case "in", "content_block_stop":
                assert open_block is not None
                assert event["index"] == last
                received = open_block.added_to(received)
                open_block = None
            case (("in" | "ended"), "message_delta"):
                assert open_block is None
                state = "ended"
                assert isinstance(event["usage"]["output_tokens"], int)
                assert event["delta"]["stop_reason"]
            case "ended", "message_stop":
                state = "over"
            case _:
                raise AssertionError(f"{name} came {state}")
    assert state == "over"
    return [received]


def contents(stream: bytes) -> list[Told]:
    """Google's chunks, with usage in the last."""
    assert b'"usageMetadata"' in stream.rstrip().rpartition(b"\n\n")[2]
    return native_contents(stream)


def native_contents(stream: bytes) -> list[Told]:
    """Google's chunks: new parts alone; every candidate says once why it ended, and nothing after it."""
    chunks = [json.loads(data) for name, data in blocks(stream) if not name]
    candidates: dict[int, Told] = {}
    finished: list[int] = []
    for chunk in chunks:
        with warnings.catch_warnings(action="ignore"):  # of a reason that this version of the SDK does not know
            google.GenerateContentResponse.model_validate(chunk)
        assert "error" not in chunk
        for candidate in chunk.get("candidates") or ():
            index = candidate.get("index", 0)
            assert index not in finished
            said = content(candidate)
            told = candidates.get(index, Told())
            candidates[index] = Told(told.text + said.text, told.reasoning + said.reasoning, told.calls + said.calls)
            finished += [index] if candidate.get("finishReason") else []
    assert {*finished} == {*candidates}
    return [candidates[index] for index in sorted(candidates)] or [Told()]


def content(candidate: Json) -> Told:
    """What one candidate says, in a chunk or whole."""
    texts, thoughts, calls = "", "", []
    for part in (candidate.get("content") or {}).get("parts") or ():
        if part.get("functionCall"):
            given = part["functionCall"].get("args") or {}
            calls.append((part["functionCall"]["name"], given.get("INVALID_JSON", given)))
        elif part.get("thought"):
            thoughts += part.get("text") or ""
        else:
            texts += part.get("text") or ""
    return Told(texts, thoughts, tuple(calls))


def native_messages(stream: bytes) -> list[Told]:
    """The same of bytes passed on, as Anthropic's SDK cuts them: it lets events pass that it does not know."""
    events = anthropic.SSEDecoder().iter_bytes(iter([stream]))
    return messages(b"".join(_again(event) for event in events if _KNOWN.match(event.event or "")))


def native_completions(stream: bytes) -> list[Told]:
    """The same of bytes passed on, as OpenAI's SDK cuts them."""
    return completions(b"".join(_again(event) for event in openai.SSEDecoder().iter_bytes(iter([stream]))))


def arguments(text: str) -> Any:
    """A call's arguments; the text itself where the model was cut off in them."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class _ChatChoice:
    """One choice of a chat, from its role to its finish reason."""

    def __init__(self) -> None:
        self.finished = False
        self._begun = False
        self._text = self._reasoning = ""
        self._calls: list[list[str]] = []

    def take(self, choice: Json) -> None:
        delta = choice["delta"]
        if self.finished:  # Azure's last verdict says nothing
            assert not any(delta.values()), "something was said after the finish reason"
            assert choice["finish_reason"] is None
            return
        assert (delta.get("role") == "assistant") is not self._begun, "the role comes first, and once"
        self._begun = True
        self._text += delta.get("content") or ""
        self._reasoning += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or ():
            self._call(call)
        self.finished = choice["finish_reason"] is not None

    def received(self) -> Told:
        calls = tuple((name, arguments(text)) for _, name, text in self._calls)
        return Told(self._text, self._reasoning, calls)

    def _call(self, call: Json) -> None:
        place = call["index"]
        assert place <= len(self._calls), "calls are numbered from 0, without gaps"
        function = call.get("function") or {}
        if place == len(self._calls):
            assert call["id"]
            assert call["id"] not in {known for known, _, _ in self._calls}
            assert call["type"] == "function"
            self._calls.append([call["id"], function["name"], ""])
        else:
            assert not call.get("id")
            assert not function.get("name")
        text = function.get("arguments", "")
        assert isinstance(text, str)
        self._calls[place][2] += text


class _Block:
    """One content block of a message."""

    def __init__(self, begun: Json) -> None:
        self.begun = begun
        self.text = begun.get("text") or begun.get("thinking") or ""
        assert begun["type"] != "tool_use" or (begun["id"] and begun["name"] and begun["input"] == {})

    def take(self, delta: Json) -> None:
        kind, field = _BLOCK_TEXTS[delta["type"]]
        assert self.begun["type"] == kind
        assert isinstance(delta[field], str)
        if delta["type"] != "signature_delta":
            self.text += delta[field]

    def added_to(self, received: Told) -> Told:
        """What was said so far with this block behind it."""
        kind = self.begun["type"]
        if kind == "text":
            return received._replace(text=received.text + self.text)
        if kind == "thinking":
            return received._replace(reasoning=received.reasoning + self.text)
        if kind == "redacted_thinking":
            assert self.begun["data"]
            return received
        return received._replace(calls=(*received.calls, (self.begun["name"], arguments(self.text or "{}"))))


def _again(event: Any) -> bytes:
    """An event that an SDK's decoder made, on one line of data."""
    name = f"event: {event.event}\n" if event.event else ""
    return f"{name}data: {event.data.replace(chr(10), ' ')}\n\n".encode()


def _until_done(stream: bytes) -> Iterator[Json]:
    """Every chunk. The last event is `[DONE]`, and no other is; none has a name."""
    assert stream.endswith(CHAT_END)
    for name, data in blocks(stream.removesuffix(CHAT_END)):
        assert not name
        yield json.loads(data)


GRAMMARS: Final[dict[str, Grammar]] = {
    "chat": chat,
    "completions": completions,
    "responses": responses,
    "messages": messages,
    "native messages": native_messages,
    "contents": contents,
    "native contents": native_contents,
    "native completions": native_completions,
    "native responses": responses,
}
"""By ingress."""
