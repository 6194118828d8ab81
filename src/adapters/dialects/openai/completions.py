"""OpenAI's legacy completions: passed on, with usage always asked for and answers kept to OpenAI's shape.

Source: openai-python 3.52 types; vLLM, llama.cpp and Ollama servers (read 2026-11).
"""

from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.openai.endpoint import NULL, TRUE, Fields, OpenAIEndpoint, decode_fields, encode, raw, text_of
from adapters.dialects.openai.usage import read_usage
from adapters.wire.call import DialectCall, PlainAnswer
from adapters.wire.read_stream import EventReader, EventStreamDecoder
from adapters.wire.replay import DONE, Replay, event, fields_on_one_line
from adapters.wire.sse import Event
from domain.completions import CompletionRequest
from domain.usage import TokenUsage

_OBJECT: Final = msgspec.Raw(b'"text_completion"')
_INCLUDE_USAGE: Final = msgspec.Raw(b'{"include_usage":true}')


class _Choice(msgspec.Struct):
    index: int = 0
    text: str | None = None
    finish_reason: str | None = None


_decode_choices = msgspec.json.Decoder(list[_Choice]).decode
_decode_error = msgspec.json.Decoder().decode


class OpenAICompletions(OpenAIEndpoint[CompletionRequest]):
    """One upstream's legacy completions."""

    name = "completions"
    answer_name = "a completion"

    @override
    def ask_for_stream(self, out: Fields) -> None:
        out["stream"] = TRUE
        if not self.quirks.stream_usage:
            out.pop("stream_options", None)
        elif "stream_options" in out:
            out["stream_options"] = raw(decode_fields(out["stream_options"]) | {"include_usage": TRUE})
        else:
            out["stream_options"] = _INCLUDE_USAGE

    def read(self, body: bytes, call: DialectCall[CompletionRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        fields = self.fields_of(body, call, "choices")
        try:
            choices = _decode_choices(fields["choices"])
        except msgspec.MsgspecError:
            choices = []
        if not choices:
            raise self.unreadable(body, call)
        usage = read_usage(bytes(fields.get("usage", NULL)))
        mended = _head(fields, call)
        if usage is not None and usage.mended:
            mended["usage"] = msgspec.Raw(usage.raw)
        text = "\n".join(choice.text or "" for choice in choices) if usage is None else ""
        answer = encode(fields | mended) if mended else body
        model = text_of(fields, "model") or call.model
        return PlainAnswer(answer, model, usage.tokens if usage is not None else None, text)

    @override
    def decoder(self, call: DialectCall[CompletionRequest], content_type: str) -> EventStreamDecoder:
        reader = _CompletionEvents(self, call)
        return EventStreamDecoder(reader, lambda beginning: self.unreadable(beginning, call), b"data: [DONE]\n\n")

    @override
    def replay(self, answer: PlainAnswer, call: DialectCall[CompletionRequest]) -> Replay:
        fields = fields_on_one_line(answer.body)
        usage = fields.pop("usage", NULL)
        if call.include_usage:
            fields["usage"] = NULL
        events = event(fields)
        if call.include_usage and usage != NULL:
            events += event(fields | {"choices": msgspec.Raw(b"[]"), "usage": usage})
        return Replay(events, DONE)


class _CompletionEvents(EventReader):
    """Chunks of a completion. Usage is held back until the end, and given only if it was asked for."""

    def __init__(self, endpoint: OpenAICompletions, call: DialectCall[CompletionRequest]) -> None:
        super().__init__(call.model)
        self._endpoint = endpoint
        self._call = call
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._usage_chunk = b""

    @override
    def read(self, event: Event, text: bytes) -> bytes:
        fields = decode_fields(event.data or b"")
        error = fields.get("error", NULL)
        if error != NULL:
            raise self._endpoint.reported_failure(_decode_error(error), self._call)
        choices = _decode_choices(fields["choices"]) if fields.get("choices", NULL) != NULL else []
        self._take(choices)
        self.model = text_of(fields, "model") or self.model
        mended = _head(fields, self._call)
        shown = fields | mended
        if "error" in shown:
            del shown["error"]
        usage = shown.pop("usage", NULL)
        if usage != NULL:
            self._take_usage(usage, shown)
        if not choices:
            return b""
        if self._call.include_usage:
            shown["usage"] = NULL
        changed = mended or shown.keys() != fields.keys() or usage != NULL or not text.startswith(b"data: {")
        return b"data: %b\n\n" % encode(shown) if changed else text

    @override
    def last(self) -> bytes:
        return self._usage_chunk

    def _take(self, choices: list[_Choice]) -> None:
        for choice in choices:
            if choice.text:
                self.generated(choice.text)
            if choice.finish_reason:
                self._open.discard(choice.index)
                self._finished.add(choice.index)
                self.has_content = True
            elif choice.text or choice.index not in self._finished:  # else it only comes along with the usage
                self._open.add(choice.index)
        if choices:
            self.complete = not self._open

    def _take_usage(self, usage: msgspec.Raw, shown: Fields) -> None:
        read = read_usage(bytes(usage))
        if read is None:
            return
        self.usage: TokenUsage | None = read.tokens
        if self._call.include_usage:
            chunk = shown | {"choices": msgspec.Raw(b"[]"), "usage": msgspec.Raw(read.raw)}
            self._usage_chunk = b"data: %b\n\n" % encode(chunk)


def _head(fields: Fields, call: DialectCall[CompletionRequest]) -> Fields:
    """What typed clients need and the answer lacks."""
    mended: Fields = {}
    if not text_of(fields, "id"):
        mended["id"] = raw(f"cmpl-{call.answer_id.partition('-')[2]}")
    if fields.get("object") != _OBJECT:
        mended["object"] = _OBJECT
    if fields.get("created", NULL) == NULL:
        mended["created"] = raw(call.created)
    if not text_of(fields, "model"):
        mended["model"] = raw(call.model)
    return mended
