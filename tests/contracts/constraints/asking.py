"""Asks each target through each ingress, with an upstream that takes note and answers in its own format."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import httpx
import msgspec
from typing_extensions import override

from adapters.constraints.conform import Conformer
from adapters.constraints.rules import Constraints
from adapters.providers.kind import Entry
from adapters.providers.kinds import ENTRIES
from adapters.providers.registry import Registry
from adapters.providers.upstream import Unwatched
from domain.chat import ChatRequest
from domain.inference import InferenceRequest
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.ports.providers import Answering, ProviderCall, Streaming
from domain.providers import ProviderSettings
from domain.responses import ResponsesRequest
from domain.secrets import Secret
from domain.timeouts import Timeouts
from tests.builders import a_provider, a_provider_key

Json = dict[str, Any]

_TYPES: Final[Mapping[str, type[InferenceRequest]]] = {
    "chat": ChatRequest,
    "messages": MessagesRequest,
    "responses": ResponsesRequest,
}
_AWS: Final = '{"access_key_id":"AKIASIMULATED","secret_access_key":"a-secret-of-forty-characters"}'
_SETTINGS: Final[Mapping[str, Json]] = {
    "bedrock": {"location": "us-east-1"},
    "vertex": {"project": "p", "location": "europe-west4"},
}
_MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("claude-x",),
    "gemini": ("gemini-3-x",),
    "vertex": ("gemini-3-x", "claude-x"),
    "bedrock": (
        "meta.llama-x",
        "amazon.nova-x",
        "us.anthropic.claude-sonnet-4-6",
        "us.anthropic.claude-opus-5-5",
        "anthropic.claude-instant-x",
    ),
}
_FAMILIES: Final = ("m", "gpt-x", "anthropic/claude-x", "mistral-x", "gemma-x", "qwen-x")
"""A name for each family that a place with models of every maker tells apart."""


class Asked(NamedTuple):
    """A target: a model at a provider, and the row that holds for it."""

    entry: Entry
    model: str
    row: Constraints

    @property
    def label(self) -> str:
        return f"{self.entry.id} {self.model}"


def targets() -> list[Asked]:
    """Every provider, and the families of models at the first of those that share them."""
    found: list[Asked] = []
    rows: list[tuple[str, Constraints]] = []
    for entry in ENTRIES:
        if entry.chat_path is None:
            continue  # it holds no conversations
        conformer = Conformer(entry.target, entry.id)
        for place, model in enumerate(_MODELS.get(entry.kind, _FAMILIES)):
            row = conformer.row_of(model)
            if place == 0 or (entry.kind, row) not in rows:
                rows.append((entry.kind, row))
                found.append(Asked(entry, model, row))
    return found


class Heard(NamedTuple):
    """What went upstream, and what came back to the client."""

    sent: Json
    path: str
    headers: httpx.Headers
    dropped: tuple[str, ...]
    told: str


class Upstream(httpx.AsyncBaseTransport):
    """Answers with a call of the first tool it is offered, by its name."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        body = json.loads(await request.aread())
        streamed = bool(body.get("stream")) or "stream" in request.url.path.lower() or "alt=sse" in str(request.url)
        format_ = format_of(request.url.path)
        name = next(iter(tool_names(body)), "tool")
        if streamed:
            events = _STREAMS[format_](name)
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=events)
        return httpx.Response(200, json=_ANSWERS[format_](name))


def format_of(path: str) -> str:
    """The API of an address."""
    ends = {
        "/messages": "anthropic",
        "rawPredict": "anthropic",
        "RawPredict": "anthropic",
        "/invoke": "anthropic",
        "/converse": "converse",
        "enerateContent": "gemini",
        "/api/chat": "ollama",
        "/v2/chat": "cohere",
        "/responses": "responses",
    }
    return next((name for end, name in ends.items() if path.endswith(end)), "chat")


def tool_names(body: Any) -> list[str]:
    """The names of the tools on offer, in any format."""
    tools = body.get("tools") or body.get("toolConfig", {}).get("tools") or []
    found = []
    for tool in tools:
        for offered in tool.get("functionDeclarations") or [tool.get("function") or tool.get("toolSpec") or tool]:
            if isinstance(offered.get("name"), str):
                found.append(offered["name"])
    return found


def _chat(name: str) -> Json:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": _USAGE}


_USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def _anthropic(name: str) -> Json:
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [block]} | {
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": usage,
    }


def _converse(name: str) -> Json:
    message = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": name, "input": {}}}]}
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    return {"output": {"message": message}, "stopReason": "tool_use", "usage": usage}


def _gemini(name: str) -> Json:
    content = {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}}]}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return {"candidates": [{"content": content, "index": 0, "finishReason": "STOP"}], "usageMetadata": usage}


def _ollama(name: str) -> Json:
    message = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": name, "arguments": {}}}]}
    return {"model": "m", "message": message, "done": True, "done_reason": "stop", "eval_count": 1}


def _cohere(name: str) -> Json:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    usage = {"tokens": {"input_tokens": 1, "output_tokens": 1}}
    return {"id": "c", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_calls": [call]}} | {
        "usage": usage
    }


def _responses(name: str) -> Json:
    call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": name, "arguments": "{}"}
    return {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m"} | {
        "output": [call],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    }


_ANSWERS: Final = {
    "chat": _chat,
    "anthropic": _anthropic,
    "converse": _converse,
    "gemini": _gemini,
    "ollama": _ollama,
    "cohere": _cohere,
    "responses": _responses,
}


def _event(data: Json, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


def _chat_events(name: str) -> bytes:
    whole = _chat(name)
    call = whole["choices"][0]["message"]["tool_calls"][0] | {"index": 0}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}
    ended = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    return _event(head | {"choices": [said]}) + _event(head | {"choices": [ended]}) + b"data: [DONE]\n\n"


def _anthropic_events(name: str) -> bytes:
    whole = _anthropic(name)
    start = whole | {"content": [], "stop_reason": None}
    events: tuple[Json, ...] = (
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": whole["content"][0]},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )
    return b"".join(_event(event, event["type"]) for event in events)


def _responses_events(name: str) -> bytes:
    whole = _responses(name)
    events: tuple[Json, ...] = (
        {"type": "response.created", "sequence_number": 0, "response": whole | {"output": [], "status": "in_progress"}},
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": whole["output"][0]},
        {"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": whole["output"][0]},
        {"type": "response.completed", "sequence_number": 3, "response": whole},
    )
    return b"".join(_event(event, event["type"]) for event in events)


_STREAMS: Final = {
    "chat": _chat_events,
    "anthropic": _anthropic_events,
    "gemini": lambda name: _event(_gemini(name)),
    "responses": _responses_events,
}
STREAMED: Final = frozenset(_STREAMS)
"""The formats whose streams are text: Bedrock's frames, Ollama's lines and Cohere's events have tests of their own."""


async def ask(target: Asked, ingress: str, body: Json, *, stream: bool = False, betas: str = "") -> Heard:
    """Raises `UpstreamFailure` where this target cannot do what is asked."""
    entry, upstream = target.entry, Upstream()
    provider = a_provider(
        entry.id,
        kind=entry.kind,
        base_url="https://aiplatform.googleapis.com/v1" if entry.kind == "vertex" else "https://up.example/v1",
        settings=ProviderSettings(**_SETTINGS.get(entry.kind, {"preset": entry.id})),
    )
    client = Registry(lambda provider, timeouts: upstream, {}).build(provider, Timeouts())
    raw = msgspec.json.encode({"model": "m", "stream": stream, **body})
    payload: Payload[Any] = Payload(
        msgspec.json.decode(raw, type=_TYPES[ingress]), msgspec.json.decode(raw, type=dict[str, msgspec.Raw]), len(raw)
    )
    key = a_provider_key(secret=Secret(_AWS if entry.kind == "bedrock" else "canary-0123456789abcdef"))
    headers = (("anthropic-beta", betas),) if betas else ()
    call: ProviderCall[Any] = ProviderCall(
        payload, target.model, key, ingress == "chat", Unwatched(), client_headers=headers
    )
    capability = getattr(client.capabilities, ingress)
    if stream:
        streamed = await cast(Streaming[Any], capability).stream(call)
        told = b"".join([block async for block in streamed]) + streamed.ending
        dropped = streamed.dropped_params
        await streamed.aclose()
    else:
        answer = await cast(Answering[Any], capability).complete(call)
        told, dropped = answer.body, answer.dropped_params
    request = upstream.asked[-1]
    return Heard(json.loads(request.content), request.url.path, request.headers, dropped, told.decode())
