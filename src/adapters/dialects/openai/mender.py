"""Mends one chunk after another, keeping what has gone by of each choice of a stream.

A choice of a stream is in one of three states: **new** (no chunk of it came), **under way** (its role was written) and
**finished** (its finish reason was written). A stream is finished once every choice it began is.

| what comes | new | under way | finished |
| --- | --- | --- | --- |
| text, refusal, reasoning | with the role before it | as it came | as it came |
| a role | `assistant`, once | removed | removed |
| a tool call, held until its name came | numbered from 0, with id, type and name | id, name removed | the same |
| a finish reason | in OpenAI's words, then finished | in OpenAI's words, then finished | as null |
| the end of the stream | nothing: it never began | `tool_calls` or `stop`, then finished | nothing more |

Beside the choices: usage, wherever it stands (the chunk, `x_groq`, a choice), is taken out and written once, after the
last choice and only if it was asked for; an `error`, wherever it stands, ends the stream as a failure; `id`, `created`,
`model` and `object` are filled in where a chunk lacks them. A chunk to which none of this applies is written as the
bytes it came.

Example: `{"choices":[{"delta":{"content":"Hi"}}]}` as the first chunk is written with an id, a time, the model, `index`
0 and `"role":"assistant"`; as the second chunk it gets the head and the index alone.
"""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.dialects.openai.answer import FAILURES, finish_reason, text_and_reasoning
from adapters.dialects.openai.chunk import (
    NULL,
    OBJECT,
    Choice,
    ChoiceEdit,
    Chunk,
    OptionalRaw,
    PlainRun,
    decode_chunk,
    edited,
    given,
    raw,
)
from adapters.dialects.openai.quirks import Quirks
from adapters.dialects.openai.tool_calls import ToolCallOrder
from adapters.dialects.openai.usage import after_search, at_tier, cites_pages, read_usage, with_earlier
from adapters.wire.call import AnswerFacts
from adapters.wire.errors import failure_in_stream, invalid_answer
from adapters.wire.raw_json import UNDECODABLE, mended, without_halves
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage

MAX_KEPT_TEXT_BYTES: Final = 16 * 1024
"""Of what a stream generates, kept for an estimate where its usage never comes."""

_ASSISTANT: Final = raw("assistant")


_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_choices = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class _ChoiceState:
    """What has gone by of one choice."""

    __slots__ = ("finished", "role_sent", "tool_calls")

    def __init__(self) -> None:
        self.role_sent = False
        self.finished = False
        self.tool_calls = ToolCallOrder()


class ChunkMender:
    """The chunks of one stream, in order. Its attributes are what is known so far."""

    def __init__(self, call: AnswerFacts, quirks: Quirks) -> None:
        self.model = call.model
        self._tokens: TokenUsage | None = None
        self.has_content = False
        self.output_bytes = 0
        self.kept_text = bytearray()
        self._call = call
        self._quirks = quirks
        self._run = PlainRun()
        self._choices: dict[int, _ChoiceState] = {}
        self._started = False
        self._id = ""
        self._created = 0
        self._service_tier: object = None
        self._searched = False
        self._usage_json = b""
        self._usage_chunk = b""

    @property
    def usage(self) -> TokenUsage | None:
        """What was counted so far, with what any chunk said of its bill."""
        tokens = self._tokens
        return at_tier(after_search(tokens) if self._searched else tokens, self._service_tier)

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

        Raises `UpstreamFailure` for an error reported in the chunk, one of `UNDECODABLE` for what is no chunk.
        """
        try:
            chunk = decode_chunk(data)
        except UNDECODABLE:
            return self._mend_odd(data)
        return data if self._is_plain(chunk, data) else self._looked_at(chunk, data)

    def _mend_odd(self, data: bytes) -> bytes:
        """A chunk that no strict decoder takes. Halves of characters pass as they came: clients join them again."""
        whole = without_halves(data)
        try:
            chunk = decode_chunk(whole)
        except UNDECODABLE:
            data = mended(data, Chunk)
            chunk = decode_chunk(data)
        return data if self._is_plain(chunk, data) else self._looked_at(chunk, data)

    def reported_failure(self, data: bytes) -> UpstreamFailure:
        """The failure an error's JSON, or text, tells of."""
        try:
            error: object = _decode_any(data)
        except UNDECODABLE:
            error = data.decode("utf-8", "replace")
        if isinstance(error, dict) and "error" in error:
            error = error["error"]
        return failure_in_stream(error, self._quirks, secret=self._call.secret, now=self._call.now())

    def check_calls(self) -> None:
        """Raises `UpstreamFailure` for a call with arguments whose name never came: no client could run it."""
        if any(choice.tool_calls.lacks_name for choice in self._choices.values()):
            raise invalid_answer("a tool call came without its name")

    def ending(self, *, include_usage: bool) -> list[bytes]:
        """The chunks still to be sent before the end: missing finish reasons, then usage."""
        chunks = []
        for index, state in self._choices.items():
            if not state.finished:
                state.finished = self.has_content = True
                reason = "tool_calls" if state.tool_calls else "stop"
                empty = state.tool_calls.without_arguments()
                delta = {"tool_calls": empty} if empty else {}
                chunks.append(self._own_chunk([{"index": index, "delta": delta, "finish_reason": reason}]))
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
        if delta.annotations is not UNSET:
            self._searched = self._searched or cites_pages(delta.annotations)
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
        error, usage = given(chunk.error), given(chunk.usage)
        if chunk.x_groq is not None:
            error = error or given(chunk.x_groq.error)
            usage = usage or given(chunk.x_groq.usage)
        if error is not None:
            raise self.reported_failure(bytes(error))
        choices = chunk.choices if isinstance(chunk.choices, list) else []
        if chunk.service_tier is not None:
            self._service_tier = chunk.service_tier
        if usage is not None:
            self._take_usage(usage)
        head = self._head_edit(chunk)
        if not choices and usage is not None:
            # Held back until the end; where nothing in it is odd, the upstream's own bytes are sent then.
            own = chunk.choices is not UNSET and head.keys() == {"usage"} and bytes(usage) == self._usage_json
            self._usage_chunk = data if own else b""
            return b""
        if chunk.choices is UNSET:
            if chunk.object == "error":  # vLLM of old: the error's own fields in place of a chunk's
                raise self.reported_failure(data)
            return b""
        edits = [self._choice_edit(place, choice) for place, choice in enumerate(choices)]
        for place, choice in enumerate(choices):
            self._tool_edit(choice, edits[place], data, place)
        if not head and not any(edits):
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
        if chunk.usage is not UNSET and chunk.usage != NULL:
            head["usage"] = None
        if chunk.choices is None:
            head["choices"] = raw([])
        return head

    def _choice_edit(self, place: int, choice: Choice) -> ChoiceEdit:
        edit = ChoiceEdit({}, {}, choice.delta is None)
        if (error := given(choice.error)) is not None:
            raise self.reported_failure(bytes(error))
        if choice.error is not UNSET:
            edit.fields["error"] = None
        if choice.usage is not UNSET:
            edit.fields["usage"] = None
            if (usage := given(choice.usage)) is not None:
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
        if not state.role_sent:
            state.role_sent = True
            if role != "assistant":
                edit.delta["role"] = _ASSISTANT
        elif role is not None:
            edit.delta["role"] = None
        if delta is None:
            return
        self._searched = self._searched or cites_pages(delta.annotations)
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
        order = self._choices[choice.index or 0].tool_calls
        sent = msgspec.Raw(b"[]")
        if calls:
            sent = _decode_fields(_decode_choices(_decode_fields(data)["choices"])[place]["delta"])["tool_calls"]
            self.output_bytes += sum(call.text_bytes() for call in calls)
            mended_calls = order.mend(calls, sent, f"{self._call.answer_id}/{choice.index}")
            if mended_calls is not None:
                sent = mended_calls
                edit.delta["tool_calls"] = sent if bytes(sent) != b"[]" else None
            self.has_content = self.has_content or bool(order)
        if choice.finish_reason:
            self.check_calls()
            if empty := order.without_arguments():
                edit.delta["tool_calls"] = raw([*_decode_list(sent), *empty])

    def _finish_edit(self, choice: Choice, state: _ChoiceState, edit: ChoiceEdit) -> None:
        reason = choice.finish_reason
        if reason is None:
            return
        if isinstance(reason, UnsetType):
            edit.fields["finish_reason"] = NULL
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
        mapped = finish_reason(reason, self._quirks.finish_reasons)
        calls = state.tool_calls or (choice.delta is not None and choice.delta.tool_calls)
        if mapped == "stop" and calls and self._quirks.stop_with_tool_calls:
            mapped = "tool_calls"
        if mapped != reason:
            edit.fields["finish_reason"] = raw(mapped)

    def _own_chunk(self, choices: list[dict[str, object]], usage: OptionalRaw = UNSET) -> bytes:
        fields = {"id": self._id, "object": OBJECT, "created": self._created, "model": self.model, "choices": choices}
        return bytes(raw(fields if usage is UNSET else fields | {"usage": usage}))

    def _take_usage(self, usage: msgspec.Raw) -> None:
        excludes = self._quirks.completion_excludes_reasoning
        reported = bytes(usage)
        if self._usage_json and reported.startswith(b"{"):
            reported = with_earlier(reported, self._usage_json)
        read = read_usage(reported, completion_excludes_reasoning=excludes)
        if read is not None:
            self._tokens = read.tokens
            self._usage_json, self._usage_chunk = read.raw, b""
