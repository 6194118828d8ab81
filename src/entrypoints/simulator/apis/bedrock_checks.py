"""What Bedrock's Converse refuses with a 400. Each check gives the message, or nothing.

Source: botocore 1.44.5 service model, the user guide on Converse and tool use (read 2026-11).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from entrypoints.simulator.apis.anthropic_checks import signature_of
from entrypoints.simulator.apis.endpoint import objects

_FIELDS = frozenset(
    "messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables"
    " additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig".split()
)
_BLOCKS = frozenset(
    "text image document video audio toolUse toolResult guardContent cachePoint reasoningContent citationsContent"
    " searchResult".split()
)
_FORMATS = {"image": {"png", "jpeg", "gif", "webp"}, "document": set("pdf csv doc docx xls xlsx html txt md".split())}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DOCUMENT_NAME = re.compile(r"(?!.*\s\s)[a-zA-Z0-9\s\-()\[\]]{1,200}")

Blocks = list[dict[str, Any]]


def complaint(fields: dict[str, Any], model: str) -> str | None:
    """The first thing that is wrong with a request, in Bedrock's words."""
    messages = [(str(m.get("role")), objects(m.get("content"))) for m in objects(fields.get("messages"))]
    checks = (
        _top_level(fields),
        _turns([message for message in messages if message[0] != "system"]),
        _contents(messages, model),
        _calls_and_results([message for message in messages if message[0] != "system"], fields),
        _tools(fields.get("toolConfig")),
    )
    return next((message for found in checks for message in found), None)


def _top_level(fields: dict[str, Any]) -> Iterator[str]:
    for name in sorted(set(fields) - _FIELDS):
        yield f"Malformed input request: extraneous key [{name}] is not permitted"
    config = fields.get("inferenceConfig") or {}
    for name in sorted(set(config) - {"maxTokens", "temperature", "topP", "stopSequences"}):
        yield f"Malformed input request: extraneous key [inferenceConfig.{name}] is not permitted"
    if not 0 <= config.get("temperature", 0) <= 1:
        yield "Value at 'inferenceConfig.temperature' failed to satisfy constraint: between 0 and 1"
    if config.get("maxTokens", 1) < 1:
        yield "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: at least 1"
    for block in objects(fields.get("system")):
        if "text" in block and not str(block["text"]).strip():
            yield "The text field in the SystemContentBlock object is blank."


def _turns(messages: list[tuple[str, Blocks]]) -> Iterator[str]:
    roles = [role for role, _ in messages]
    if not roles or roles[0] != "user":
        yield "A conversation must start with a user message. Try again with a conversation that does."
    if any(role not in {"user", "assistant"} for role in roles):
        yield "Value at 'messages.role' failed to satisfy constraint: [user, assistant]"
    if any(one == other for one, other in pairwise(roles)):
        yield "A conversation must alternate between user and assistant roles."


def _contents(messages: list[tuple[str, Blocks]], model: str) -> Iterator[str]:
    for number, (_, blocks) in enumerate(messages):
        if not blocks:
            yield f"The content field in the Message object at messages.{number} is empty."
        for index, block in enumerate(blocks):
            yield from _block(f"messages.{number}.content.{index}", block, model)


def _block(where: str, block: dict[str, Any], model: str) -> Iterator[str]:
    if len(set(block) & _BLOCKS) != 1 or set(block) - _BLOCKS:
        yield f"The ContentBlock object at {where} must set one of the following keys: text, image, toolUse, …"
    if "text" in block and not str(block["text"]).strip():
        yield f"The text field in the ContentBlock object at {where} is blank. Add text to the text field."
    for kind, formats in _FORMATS.items():
        if kind in block:
            yield from _file(where, kind, block[kind], formats)
    thought = (block.get("reasoningContent") or {}).get("reasoningText")
    if thought is not None and "claude" in model and thought.get("signature") != signature_of(thought.get("text", "")):
        yield f"{where}: Invalid `signature` in `thinking` block"
    if not isinstance((block.get("toolUse") or {}).get("input", {}), dict):
        yield f"The format of the value at {where}.toolUse.input is invalid. Provide a json object for the field."
    for part in objects((block.get("toolResult") or {}).get("content")):
        if not set(part) & {"text", "json", "image", "document", "video", "searchResult"}:
            yield f"The ToolResultContentBlock object at {where} must set one of the following keys: text, json, image"


def _file(where: str, kind: str, file: dict[str, Any], formats: set[str]) -> Iterator[str]:
    source = file.get("source") or {}
    if file.get("format") not in formats:
        yield f"Value at '{where}.{kind}.format' failed to satisfy constraint: {sorted(formats)}"
    if kind == "document" and not _DOCUMENT_NAME.fullmatch(str(file.get("name"))):
        yield "The document file name can only contain alphanumeric characters, whitespace, hyphens, parentheses."
    try:
        if "bytes" not in source or not base64.b64decode(source["bytes"], validate=True):
            yield f"The {kind} source at {where} needs bytes."
    except (binascii.Error, TypeError):
        yield f"The {kind} bytes at {where} are no base64."


def _calls_and_results(messages: list[tuple[str, Blocks]], fields: dict[str, Any]) -> Iterator[str]:
    open_calls: list[Any] = []
    for number, (_, blocks) in enumerate(messages):
        results = [block["toolResult"].get("toolUseId") for block in blocks if "toolResult" in block]
        if sorted(map(str, results)) != sorted(map(str, open_calls)):
            yield (
                f"Expected toolResult blocks at messages.{number}.content for the following Ids:"
                f" {', '.join(map(str, open_calls)) or 'none'}"
            )
        open_calls = [block["toolUse"].get("toolUseId") for block in blocks if "toolUse" in block]
        if (open_calls or results) and not fields.get("toolConfig"):
            yield "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    if open_calls:
        yield "The conversation ends in toolUse blocks without toolResult blocks."


def _tools(config: Any) -> Iterator[str]:
    if config is None:
        return
    tools = [tool["toolSpec"] for tool in objects(config.get("tools")) if "toolSpec" in tool]
    if not tools:
        yield "Value at 'toolConfig.tools' failed to satisfy constraint: at least 1 item"
    for tool in tools:
        if not _TOOL_NAME.fullmatch(str(tool.get("name"))):
            yield "Value at 'toolSpec.name' failed to satisfy constraint: [a-zA-Z0-9_-]+, at most 64"
        if "description" in tool and not tool["description"]:
            yield "Value at 'toolSpec.description' failed to satisfy constraint: at least 1 character"
        schema = (tool.get("inputSchema") or {}).get("json")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of: object."
    choice = config.get("toolChoice")
    if choice is not None and (len(choice) != 1 or not set(choice) <= {"auto", "any", "tool"}):
        yield "The toolChoice must set one of the following keys: auto, any, tool."
