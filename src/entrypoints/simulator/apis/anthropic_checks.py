"""What Anthropic refuses with a 400. Each check gives the message, or None.

Source: platform.claude.com pages on errors, tool use, extended thinking and the version of 2026-10-21 (read 2026-11).
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from entrypoints.simulator.apis.endpoint import objects

NEWEST_VERSION = "2026-10-21"
"""The API version without sampling parameters."""

_FIELDS = frozenset(
    "model max_tokens messages system stream stop_sequences metadata service_tier inference_geo speed container"
    " diagnostics user_profile_id workspace_id temperature top_p top_k tools tool_choice thinking output_config"
    " cache_control context_management mcp_servers anthropic_version anthropic_beta".split()
)
_IDENTITY = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_FAMILY = re.compile(r"claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_NO_BUDGETS = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" '
    "to control thinking behavior."
)
_PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def signature_of(thinking: str) -> str:
    """What this simulator signs a thought with; a thought that comes back must carry it."""
    return f"sim-signature-{zlib.crc32(thinking.encode()):08x}"


def complaint(fields: dict[str, Any], version: str, *, with_limit: bool = True, beta: bool = False) -> str | None:
    """The first thing that is wrong with a request, in Anthropic's words."""
    messages = _merged(objects(fields.get("messages")))
    found: Iterable[Iterator[str]] = (
        _top_level(fields, version, with_limit=with_limit, beta=beta),
        _system(fields.get("system")),
        _contents(messages, version),
        _calls_and_results(messages, fields),
        _tools(fields),
        _thinking(fields),
        _last(messages, fields),
    )
    return next((message for checks in found for message in checks), None)


def _is_newest(version: str) -> bool:
    """The versions that other clouds have of their own are older."""
    return version[:1].isdigit() and version >= NEWEST_VERSION


def _generation(model: object) -> tuple[int, int] | None:
    """The generation in a model's name: (4, 6) for `claude-opus-4-6`, None where it names none."""
    match = _FAMILY.search(str(model))
    return (int(match[1]), int(match[2] or 0)) if match else None


def _merged(messages: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Consecutive messages of a role are one, as the API has it."""
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for message in messages:
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)
        if merged and merged[-1][0] == message.get("role"):
            merged[-1][1].extend(blocks)
        else:
            merged.append((str(message.get("role")), list(blocks)))
    return merged


def _top_level(fields: dict[str, Any], version: str, *, with_limit: bool, beta: bool) -> Iterator[str]:
    limit = fields.get("max_tokens")
    if with_limit and limit is None:
        yield "max_tokens: Field required"
    if with_limit and (not isinstance(limit, int) or limit < 1):
        yield "max_tokens: Input should be greater than or equal to 1"
    if not fields.get("messages") or not isinstance(fields["messages"], list):
        yield "messages: at least one message is required"
    for name in sorted(set(fields) - _FIELDS) if not beta else ():
        yield f"{name}: Extra inputs are not permitted"
    for name in ("temperature", "top_p", "top_k"):
        if _is_newest(version) and name in fields:
            yield f"{name}: Extra inputs are not permitted in version {version}"
    temperature = fields.get("temperature")
    if temperature is not None and not (isinstance(temperature, int | float) and 0 <= temperature <= 1):
        yield "temperature: range: 0..1"
    for stop in fields.get("stop_sequences") or []:
        if not str(stop).strip():
            yield "stop_sequences: each stop sequence must contain non-whitespace"
    schema = ((fields.get("output_config") or {}).get("format") or {}).get("schema")
    if schema is not None and not _closed(schema):
        yield "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    if str(fields).count("'cache_control': {") > 4:
        yield "A maximum of 4 blocks with cache_control may be provided."


def _closed(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(_closed(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return False
    parts = (*schema.get("properties", {}).values(), schema.get("items"), *schema.get("anyOf", ()))
    return all(_closed(part) for part in (*parts, *schema.get("$defs", {}).values()))


def _system(system: Any) -> Iterator[str]:
    if isinstance(system, list) and any(not block.get("text") for block in objects(system)):
        yield "system: text content blocks must be non-empty"


def _contents(messages: list[tuple[str, list[dict[str, Any]]]], version: str) -> Iterator[str]:
    if messages and messages[0][0] == "assistant":
        yield 'messages: first message must use the "user" role'
    for number, (role, blocks) in enumerate(messages):
        where = f"messages.{number}"
        if role not in {"user", "assistant", "system"}:
            yield f'messages: Unexpected role "{role}". Allowed roles are "user" or "assistant".'
        if not blocks and (role, number) != ("assistant", len(messages) - 1):
            yield f"{where}: all messages must have non-empty content"
        for block in blocks:
            yield from _block(where, role, block, version)


def _block(where: str, role: str, block: dict[str, Any], version: str) -> Iterator[str]:
    kind = block.get("type")
    source = block.get("source") or {}
    newest = _is_newest(version)
    if kind == "text" and not block.get("text"):
        yield "messages: text content blocks must be non-empty"
    if kind == "text" and role == "user" and newest and block.get("citations"):
        yield f"{where}: citations are not permitted on user text blocks"
    if kind == "document" and role == "assistant" and newest:
        yield f"{where}: document blocks are not permitted in assistant messages"
    if kind == "image" and source.get("type") == "base64" and source.get("media_type") not in _PICTURES:
        yield f"{where}: image media_type is one of {', '.join(sorted(_PICTURES))}"
    if kind == "image" and version.startswith("vertex") and source.get("type") == "url":
        yield f"{where}: URL sources are not supported"
    if kind == "tool_use" and not isinstance(block.get("input"), dict):
        yield f"{where}: tool_use.input: Input should be a valid dictionary"
    if kind == "tool_use" and not _IDENTITY.fullmatch(str(block.get("id"))):
        yield f"{where}: tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
    if kind == "thinking" and block.get("signature") != signature_of(str(block.get("thinking"))):
        yield f"{where}: Invalid `signature` in `thinking` block"


def _calls_and_results(messages: list[tuple[str, list[dict[str, Any]]]], fields: dict[str, Any]) -> Iterator[str]:
    open_calls: list[Any] = []
    spoken = [(number, role, blocks) for number, (role, blocks) in enumerate(messages) if role != "system"]
    for number, role, blocks in spoken:
        results = [block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"]
        if missing := [call for call in open_calls if call not in results]:
            listed = ", ".join(map(str, missing))
            yield (
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after:"
                f" {listed}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            )
        if unknown := [call for call in results if call not in open_calls]:
            yield f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {unknown[0]}"
        kinds = [block.get("type") for block in blocks]
        if role == "user" and "tool_result" in kinds[len(results) :]:
            yield f"messages.{number}: `tool_result` blocks must come first in the content"
        open_calls = [block.get("id") for block in blocks if block.get("type") == "tool_use"]
        if (open_calls or results) and not fields.get("tools"):
            yield "Requests which have `tool_use` or `tool_result` blocks in messages must define tools."
    if open_calls:
        yield "messages: `tool_use` ids were found without `tool_result` blocks immediately after"


def _tools(fields: dict[str, Any]) -> Iterator[str]:
    tools = objects(fields.get("tools"))
    names = [tool.get("name") for tool in tools]
    if len(set(names)) != len(names):
        yield "tools: Tool names must be unique."
    for number, tool in enumerate(tools):
        if not _TOOL_NAME.fullmatch(str(tool.get("name"))):
            yield f"tools.{number}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        if tool.get("type") in {None, "custom"} and (tool.get("input_schema") or {}).get("type") != "object":
            yield f"tools.{number}.custom.input_schema.type: Field required"
    choice = fields.get("tool_choice")
    if choice is None:
        return
    if not tools:
        yield "tool_choice may only be specified while providing tools."
    if not isinstance(choice, dict) or choice.get("type") not in {"auto", "any", "tool", "none"}:
        yield "tool_choice: Input tag is one of 'auto', 'any', 'tool', 'none'"
    elif choice["type"] == "tool" and choice.get("name") not in names:
        yield f"Tool '{choice.get('name')}' not found in provided tools"


def _thinking(fields: dict[str, Any]) -> Iterator[str]:
    thinking = fields.get("thinking") or {}
    generation = _generation(fields.get("model"))
    kind = thinking.get("type")
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if generation and generation >= (4, 7):
            yield _NO_BUDGETS
        if not isinstance(budget, int) or budget < 1024:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        elif budget >= fields.get("max_tokens", budget + 1):
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."
        if (fields.get("tool_choice") or {}).get("type") in {"any", "tool"}:
            yield "Thinking may not be enabled when tool_choice forces tool use."
        if fields.get("temperature") not in {None, 1}:
            yield "`temperature` may only be set to 1 when thinking is enabled."
    if kind == "adaptive" and generation and generation <= (4, 5):
        yield "adaptive thinking is not supported on this model"
    if kind == "disabled" and re.search(r"fable|mythos", str(fields.get("model"))):
        yield "thinking cannot be disabled on this model"


def _last(messages: list[tuple[str, list[dict[str, Any]]]], fields: dict[str, Any]) -> Iterator[str]:
    if not messages or messages[-1][0] != "assistant":
        return
    generation = _generation(fields.get("model"))
    if generation and generation >= (4, 6):
        yield ("This model does not support assistant message prefill. The conversation must end with a user message.")
    blocks = messages[-1][1]
    if blocks and str(blocks[-1].get("text", "")).rstrip() != str(blocks[-1].get("text", "")):
        yield "messages: final assistant content cannot end with trailing whitespace"
