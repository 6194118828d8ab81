"""A message as a chat: each parameter as the table says, blocks as parts, tools as functions.

Source: wire facts on Anthropic, sections 3 and 8 (November 2026).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from adapters.ingress.messages.conversation import NOTHING, Block, chat_messages, is_given, read_blocks
from adapters.ingress.messages.params import MESSAGES_OVER_CHAT
from adapters.wire.chat_answer import estimated_input
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid, keep_strict, sift
from domain.chat import ChatRequest
from domain.inference import Json
from domain.messages import MessageParam, MessagesRequest
from domain.payload import Payload
from domain.usage import BYTES_PER_TOKEN

_SIGNS_CALLS: Final = "gemini"  # the models that want back what they hung on their calls
_SCHEMA_NAME: Final = "answer"  # a chat's schema needs a name, and Anthropic's has none


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: msgspec.Raw = NOTHING


class _OutputConfig(msgspec.Struct):
    format: _Format | None = None


class ChatForm(msgspec.Struct, frozen=True):
    """A message as a chat, and the parameters it lost on the way, sorted.

    `estimated_input_tokens` is by length, of a stream alone: its beginning tells of the input before it is counted.
    """

    payload: Payload[ChatRequest]
    dropped: tuple[str, ...]
    estimated_input_tokens: int = 0


_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(ChatRequest).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_config = msgspec.json.Decoder(_OutputConfig).decode


def as_chat(payload: Payload[MessagesRequest], model: str, *, stream: bool, strict: bool = False) -> ChatForm:
    """The chat to ask `model` for. Raises `UpstreamFailure`: the client's fault, or `UNSUPPORTED`."""
    request = payload.value
    lost = set(sift(payload.fields, MESSAGES_OVER_CHAT, ignored=("model", "messages")))
    messages = chat_messages(request.system, request.messages, lost, extras=_SIGNS_CALLS in model.lower())
    chat: dict[str, object] = {"model": model, "messages": messages}
    if stream:
        chat["stream"] = True
    for name in ("max_tokens", "temperature", "top_p", "top_k"):
        value = getattr(request, name)
        if value is not None:
            chat[name] = value
    if request.stop_sequences:
        chat["stop"] = request.stop_sequences
    _add_tools(chat, request, lost)
    try:
        effort = wanted_effort(request.thinking, request.output_config)
        if effort is not None:
            chat["reasoning_effort"] = effort
        _add_rest(chat, payload)
        body = _encode(chat)
        value = _decode_chat(body)
    except UNDECODABLE as error:
        raise invalid(f"The request cannot be read: {error}.", "messages") from None
    dropped = keep_strict(lost, strict=strict)
    tools = chat.get("tools")
    estimate = estimated_input(messages, tools if isinstance(tools, list) else [], _by_length) if stream else 0
    return ChatForm(Payload(value, _decode_fields(body), payload.size_bytes), dropped, estimate)


def estimated_input_tokens(payload: Payload[MessagesRequest], count: Callable[[str], int]) -> int:
    """The tokens of a message's input, its texts counted by `count`. Raises `UpstreamFailure` as `as_chat` does."""
    request, lost = payload.value, set[str]()
    messages = chat_messages(request.system, request.messages, lost)
    return estimated_input(messages, chat_tools(request.tools or (), request.messages, lost), count)


def _by_length(text: str) -> int:
    return len(text.encode(errors="replace")) // BYTES_PER_TOKEN


def _add_tools(chat: dict[str, object], request: MessagesRequest, lost: set[str]) -> None:
    tools = chat_tools(request.tools or (), request.messages, lost)
    if not tools:
        return
    chat["tools"] = tools
    if request.tool_choice is not None:
        chat["tool_choice"], parallel = chat_tool_choice(request.tool_choice)
        if not parallel:
            chat["parallel_tool_calls"] = False


def _add_rest(chat: dict[str, object], payload: Payload[MessagesRequest]) -> None:
    request, fields = payload.value, payload.fields
    if request.output_config is not None:
        wanted = _decode_config(fields["output_config"]).format
        if wanted is not None and is_given(wanted.schema):
            schema = {"name": _SCHEMA_NAME, "schema": wanted.schema}
            chat["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.metadata is not None:
        user = _decode_metadata(fields["metadata"]).user_id
        if user:
            chat["user"] = user
    if request.service_tier == "standard_only":
        chat["service_tier"] = "default"


_LOW_BUDGET_TOKENS = 2_048
_MEDIUM_BUDGET_TOKENS = 8_192


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None


class _EffortConfig(msgspec.Struct):
    effort: str | None = None


def wanted_effort(thinking: dict[str, Json] | None, output_config: dict[str, Json] | None) -> str | None:
    """The effort asked for; None where the model's own default will do.

    Thinking switched off asks for nothing: that is how a chat is without `reasoning_effort`, and the word for it
    (`none`) is known to few. Raises `msgspec.ValidationError`.
    """
    config = msgspec.convert(_plain(output_config), _EffortConfig)
    asked = msgspec.convert(_plain(thinking), _Thinking) if thinking is not None else None
    if asked is not None and asked.type == "disabled":
        return None
    if config.effort is not None:
        return config.effort
    if asked is not None and asked.budget_tokens is not None:
        return _of_budget(asked.budget_tokens)
    return None


def _of_budget(tokens: int) -> str:
    if tokens <= _LOW_BUDGET_TOKENS:
        return "low"
    return "medium" if tokens <= _MEDIUM_BUDGET_TOKENS else "high"


def _plain(fields: dict[str, Json] | None) -> object:
    return msgspec.json.decode(msgspec.json.encode(fields or {}))


_NO_PARAMETERS = msgspec.Raw(b'{"type":"object","properties":{}}')


class _Tool(msgspec.Struct):
    name: str
    type: str | None = None  # `custom`, or the name of a tool that Anthropic runs
    description: str | None = None
    input_schema: Json = NOTHING
    strict: bool | None = None
    defer_loading: bool | None = None
    cache_control: Json = NOTHING

    @property
    def is_custom(self) -> bool:
        return self.type in (None, "custom")


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_decode_tool = msgspec.json.Decoder(_Tool).decode
_decode_choice = msgspec.json.Decoder(_Choice).decode


def chat_tools(tools: Sequence[Json], turns: Sequence[MessageParam], lost: set[str]) -> list[dict[str, object]]:
    """The functions a chat may call. Tools that Anthropic itself runs are `lost`.

    A deferred tool is on offer once the conversation refers to it. Where a tool that Anthropic runs was to find
    the deferred ones, nobody can, and all of them are on offer. Raises `UpstreamFailure` for what is no tool.
    """
    known = [_tool(raw) for raw in tools]
    changes = list(_changes(turns))
    known += [_tool(block.tool.definition) for block in changes if block.tool and is_given(block.tool.definition)]
    served = [tool for tool in known if not tool.is_custom]
    if served:
        lost.add("tools")
    if any(is_given(tool.cache_control) for tool in known):
        lost.add("cache_control")
    offered = {tool.name: tool for tool in known if tool.is_custom}
    referred = _names(changes, "tool_addition") | _names(changes, "tool_reference")
    removed = _names(changes, "tool_removal")
    searched = any((tool.type or "").startswith("tool_search_tool") for tool in served)
    return [
        _function(tool)
        for tool in offered.values()
        if tool.name not in removed and (searched or not tool.defer_loading or tool.name in referred)
    ]


def chat_tool_choice(choice: dict[str, Json]) -> tuple[object, bool]:
    """A chat's `tool_choice`, and whether calls may come in parallel."""
    try:
        read = _decode_choice(_encode(choice))
    except UNDECODABLE as error:
        raise invalid(f"`tool_choice` cannot be read: {error}.", "tool_choice") from None
    words: dict[str, object] = {"auto": "auto", "any": "required", "none": "none"}
    if read.type == "tool" and read.name:
        words["tool"] = {"type": "function", "function": {"name": read.name}}
    if read.type not in words:
        raise invalid(f"`tool_choice` has no type '{read.type}', or needs a name.", "tool_choice")
    return words[read.type], not read.disable_parallel_tool_use


def _tool(raw: Json) -> _Tool:
    try:
        return _decode_tool(raw)
    except UNDECODABLE as error:
        raise invalid(f"A tool cannot be read: {error}.", "tools") from None


def _function(tool: _Tool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.input_schema if is_given(tool.input_schema) else _NO_PARAMETERS
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _changes(turns: Sequence[MessageParam]) -> Iterable[Block]:
    """Blocks that add, remove or refer to tools, wherever they stand; results hold references one level down."""
    for turn in turns:
        if isinstance(turn.content, str) or not any(b"tool_" in bytes(raw) for raw in turn.content):
            continue
        for block in read_blocks(turn.content):
            if block.type in ("tool_addition", "tool_removal"):
                yield block
            elif block.type == "tool_result" and not isinstance(block.content, str):
                yield from (inner for inner in read_blocks(block.content) if inner.type == "tool_reference")


def _names(changes: Iterable[Block], kind: str) -> set[str]:
    found = (block.tool_name or (block.tool.name if block.tool else None) for block in changes if block.type == kind)
    return {name for name in found if name}
