"""What Bedrock takes of a Claude request in Anthropic's own words, and how it counts one.

Source: Amazon Bedrock user guide, "Anthropic Claude Messages API"; botocore 1.44.5 service model (`CountTokens`);
reports of what Bedrock answers to counts by inference profile ("doesn't support counting tokens"), read 2026-11. Which
beta names it takes, and which fields with them, is in its row of constraints.
"""

import base64
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.dialects.bedrock.families import family_of
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import unsupported
from domain.errors import UpstreamFailure
from domain.failover import FailureKind

CONTEXT_FIELD: Final = "context_management"

_SERVER_TOOLS: Final = ("code_execution", "mcp_toolset", "web_fetch", "web_search")


class _Source(msgspec.Struct):
    type: str = ""


class _Block(msgspec.Struct):
    type: str = ""
    source: _Source | None = None
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Turn(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Tool(msgspec.Struct):
    type: str | None = None


class _Thinking(msgspec.Struct):
    budget_tokens: int = 0


class _Counted(msgspec.Struct):
    input_tokens: int = msgspec.field(name="inputTokens")


_decode_turns = msgspec.json.Decoder(list[_Turn]).decode
_decode_blocks = msgspec.json.Decoder(list[_Block]).decode
_decode_tools = msgspec.json.Decoder(list[_Tool]).decode
_decode_thinking = msgspec.json.Decoder(_Thinking).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_counted = msgspec.json.Decoder(_Counted).decode
_encode = msgspec.json.Encoder().encode


def refuse_unknown(fields: Mapping[str, msgspec.Raw]) -> None:
    """Raises `UNSUPPORTED` for what another provider of Claude can do and Bedrock cannot."""
    try:
        tools = _decode_tools(fields["tools"]) if "tools" in fields else []
        by_url = _has_url(fields["messages"])
    except UNDECODABLE:
        return  # for Bedrock to refuse in its own words
    if any((tool.type or "").startswith(_SERVER_TOOLS) for tool in tools):
        raise unsupported("tools", "Amazon Bedrock runs none of Anthropic's own tools")
    if by_url:
        raise unsupported("messages", "Amazon Bedrock fetches nothing: send images and documents in base64")


def _has_url(messages: msgspec.Raw) -> bool:
    if b'"url"' not in bytes(messages):
        return False
    return any(_holds_url(turn.content) for turn in _decode_turns(messages))


def _holds_url(content: msgspec.Raw) -> bool:
    """In blocks, and in those of a tool's result."""
    if not bytes(content).lstrip().startswith(b"["):
        return False
    blocks = _decode_blocks(content)
    return any(
        (block.source is not None and block.source.type == "url") or _holds_url(block.content) for block in blocks
    )


def counted_model(model: str) -> str:
    """Counts are given for a model itself and not for an inference profile of it."""
    family = family_of(model)
    return f"{family.vendor}.{family.name}"


def count_body(body: bytes) -> bytes:
    """`CountTokens` of a body for InvokeModel, which must be whole: with a limit, above the budget to think."""
    fields = _decode_fields(body)
    budget = 0
    if "thinking" in fields:
        try:
            budget = _decode_thinking(fields["thinking"]).budget_tokens
        except UNDECODABLE:
            budget = 0  # for Bedrock to refuse in its own words
    whole = _encode(fields | {"max_tokens": msgspec.Raw(_encode(budget + 1))})
    return _encode({"input": {"invokeModel": {"body": base64.b64encode(whole).decode()}}})


def count_answer(body: bytes) -> bytes:
    """The count in Anthropic's form. Raises what of `UNDECODABLE` an answer without one gives."""
    return _encode({"input_tokens": _decode_counted(body).input_tokens})


def is_no_count(failure: UpstreamFailure) -> bool:
    """Whether this says only that the model, or the policy, has no counting of tokens.

    A model that is absent by its own id may well answer by its profile's.
    """
    return (
        failure.kind is FailureKind.MODEL_ABSENT
        or failure.type == "AccessDeniedException"
        or "counting tokens" in failure.message
    )
