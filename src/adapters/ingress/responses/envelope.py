"""The Response object around its output: what the request asked for is told back, as OpenAI does.

Source: openai-python 3.52, `Response`; typed clients read every key here (2026-11).
"""

import secrets
from typing import Final

import msgspec

from domain.payload import Payload
from domain.responses import ResponsesRequest
from domain.usage import TokenUsage

_NULL: Final = msgspec.Raw(b"null")

_ECHOED: Final[dict[str, object]] = {
    "frequency_penalty": 0.0,  # Open Responses requires the two, OpenAI has them not
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""What is told back, and what stands for it where the request does not say."""

MAX_OPENING_BYTES: Final = 8 * 1024
"""Of each of these fields in the first two events."""

_ECHOED_SHORT: Final[dict[str, object]] = {"tools": [], "instructions": None, "text": {"format": {"type": "text"}}}

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_tools = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode

Json = dict[str, object]


class Envelope:
    """One response's object at every moment of its making. `token` is the random part of all its ids."""

    def __init__(self, payload: Payload[ResponsesRequest], model: str, created: int, token: str = "") -> None:
        self.token = token or secrets.token_hex(20)
        self.id = f"resp_{self.token}"
        self.model = model
        self.service_tier: str | None = None
        self._created = created
        self._echoed = _echoed(payload)

    def opening(self) -> Json:
        """The object before there is anything in it.

        A stream that fails before content goes to another provider, as long as little was held for it: long tools
        and instructions are told with the last event alone.
        """
        response = self.response("in_progress", [])
        long = [name for name in _ECHOED_SHORT if len(_encode(response[name])) > MAX_OPENING_BYTES]
        return response | {name: _ECHOED_SHORT[name] for name in long}

    def response(
        self,
        status: str,
        output: list[Json],
        *,
        usage: TokenUsage | None = None,
        incomplete_reason: str | None = None,
        completed_at: int | None = None,
    ) -> Json:
        """The object with this status and output."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "completed_at": completed_at,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": incomplete_reason} if incomplete_reason else None,
            "model": self.model,
            "output": output,
            "previous_response_id": None,
            "store": False,
            "service_tier": self.service_tier or "default",
            "usage": usage_json(usage) if usage is not None else None,
            **self._echoed,
        }


def usage_json(usage: TokenUsage) -> Json:
    """Usage as Responses writes it."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def _echoed(payload: Payload[ResponsesRequest]) -> Json:
    """Copies: a stream that is open for long must not keep the whole request."""
    fields = payload.fields
    echoed: Json = {name: _given(fields, name, default) for name, default in _ECHOED.items()}
    echoed["tools"] = _tools(fields.get("tools", _NULL))
    echoed["text"] = {"format": {"type": "text"}, "verbosity": "medium", **_object(fields, "text")}
    echoed["reasoning"] = {"effort": None, "summary": None, **_object(fields, "reasoning")}
    return echoed


def _given(fields: dict[str, msgspec.Raw], name: str, default: object) -> object:
    raw = fields.get(name, _NULL)
    return default if raw == _NULL else raw.copy()


def _object(fields: dict[str, msgspec.Raw], name: str) -> dict[str, msgspec.Raw]:
    raw = fields.get(name, _NULL)
    given = {} if raw == _NULL else _decode_fields(raw)
    return {key: value.copy() for key, value in given.items() if value != _NULL}


def _tools(raw: msgspec.Raw) -> msgspec.Raw:
    """As they were given; functions say of themselves what they left open."""
    if raw == _NULL:
        return msgspec.Raw(b"[]")
    shown: list[Json] = []
    for tool in _decode_tools(raw):
        is_function = bytes(tool.get("type", b"")) == b'"function"'
        shown.append({"description": None, "parameters": None, "strict": True, **tool} if is_function else {**tool})
    return msgspec.Raw(_encode(shown))
