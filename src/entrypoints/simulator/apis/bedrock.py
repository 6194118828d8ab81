"""Amazon Bedrock's `converse`, `converse-stream` and `count-tokens`.

Source: botocore 1.44.5 service model and captured frames (read 2026-11).
"""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import SimulatedAnswer, words_of
from entrypoints.simulator.apis.anthropic_checks import complaint as complaint_of_claude
from entrypoints.simulator.apis.anthropic_checks import signature_of
from entrypoints.simulator.apis.bedrock_checks import complaint
from entrypoints.simulator.apis.bedrock_errors import BedrockEndpoint
from entrypoints.simulator.apis.endpoint import Body, encoded, halves, objects
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.event_stream import event_frame
from entrypoints.simulator.oddities import framed

_STOP_REASONS = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered"}
_KINDS = {"image": "image_url", "document": "file", "audio": "input_audio"}
_PROFILES = {"us", "eu", "apac", "jp", "au", "global"}
_WHOLE = ("one-write", "byte-by-byte")


class Converse(BedrockEndpoint):
    """A conversation's next message, plain and as frames."""

    @override
    def check(self) -> None:
        super().check()
        wrong = complaint(self.fields, self.model)
        if wrong is not None:
            self.refuse(wrong)

    @override
    def streams(self) -> bool:
        return self.call.captures["verb"] == "converse-stream"

    @override
    def asked(self) -> dict[str, Any]:
        return asked_of(self.fields)

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        answer = self.answer(behaviour)
        message = {"role": "assistant", "content": [block for block, _ in _content(answer)]}
        body: dict[str, Any] = {"output": {"message": message}, "stopReason": _stop_reason(answer)}
        if answer.usage is not None:
            body["usage"] = _usage_of(answer)
        return Body(encoded(body | {"metrics": {"latencyMs": 1}}))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        frames = [event_frame(kind, encoded(value)) for kind, value in _events(self.answer(behaviour))]
        return framed(frames, behaviour.odd) if behaviour.odd in _WHOLE else frames


class CountTokens(BedrockEndpoint):
    """The words of a request to Converse, or of Claude's own to InvokeModel."""

    @override
    def check(self) -> None:
        super().check()
        if self.model.split(".")[0] in _PROFILES:
            self.refuse("The provided model doesn't support counting tokens.")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        given = self.fields.get("input") or {}
        if "invokeModel" in given:
            count = self._claude_words(given["invokeModel"])
        else:
            texts = [
                part for message in asked_of(given.get("converse") or {})["messages"] for part in message["content"]
            ]
            count = sum(len(words_of(str(part.get("text", "")))) for part in texts)
        return Body(encoded({"inputTokens": count}))

    def _claude_words(self, packed: dict[str, Any]) -> int:
        fields = json.loads(base64.b64decode(packed["body"]))
        wrong = complaint_of_claude({"model": self.model, **fields}, str(fields.get("anthropic_version", "")))
        if wrong is not None:
            self.refuse(wrong)
        contents = [fields.get("system"), *(message["content"] for message in objects(fields.get("messages")))]
        texts = [
            text
            for content in contents
            for text in ([content] if isinstance(content, str) else [b.get("text", "") for b in objects(content)])
        ]
        return sum(len(words_of(str(text))) for text in texts)


def asked_of(fields: dict[str, Any]) -> dict[str, Any]:
    """A request in chat's words."""
    config, tools = fields.get("inferenceConfig") or {}, fields.get("toolConfig") or {}
    choice = tools.get("toolChoice") or {}
    named = {"function": {"name": choice["tool"].get("name")}} if "tool" in choice else None
    specs = [tool["toolSpec"] for tool in objects(tools.get("tools")) if "toolSpec" in tool]
    system = [{"role": "system", "content": [block for block in objects(fields.get("system")) if "text" in block]}]
    return {
        "messages": [*system, *(m for given in objects(fields.get("messages")) for m in _messages_of(given))],
        "max_tokens": config.get("maxTokens"),
        "stop": config.get("stopSequences"),
        "tools": [{"function": {"name": spec["name"], "parameters": spec["inputSchema"]["json"]}} for spec in specs],
        "tool_choice": named or ("required" if "any" in choice else "auto"),
        "response_format": _format_of(fields),
    }


def _format_of(fields: dict[str, Any]) -> dict[str, Any] | None:
    """A schema stands in the output configuration as a text."""
    wanted = (fields.get("outputConfig") or {}).get("textFormat") or {}
    schema = ((wanted.get("structure") or {}).get("jsonSchema") or {}).get("schema")
    return {"type": "json_schema", "json_schema": {"schema": json.loads(schema)}} if schema else None


def _messages_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = objects(message.get("content"))
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    rest = [_part(block) for block in blocks if "toolResult" not in block]
    said = [{"role": "tool", "content": [_part(part) for part in objects(result.get("content"))]} for result in results]
    return [*said, {"role": message.get("role"), "content": rest}] if rest else said


def _part(block: dict[str, Any]) -> dict[str, Any]:
    if "text" in block:
        return {"type": "text", "text": block["text"]}
    if "json" in block:
        return {"type": "text", "text": json.dumps(block["json"])}
    kind = next(iter(block), "other")
    return {"type": _KINDS.get(kind, kind)}


def _stop_reason(answer: SimulatedAnswer) -> str:
    if answer.refusal is not None:
        return "content_filtered"
    if answer.finish_reason == "stop":
        return "stop_sequence" if answer.stop_sequence else "end_turn"
    return _STOP_REASONS.get(answer.finish_reason, answer.finish_reason)


def _content(answer: SimulatedAnswer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each block of the message, and the deltas in which a stream has it."""
    if answer.reasoning is not None:
        signature = signature_of(answer.reasoning)
        thought = {"text": answer.reasoning, "signature": signature}
        deltas = [{"reasoningContent": {"text": word}} for word in words_of(answer.reasoning)]
        sealed = {"reasoningContent": {"signature": signature}}
        yield {"reasoningContent": {"reasoningText": thought}}, [*deltas, sealed]
    if answer.text:
        yield {"text": answer.text}, [{"text": piece} for piece in answer.pieces]
    for call in answer.tool_calls:
        identity = call["id"].replace("call_", "tooluse_", 1)
        use = {"toolUseId": identity, "name": call["name"], "input": json.loads(call["arguments"] or "{}")}
        yield {"toolUse": use}, [{"toolUse": {"input": part}} for part in halves(call["arguments"])]


def _events(answer: SimulatedAnswer) -> Iterator[tuple[str, dict[str, Any]]]:
    """Text has no start of its own, and the usage comes after the end."""
    yield "messageStart", {"role": "assistant", "p": "abcd"}
    for index, (block, deltas) in enumerate(_content(answer)):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            opening = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            yield "contentBlockStart", {**at, "start": {"toolUse": opening}}
        for number, delta in enumerate(deltas):
            yield "contentBlockDelta", {**at, "delta": delta, "p": "abcdefghij"[: number % 10]}
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": _stop_reason(answer)}
    metadata = {} if answer.usage is None else {"usage": _usage_of(answer)}
    yield "metadata", {**metadata, "metrics": {"latencyMs": 1}}


def _usage_of(answer: SimulatedAnswer) -> dict[str, Any]:
    """Bedrock's count: `inputTokens` has no cached ones in it, `totalTokens` has."""
    usage = answer.usage or {}
    details = usage["prompt_tokens_details"]
    read, written = details["cached_tokens"], details["cache_write_tokens"]
    body: dict[str, Any] = {
        "inputTokens": usage["prompt_tokens"] - read - written,
        "outputTokens": usage["completion_tokens"],
        "totalTokens": usage["total_tokens"],
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": written,
    }
    hour = answer.cached_for_an_hour
    if written:
        kept = (("5m", written - hour), ("1h", hour))
        body["cacheDetails"] = [{"ttl": ttl, "inputTokens": count} for ttl, count in kept if count]
    return body
