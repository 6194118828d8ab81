"""Encodes a chat request for one upstream: a shallow re-encoding of what was parsed.

Top-level fields are raw JSON, so what the gateway does not model survives byte for byte, and a duplicated
key cannot say one thing to policy and another to the provider. Only what the quirks name is touched.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, worth_a_report
from adapters.wire.signatures import PLACE
from domain.chat import ChatRequest, Message
from domain.inference import GATEWAY_FIELDS
from domain.payload import Payload

_NULL: Final = msgspec.Raw(b"null")
_TRUE: Final = msgspec.Raw(b"true")
_INCLUDE_USAGE: Final = msgspec.Raw(b'{"include_usage":true}')

_LARGE_BYTES: Final = 1024 * 1024
"""Of a larger body only what is sent is kept, not what came beside it."""

_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


_KNOWS_EFFORT = re.compile(r"(?:^|[/:.])(?:o[1-9]\b|gpt-[5-9]|gpt-oss|gemini-(?:2\.5|[3-9])|(?:anthropic\.)?claude-)")
_KNOWS_MORE = re.compile(r"(?:^|[/:.])(?:gpt-5\.[2-9]|gpt-[6-9]|claude-)")  # than low, medium and high
_MAX_USER_CHARS: Final = 128
_BEYOND_OPENAI: Final = frozenset({"top_k"})  # what a chat made of another API's request may hold and OpenAI refuses


def fit_carried(
    fields: dict[str, msgspec.Raw], model: str, quirks: Quirks, carried_from: str
) -> tuple[dict[str, msgspec.Raw], list[str]]:
    """The fields that this upstream takes of a chat made of a request of `carried_from`, and what is left out.

    A client's own chat is sent as it came, for the provider to judge. Here the client never chose a field of chat:
    more stop sequences than an upstream takes, or a word for effort that its model may not know, would fail a request
    that is right in the client's API. Example: six stop sequences of a Message become OpenAI's first four.
    """
    fitted = {name: raw for name, raw in fields.items() if name not in _BEYOND_OPENAI or name in quirks.own_params}
    lost = [name for name in fields if name not in fitted and worth_a_report(name, fields[name])]
    stops = _decode_any(fields["stop"]) if "stop" in fields else None
    if isinstance(stops, list) and quirks.max_stops is not None and len(stops) > quirks.max_stops:
        fitted["stop"] = msgspec.Raw(_encode(stops[: quirks.max_stops]))
        lost.append("stop")
    if carried_from != "messages":
        return fitted, lost
    user = _decode_any(fields["user"]) if "user" in fields else None
    if isinstance(user, str) and len(user) > _MAX_USER_CHARS:
        del fitted["user"]
        lost.append("user")
    effort = _decode_any(fields["reasoning_effort"]) if "reasoning_effort" in fields else None
    if isinstance(effort, str):
        word = effort_at(model, effort)
        if word is None:
            del fitted["reasoning_effort"]
            lost.append("reasoning_effort")
        else:
            fitted["reasoning_effort"] = msgspec.Raw(_encode(word))
    return fitted, lost


def effort_at(model: str, effort: str) -> str | None:
    """The word to send to this model, None where it may know none."""
    model = model.lower()
    if not _KNOWS_EFFORT.search(model):
        return None
    if effort in ("xhigh", "max") and not _KNOWS_MORE.search(model):
        return "high"
    return "xhigh" if effort == "max" and "claude" not in model else effort


class RequestEncoder:
    """Encodes chat requests for one upstream. `drop` adds an operator's own to the quirks'."""

    def __init__(self, quirks: Quirks, drop: Iterable[str] = ()) -> None:
        self._quirks = quirks
        self._reported = quirks.drop | frozenset(drop) | NEVER_FORWARDED
        self._skipped = GATEWAY_FIELDS | {"model", "stream", "stream_options"} | self._reported
        self._messages = MessageEditor(quirks)

    def encode(
        self,
        payload: Payload[ChatRequest],
        model: str,
        *,
        stream: bool,
        strict: bool = False,
        carried_from: str = "",
        omit: frozenset[str] = frozenset(),
    ) -> tuple[bytes, tuple[str, ...]]:
        """The body to send, and the parameters that could not be carried over."""
        fields, request = payload.fields, payload.value
        dropped: list[str] = []
        if carried_from:
            fields, dropped = fit_carried(fields, model, self._quirks, carried_from)
        skipped = self._skipped
        out = {name: raw for name, raw in fields.items() if name not in skipped and raw != _NULL}
        if not self._reported.isdisjoint(fields):
            dropped += [name for name in fields if name in self._reported and worth_a_report(name, fields[name])]
        out["model"] = msgspec.Raw(_encode(model))
        out["messages"], left_out = self._messages.edit(request.messages, out["messages"])
        dropped.extend(left_out)
        if stream:
            self._ask_for_stream(out, fields, dropped, omit)
        if request.stop is not None and not request.stop:
            out.pop("stop", None)
        if not request.tools:
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                out.pop(name, None)
        self._one_max_tokens(out, dropped)
        self._rename_and_rewrite(out, dropped)
        encoded = _encode(out)
        if payload.size_bytes > _LARGE_BYTES and out.get("messages") is payload.fields["messages"]:
            payload.rest_on(encoded)
        return encoded, keep_strict(dropped, strict=strict) if dropped else ()

    def _ask_for_stream(
        self,
        out: dict[str, msgspec.Raw],
        fields: dict[str, msgspec.Raw],
        dropped: list[str],
        omit: frozenset[str],
    ) -> None:
        out["stream"] = _TRUE
        if not self._quirks.stream_usage or "stream_options" in self._reported:
            return
        options = fields.get("stream_options")
        if "stream_options" in omit:
            if options is not None and worth_a_report("stream_options", options):
                dropped.append("stream_options")
            return
        if options is None or options == _NULL:
            out["stream_options"] = _INCLUDE_USAGE
        else:
            out["stream_options"] = msgspec.Raw(_encode(_decode_fields(options) | {"include_usage": _TRUE}))

    def _one_max_tokens(self, out: dict[str, msgspec.Raw], dropped: list[str]) -> None:
        """OpenAI refuses a request with both names; of two values the one under the kept name wins."""
        kept = self._quirks.max_tokens_field or ("max_completion_tokens" if "max_completion_tokens" in out else "")
        other = "max_tokens" if kept == "max_completion_tokens" else "max_completion_tokens"
        if not kept or other not in out:
            return
        value = out.pop(other)
        if out.setdefault(kept, value) != value:
            dropped.append(other)

    def _rename_and_rewrite(self, out: dict[str, msgspec.Raw], dropped: list[str]) -> None:
        for name, table in self._quirks.rewrite.items():
            if name in out:
                value = bytes(out[name])
                replacement = table.get("{" if value.startswith(b"{") else value.decode())
                if replacement is not None:
                    out[name] = msgspec.Raw(replacement.encode())
                    dropped.append(name)
        for name, new_name in self._quirks.rename.items():
            if name in out:
                out.setdefault(new_name, out.pop(name))


_SYSTEM = msgspec.Raw(b'"system"')

_decode_messages = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


class MessageEditor:
    """Makes a message list acceptable to one upstream."""

    def __init__(self, quirks: Quirks) -> None:
        self._roles = not quirks.developer_role
        self._refused = tuple(name for name in REASONING_FIELDS if name not in quirks.message_fields)
        self._marks = tuple(f'"{name}"'.encode() for name in (*self._refused, PLACE))
        self._names = not quirks.message_names

    def edit(self, messages: Sequence[Message], raw: msgspec.Raw) -> tuple[msgspec.Raw, tuple[str, ...]]:
        """The list to send, and what was left out of it (`messages.name`). Untouched where nothing is amiss."""
        if not self._amiss(messages, raw):
            return raw, ()
        dropped: dict[str, None] = {}
        edited = _decode_messages(raw)
        for message, fields in zip(messages, edited, strict=True):
            if self._roles and message.role == "developer":
                fields["role"] = _SYSTEM
            if message.role == "assistant":
                for name in self._refused:
                    if fields.pop(name, None) is not None:
                        dropped[f"messages.{name}"] = None
                if "thinking_blocks" in fields:
                    fields["thinking_blocks"] = _without_places(fields["thinking_blocks"])
            if self._names and fields.pop("name", None) is not None:
                dropped["messages.name"] = None
        return msgspec.Raw(_encode(edited)), tuple(dropped)

    def _amiss(self, messages: Sequence[Message], raw: msgspec.Raw) -> bool:
        answers = False
        for message in messages:
            if (self._roles and message.role == "developer") or (self._names and message.name is not None):
                return True
            answers = answers or message.role == "assistant"
        if answers and self._marks:
            text = bytes(raw)
            return any(mark in text for mark in self._marks)
        return False


def _without_places(blocks: msgspec.Raw) -> msgspec.Raw:
    """Where thoughts stood is said to those dialects alone that can use it."""
    if PLACE.encode() not in bytes(blocks):
        return blocks
    kept = [{name: value for name, value in block.items() if name != PLACE} for block in _decode_messages(blocks)]
    return msgspec.Raw(_encode(kept))
