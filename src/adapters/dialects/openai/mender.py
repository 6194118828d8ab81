"""Mends one chunk after another, keeping what has gone by of each choice of a stream."""

import re
from typing import Final

import msgspec
from msgspec import UNSET

from adapters.dialects.openai.call import CallFacts
from adapters.dialects.openai.chunk import (
    NULL,
    OBJECT,
    Choice,
    ChoiceEdit,
    Chunk,
    OptionalRaw,
    decode_chunk,
    edited,
    raw,
    told,
)
from adapters.dialects.openai.finish import FAILURES, finish_reason
from adapters.dialects.openai.plain_run import PlainRun
from adapters.dialects.openai.response import text_and_reasoning
from adapters.dialects.openai.tool_calls import ToolCallOrder
from adapters.dialects.openai.usage import read_usage
from adapters.wire.errors import failure_in_stream
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

MAX_KEPT_TEXT_BYTES: Final = 16 * 1024
"""Of what a stream generates, kept for an estimate where its usage never comes."""

_ASSISTANT: Final = raw("assistant")

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_choices = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class _ChoiceState:
    """What has gone by of one choice."""

    __slots__ = ("finished", "role_told", "tool_calls")

    def __init__(self) -> None:
        self.role_told = False
        self.finished = False
        self.tool_calls = ToolCallOrder()


class ChunkMender:
    """The chunks of one stream, in order. Its attributes are what is known so far."""

    def __init__(self, call: CallFacts) -> None:
        self.model = call.model
        self.usage: TokenUsage | None = None
        self.has_content = False
        self.output_bytes = 0
        self.kept_text = bytearray()
        self._call = call
        self._run = PlainRun()
        self._choices: dict[int, _ChoiceState] = {}
        self._started = False
        self._id = ""
        self._created = 0
        self._usage_json = b""
        self._usage_chunk = b""

    @property
    def has_choices(self) -> bool:
        return bool(self._choices)

    @property
    def all_finished(self) -> bool:
        """Whether every choice has told why it ended."""
        return bool(self._choices) and all(choice.finished for choice in self._choices.values())

    def begin_block(self) -> None:
        """A block of events comes."""
        self._run.begin()

    def skip(self, block: bytes, at: int) -> int:
        """The offset behind the chunks at `at` that may go as they are without being decoded; `at` for none."""
        run = self._run.find(block, at)
        if run is None:
            return at
        if run.text:
            self._take_text(run.text)
        return run.end

    def mend(self, data: bytes) -> bytes:
        """The chunk to send: the very same object where nothing is odd, empty where it is to be left out.

        Raises `UpstreamFailure` for an error told in the chunk, one of `UNDECODABLE` for what is no chunk.
        """
        try:
            chunk = decode_chunk(data)
        except UNDECODABLE:
            if b"\\u" not in data:
                raise
            # Servers that think in UTF-16 cut a character in two; clients put the halves together again.
            chunk = decode_chunk(_SURROGATE.sub(rb"\\ufffd", data))
        return data if self._is_plain(chunk, data) else self._looked_at(chunk, data)

    def told_failure(self, data: bytes) -> UpstreamFailure:
        """The failure an error's JSON, or text, tells of."""
        try:
            error: object = _decode_any(data)
        except UNDECODABLE:
            error = data.decode("utf-8", "replace")
        if isinstance(error, dict) and "error" in error:
            error = error["error"]
        return failure_in_stream(error, self._call.quirks, secret=self._call.secret, now=self._call.now())

    def ending(self, *, include_usage: bool) -> list[bytes]:
        """The chunks still to be sent before the end: missing finish reasons, then usage."""
        chunks = []
        for index, state in self._choices.items():
            if not state.finished:
                state.finished = self.has_content = True
                reason = "tool_calls" if state.tool_calls else "stop"
                chunks.append(self._own_chunk([{"index": index, "delta": {}, "finish_reason": reason}]))
        if include_usage and self._usage_json:
            chunks.append(self._usage_chunk or self._own_chunk([], msgspec.Raw(self._usage_json)))
        return chunks

    def _is_plain(self, chunk: Chunk, data: bytes) -> bool:
        """The common case, cheaply: one choice under way that goes on with text."""
        choices = chunk.choices
        if (
            not choices
            or len(choices) != 1
            or chunk.error is not UNSET
            or (chunk.usage is not UNSET and chunk.usage != NULL)
            or chunk.x_groq is not None
            or chunk.object != OBJECT
            or not chunk.id
            or not chunk.model
            or type(chunk.created) is not int
        ):
            return False
        choice = choices[0]
        delta = choice.delta
        if delta is None or choice.finish_reason is not None or delta.role is not None or delta.tool_calls is not None:
            return False
        state = self._choices.get(choice.index)  # type: ignore[arg-type]  # None is never a key
        text = delta.content
        if state is None or type(text) is not str or choice.usage is not UNSET or choice.error is not UNSET:
            return False
        extra = delta.other_content_bytes()
        if text:
            self._take_text(text.encode())
            if not extra:
                self._run.learn(data, text)
        elif extra:
            self.output_bytes += extra
            self.has_content = True
        return True

    def _take_text(self, text: bytes) -> None:
        self.output_bytes += len(text)
        if len(self.kept_text) < MAX_KEPT_TEXT_BYTES:
            self.kept_text += text
        self.has_content = True

    def _looked_at(self, chunk: Chunk, data: bytes) -> bytes:
        error, usage = told(chunk.error), told(chunk.usage)
        if chunk.x_groq is not None:
            error = error or told(chunk.x_groq.error)
            usage = usage or told(chunk.x_groq.usage)
        if error is not None:
            raise self.told_failure(bytes(error))
        choices = chunk.choices if isinstance(chunk.choices, list) else []
        if usage is not None:
            self._take_usage(usage)
        head = self._head_edit(chunk)
        if not choices and usage is not None:
            # Held back until the end; where nothing in it is odd, the upstream's own bytes are told then.
            self._usage_chunk = data if head.keys() == {"usage"} and bytes(usage) == self._usage_json else b""
            return b""
        if chunk.choices is UNSET:
            return b""
        edits = [self._choice_edit(place, choice) for place, choice in enumerate(choices)]
        for place, choice in enumerate(choices):
            self._tool_edit(choice, edits[place], data, place)
        if not head and not any(edits) and all(choice.delta is not None for choice in choices):
            return data
        return edited(data, head, edits)

    def _head_edit(self, chunk: Chunk) -> dict[str, msgspec.Raw | None]:
        """What every chunk carries, filled in where it is missing; what no client should see, taken out."""
        head: dict[str, msgspec.Raw | None] = {}
        if not self._started and (chunk.id or chunk.choices):  # Azure's verdict on the prompt names no model
            self._started = True
            self._id = chunk.id or self._call.answer_id
            self._created = int(chunk.created) if chunk.created is not None else self._call.created
            self.model = chunk.model or self._call.model
        if not chunk.id:
            head["id"] = raw(self._id or self._call.answer_id)
        if type(chunk.created) is not int:
            head["created"] = raw(self._created)
        if not chunk.model:
            head["model"] = raw(self.model)
        if chunk.object != OBJECT:
            head["object"] = raw(OBJECT)
        if chunk.error is not UNSET:
            head["error"] = None
        if told(chunk.usage) is not None:
            head["usage"] = None
        if chunk.choices is None:
            head["choices"] = raw([])
        return head

    def _choice_edit(self, place: int, choice: Choice) -> ChoiceEdit:
        edit = ChoiceEdit({}, {})
        if (error := told(choice.error)) is not None:
            raise self.told_failure(bytes(error))
        if choice.error is not UNSET:
            edit.fields["error"] = None
        if choice.usage is not UNSET:
            edit.fields["usage"] = None
            if (usage := told(choice.usage)) is not None:
                self._take_usage(usage)
        index = choice.index
        if index is None:
            index = choice.index = place
            edit.fields["index"] = raw(place)
        state = self._choices.setdefault(index, _ChoiceState())
        self._delta_edit(choice, state, edit)
        self._finish_edit(choice, state, edit)
        return edit

    def _delta_edit(self, choice: Choice, state: _ChoiceState, edit: ChoiceEdit) -> None:
        delta = choice.delta
        role = delta.role if delta is not None else None
        if not state.role_told:
            state.role_told = True
            if role != "assistant":
                edit.delta["role"] = _ASSISTANT
        elif role is not None:
            edit.delta["role"] = None
        if delta is None:
            return
        content = delta.content
        if isinstance(content, list):
            content, thoughts = text_and_reasoning(content)
            edit.delta["content"] = raw(content)
            if thoughts:
                edit.delta["reasoning_content"] = raw(thoughts)
                self.output_bytes += len(thoughts)
                self.has_content = True
        encoded = content.encode() if content else b""
        if len(self.kept_text) < MAX_KEPT_TEXT_BYTES:
            self.kept_text += encoded
        size = len(encoded)
        size += delta.other_content_bytes()
        if size:
            self.output_bytes += size
            self.has_content = True

    def _tool_edit(self, choice: Choice, edit: ChoiceEdit, data: bytes, place: int) -> None:
        calls = choice.delta.tool_calls if choice.delta is not None else None
        if not calls or choice.index is None:
            return
        self.has_content = True
        delta = _decode_fields(_decode_choices(_decode_fields(data)["choices"])[place]["delta"])
        self.output_bytes += sum(call.text_bytes() for call in calls)
        mended = self._choices[choice.index].tool_calls.mend(calls, delta["tool_calls"], f"{self._id}/{choice.index}")
        if mended is not None:
            edit.delta["tool_calls"] = mended if bytes(mended) != b"[]" else None

    def _finish_edit(self, choice: Choice, state: _ChoiceState, edit: ChoiceEdit) -> None:
        reason = choice.finish_reason
        if reason is None:
            return
        if reason in FAILURES:
            raise UpstreamFailure(
                FailureKind.OVERLOADED if reason == "insufficient_system_resource" else FailureKind.SERVER_ERROR,
                f"The provider broke off its answer: {reason}.",
                status=200,
            )
        if not reason or state.finished:
            edit.fields["finish_reason"] = NULL
            return
        state.finished = self.has_content = True
        mapped = finish_reason(reason, self._call.quirks.finish_reasons)
        calls = state.tool_calls or (choice.delta is not None and choice.delta.tool_calls)
        if mapped == "stop" and calls and self._call.quirks.stop_with_tool_calls:
            mapped = "tool_calls"
        if mapped != reason:
            edit.fields["finish_reason"] = raw(mapped)

    def _own_chunk(self, choices: list[dict[str, object]], usage: OptionalRaw = UNSET) -> bytes:
        fields = {"id": self._id, "object": OBJECT, "created": self._created, "model": self.model, "choices": choices}
        return bytes(raw(fields if usage is UNSET else fields | {"usage": usage}))

    def _take_usage(self, usage: msgspec.Raw) -> None:
        excludes = self._call.quirks.completion_excludes_reasoning
        read = read_usage(bytes(usage), completion_excludes_reasoning=excludes)
        if read is not None:
            self.usage, self._usage_json, self._usage_chunk = read.tokens, read.raw, b""
