"""Encodes a chat request as a request of Anthropic's Messages API.

Source: wire facts of November 2026; the table in `params` says what becomes of each parameter, and drives this.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.anthropic.content import Block, text_block
from adapters.dialects.anthropic.conversation import Conversation, converse
from adapters.dialects.anthropic.headers import body_fields, request_headers
from adapters.dialects.anthropic.history import Raw, read_turns
from adapters.dialects.anthropic.params import CHAT_EXTRAS, chat_fidelity
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.anthropic.structured import Format, wanted_format, with_answer_tool
from adapters.dialects.anthropic.thinking import Thinking, think
from adapters.dialects.anthropic.tools import ToolUse, tool_use
from adapters.dialects.anthropic.traits import Traits, traits_at
from adapters.dialects.anthropic.web_search import web_search_tool
from adapters.wire.answer import Encoded
from adapters.wire.call import WireCall
from adapters.wire.sift import keep_strict, sift, worth_a_report
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

    def encode(self, call: WireCall[ChatRequest], *, stream: bool) -> Encoded:
        """Raises `UNSUPPORTED` for what Claude cannot do, `CLIENT_FAULT` for what no one can read."""
        lost = sift(call.payload.fields, self._table, ignored=("model", "messages"))
        body = _Body(call, self._settings, self._kept(call), lost).made()
        if stream and self._settings.stream_in_body:
            body["stream"] = True
        reported = {name for name in lost if worth_a_report(name, call.payload.fields.get(name, _NULL))}
        return Encoded(
            _encode(body), keep_strict(reported, strict=call.strict), headers=request_headers(self._settings)
        )

    def _kept(self, call: WireCall[ChatRequest]) -> dict[str, Raw]:
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
        self, call: WireCall[ChatRequest], settings: AnthropicSettings, kept: dict[str, Raw], lost: list[str]
    ) -> None:
        asked = call.payload.value
        absent = {name: None for name in lost if name in asked.__struct_fields__}
        self._request: ChatRequest = msgspec.structs.replace(asked, **absent)
        self._call = call
        self._settings = settings
        self._kept = kept
        self._lost = lost
        self._traits: Traits = traits_at(call.model, settings)

    def made(self) -> dict[str, object]:
        told = self._conversation()
        wanted = wanted_format(self._request, self._traits)
        if wanted.instruction:
            told.system.append(text_block(wanted.instruction))
        use = self._tools(told, wanted)
        max_tokens = self._max_tokens()
        body: dict[str, object] = {"model": self._call.model} if self._settings.model_in_body else {}
        body |= body_fields(self._settings)
        body["max_tokens"] = max_tokens
        if told.system:
            body["system"] = told.system
        body["messages"] = told.turns
        if use.tools:
            body["tools"] = use.tools
            if use.choice is not None:
                body["tool_choice"] = use.choice
        thinking = self._thinking(max_tokens, use, told)
        body |= self._output(thinking, wanted)
        body |= self._sampling(thinks=thinking.active or (self._traits.always_thinks and thinking.thinking is None))
        body |= self._plain_fields()
        marked = [*use.tools, *told.system, *(block for turn in told.turns for block in turn.content)]
        _limit_breakpoints(marked, MAX_BREAKPOINTS - ("cache_control" in body))
        return body

    def _conversation(self) -> Conversation:
        return converse(
            read_turns(self._call.payload.fields["messages"]),
            mid_system=self._traits.mid_system,
            inline_only=self._settings.inline_media_only,
        )

    def _tools(self, told: Conversation, wanted: Format) -> ToolUse:
        use = tool_use(self._request, self._kept.get("tools"), told.called_tools(), strict=self._traits.structured)
        if self._request.web_search_options is not None:
            use.tools.append(web_search_tool(self._kept["web_search_options"]))
            use.choice = None if use.choice == {"type": "none"} and not self._request.tools else use.choice
        return use if wanted.tool is None else with_answer_tool(use, wanted.tool)

    def _max_tokens(self) -> int:
        asked = self._request.max_completion_tokens or self._request.max_tokens
        return asked or self._traits.max_tokens

    def _thinking(self, max_tokens: int, use: ToolUse, told: Conversation) -> Thinking:
        own = self._kept.get("thinking")
        if own is not None:
            return Thinking(msgspec.json.decode(own, type=dict[str, object]))
        effort = self._request.reasoning_effort
        decided = think(effort, self._traits, max_tokens, forced_call=use.forced, thoughtless=told.thoughtless_calls())
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
        wanted = {"temperature": request.temperature, "top_p": request.top_p, "top_k": self._kept.get("top_k")}
        for name, value in wanted.items():
            if value is None:
                continue
            doubled = name == "top_p" and "temperature" in fields and not traits.both_samplers
            if thinks or not traits.samples or doubled:
                if value != 1:  # what they do anyway
                    self._lost.append(name)
            else:
                fields[name] = min(value, 1) if name == "temperature" and isinstance(value, float | int) else value
        return fields

    def _plain_fields(self) -> dict[str, object]:
        request = self._request
        fields: dict[str, object] = {}
        stops = [request.stop] if isinstance(request.stop, str) else request.stop or []
        kept = [stop for stop in stops if stop.strip()]
        if len(kept) < len(stops):
            self._lost.append("stop")
        if kept:
            fields["stop_sequences"] = kept
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
