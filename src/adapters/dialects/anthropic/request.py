"""Encodes a chat request as a request of Anthropic's Messages API.

Source: wire facts of November 2026; the table in `params` says what becomes of each parameter, and drives this.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.anthropic.conversation import Block, Conversation, Raw, converse, read_turns, text_block
from adapters.dialects.anthropic.params import CHAT_EXTRAS, chat_fidelity
from adapters.dialects.anthropic.settings import AnthropicSettings, body_fields, request_headers
from adapters.dialects.anthropic.tools import (
    Format,
    ToolUse,
    tool_use,
    wanted_format,
    web_search_tool,
    with_answer_tool,
)
from adapters.dialects.anthropic.traits import Thinking, Traits, think, traits_at
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.sift import keep_strict, sift, stop_sequences, top_k, within, worth_a_report
from domain.chat import ChatRequest
from domain.fidelity import Fidelity, dropped

MAX_USER_ID_CHARS: Final = 256
MAX_BREAKPOINTS: Final = 4

_PRIORITY_TIERS: Final = frozenset({"auto", "priority", "scale"})
_NULL: Final = Raw(b"null")

_encode = msgspec.json.Encoder().encode


class ChatEncoder:
    """Encodes for one upstream. `drop` adds an operator's own to the parameters that are dropped."""

    def __init__(self, settings: AnthropicSettings, drop: Sequence[str] = ()) -> None:
        self._settings = settings
        self._table: Fidelity = {**chat_fidelity(settings), **CHAT_EXTRAS, **dict.fromkeys(drop, dropped())}

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        """Raises `UNSUPPORTED` for what Claude cannot do, `CLIENT_FAULT` for what no one can read."""
        lost = sift(call.payload.fields, self._table, ignored=("model", "messages"))
        body = _Body(call, self._settings, self._kept(call), lost).build()
        if stream and self._settings.stream_in_body:
            body["stream"] = True
        reported = {name for name in lost if worth_a_report(name, call.payload.fields.get(name, _NULL))}
        return Encoded(
            _encode(body), keep_strict(reported, strict=call.strict), headers=request_headers(self._settings)
        )

    def _kept(self, call: DialectCall[ChatRequest]) -> dict[str, Raw]:
        """The fields the table lets through, without those that say nothing."""
        table = self._table
        return {
            name: raw
            for name, raw in call.payload.fields.items()
            if raw != _NULL and name in table and table[name].support in {"honored", "mapped"}
        }


class _Body:
    """One request's body in the making. What turns out to be lost is appended to `lost`."""

    def __init__(
        self, call: DialectCall[ChatRequest], settings: AnthropicSettings, kept: dict[str, Raw], lost: list[str]
    ) -> None:
        asked = call.payload.value
        absent = {name: None for name in lost if name in asked.__struct_fields__}
        self._request: ChatRequest = msgspec.structs.replace(asked, **absent)
        self._call = call
        self._settings = settings
        self._kept = kept
        self._lost = lost
        self._traits: Traits = traits_at(call.model, settings)

    def build(self) -> dict[str, object]:
        conversation = self._conversation()
        wanted = wanted_format(self._request, self._traits)
        if wanted.instruction:
            conversation.system.append(text_block(wanted.instruction))
        use = self._tools(conversation, wanted)
        max_tokens = self._max_tokens()
        body: dict[str, object] = {"model": self._call.model} if self._settings.model_in_body else {}
        body |= body_fields(self._settings)
        body["max_tokens"] = max_tokens
        if conversation.system:
            body["system"] = conversation.system
        body["messages"] = conversation.turns
        if use.tools:
            body["tools"] = use.tools
            if use.choice is not None:
                body["tool_choice"] = use.choice
        thinking = self._thinking(max_tokens, use, conversation)
        body |= self._output(thinking, wanted)
        body |= self._sampling(thinks=thinking.active or (self._traits.always_thinks and thinking.thinking is None))
        body |= self._plain_fields()
        marked = [*use.tools, *conversation.system, *(block for turn in conversation.turns for block in turn.content)]
        _limit_breakpoints(marked, MAX_BREAKPOINTS - ("cache_control" in body))
        return body

    def _conversation(self) -> Conversation:
        return converse(
            read_turns(self._call.payload.fields["messages"]),
            mid_system=self._traits.mid_system,
            inline_only=self._settings.inline_media_only,
        )

    def _tools(self, conversation: Conversation, wanted: Format) -> ToolUse:
        use = tool_use(
            self._request, self._kept.get("tools"), conversation.called_tools(), strict=self._traits.structured
        )
        if self._request.web_search_options is not None:
            use.tools.append(web_search_tool(self._kept["web_search_options"]))
            use.choice = None if use.choice == {"type": "none"} and not self._request.tools else use.choice
        return use if wanted.tool is None else with_answer_tool(use, wanted.tool)

    def _max_tokens(self) -> int:
        asked = self._request.max_completion_tokens or self._request.max_tokens
        return asked or self._traits.max_tokens

    def _thinking(self, max_tokens: int, use: ToolUse, conversation: Conversation) -> Thinking:
        own = self._kept.get("thinking")
        if own is not None:
            return Thinking(msgspec.json.decode(own, type=dict[str, object]))
        effort = self._request.reasoning_effort
        decided = think(
            effort,
            self._traits,
            max_tokens,
            forced_call=use.forced,
            without_thinking=conversation.calls_without_thinking(),
        )
        if not decided.kept:
            self._lost.append("reasoning_effort")
        return decided

    def _output(self, thinking: Thinking, wanted: Format) -> dict[str, object]:
        fields: dict[str, object] = {}
        if thinking.thinking is not None:
            fields["thinking"] = thinking.thinking
        output: dict[str, object] = {}
        if thinking.effort is not None:
            output["effort"] = thinking.effort
        if wanted.schema is not None:
            output["format"] = {"type": "json_schema", "schema": wanted.schema}
        if output:
            fields["output_config"] = output
        return fields

    def _sampling(self, *, thinks: bool) -> dict[str, object]:
        """Newer models, and thinking ones, refuse every sampler; some refuse two at once."""
        request, traits = self._request, self._traits
        fields: dict[str, object] = {}
        wanted: dict[str, tuple[object, bool]] = {}
        if request.temperature is not None:
            wanted["temperature"] = within(request.temperature, 0, 1)
        if request.top_p is not None:
            wanted["top_p"] = (request.top_p, False)
        if "top_k" in self._kept:
            wanted["top_k"] = top_k(self._kept["top_k"])
        for name, (value, cut) in wanted.items():
            if value is None:
                continue
            doubled = name == "top_p" and "temperature" in fields and not traits.both_samplers
            if thinks or not traits.samples or doubled:
                if cut or value != 1:  # 1 is what they do anyway
                    self._lost.append(name)
                continue
            fields[name] = value
            if cut:
                self._lost.append(name)
        return fields

    def _plain_fields(self) -> dict[str, object]:
        request = self._request
        fields: dict[str, object] = {}
        stops, cut = stop_sequences(request.stop, blank=False)
        if cut:
            self._lost.append("stop")
        if stops:
            fields["stop_sequences"] = stops
        user = request.safety_identifier or request.user
        if user:
            fields["metadata"] = {"user_id": _user_id(user)}
        if request.service_tier is not None:
            fields["service_tier"] = "auto" if request.service_tier in _PRIORITY_TIERS else "standard_only"
        if "cache_control" in self._kept:
            fields["cache_control"] = self._kept["cache_control"]
        return fields


def _user_id(user: str) -> str:
    return user if len(user) <= MAX_USER_ID_CHARS else hashlib.sha256(user.encode()).hexdigest()


def _limit_breakpoints(blocks: Sequence[Block], most: int) -> None:
    """The last ones cover the longest beginnings of the prompt; one too many would be refused."""
    marked = [block for block in blocks if "cache_control" in block]
    for block in marked[: max(len(marked) - most, 0)]:
        del block["cache_control"]
