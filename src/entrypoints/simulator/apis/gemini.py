"""Gemini's native API: generating, counting and listing. Vertex AI has the same bodies under other paths.

Source: google-genai 3.4 types and captures (read 2026-11).
"""

import json
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import SimulatedAnswer, words_of
from entrypoints.simulator.apis.endpoint import JSON, Body, Refused, encoded, event, objects
from entrypoints.simulator.apis.gemini_checks import camel, complaint, signature_of
from entrypoints.simulator.apis.gemini_errors import GoogleEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.oddities import framed

_FINISH = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_CHOICES = {"AUTO": "auto", "ANY": "required", "VALIDATED": "auto", "NONE": "none"}


class GenerateContent(GoogleEndpoint):
    """`:generateContent` and `:streamGenerateContent`, the latter as events or, without `alt=sse`, as one array."""

    roles_needed = False

    @property
    @override
    def fields(self) -> dict[str, Any]:
        return self._camel

    @cached_property
    def _camel(self) -> dict[str, Any]:
        found: dict[str, Any] = camel(self.call.fields)
        return found

    @property
    @override
    def model(self) -> str:
        return self.call.captures["model"]

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.unauthorized())
        wrong = complaint(self.fields, self.model, roles_needed=self.roles_needed)
        if wrong is not None:
            self.refuse(wrong)

    @override
    def asked(self) -> dict[str, Any]:
        config = self.fields.get("generationConfig") or {}
        calling = (self.fields.get("toolConfig") or {}).get("functionCallingConfig") or {}
        allowed = calling.get("allowedFunctionNames") or []
        declared = [
            function
            for tool in objects(self.fields.get("tools"))
            for function in objects(tool.get("functionDeclarations"))
            if not allowed or function.get("name") in allowed
        ]
        schema = config.get("responseJsonSchema") or config.get("responseSchema")
        shaped = config.get("responseMimeType") == JSON
        return {
            "messages": messages_of(self.fields),
            "max_tokens": config.get("maxOutputTokens"),
            "stop": config.get("stopSequences"),
            "tools": [{"function": _lower(function)} for function in declared],
            "tool_choice": _CHOICES.get(calling.get("mode", "AUTO")),
            "response_format": {"type": "json_schema", "json_schema": {"schema": _lower(schema)}} if shaped else None,
        }

    @override
    def streams(self) -> bool:
        return self.call.captures["verb"].startswith("stream")

    @property
    @override
    def stream_type(self) -> str:
        return "text/event-stream" if self.call.query.get("alt") == "sse" else JSON

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        answer = self.answer(behaviour)
        parts = [*_thoughts(answer, (answer.reasoning,)), *([{"text": answer.text}] if answer.text else [])]
        return Body(encoded(self._response([*parts, *self._calls(answer)], answer, last=True)))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        answer = self.answer(behaviour)
        values = list(self._chunks(answer))
        if self.call.query.get("alt") != "sse":
            return [b"[" + encoded(values[0]), *(b",\r\n" + encoded(value) for value in values[1:]), b"]"]
        return framed([event(value).replace(b"\n\n", b"\r\n\r\n") for value in values], behaviour.odd)

    def _chunks(self, answer: SimulatedAnswer) -> Iterator[dict[str, Any]]:
        calls = list(self._calls(answer))
        parts = [*_thoughts(answer, words_of(answer.reasoning or "")), *({"text": piece} for piece in answer.pieces)]
        for part in (*parts, *calls[:-1]):
            yield self._response([part], answer, last=False)
        ending: list[dict[str, Any]] = calls[-1:] or ([] if answer.refusal else [{"text": ""}])
        yield self._response(ending, answer, last=True)

    def _calls(self, answer: SimulatedAnswer) -> Iterator[dict[str, Any]]:
        for index, call in enumerate(answer.tool_calls):
            part = {"functionCall": {"name": call["name"], "args": json.loads(call["arguments"] or "{}")}}
            yield part | ({} if index else {"thoughtSignature": signature_of(self.call.number)})

    def _response(self, parts: list[dict[str, Any]], answer: SimulatedAnswer, *, last: bool) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if last:
            candidate["finishReason"] = _FINISH.get(answer.finish_reason, answer.finish_reason)
        if last and answer.refusal is not None:
            candidate |= {"content": {"role": "model"}, "finishReason": "SAFETY", "finishMessage": answer.refusal}
        body: dict[str, Any] = {"candidates": [candidate], "modelVersion": self.model}
        if answer.usage is not None:
            body["usageMetadata"] = _usage_of(answer.usage)
        return body | {"responseId": f"sim-{self.call.number}"}


class CountTokens(GenerateContent):
    """`:countTokens`: the words of a request."""

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.unauthorized())

    @override
    def streams(self) -> bool:
        return False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        inner = self.fields.get("generateContentRequest") or self.fields
        texts = [str(part.get("text", "")) for message in messages_of(inner) for part in objects(message["content"])]
        return Body(encoded({"totalTokens": sum(len(words_of(text)) for text in texts)}))


class GeminiModels(GoogleEndpoint):
    """The persona's models, a page at a time."""

    needs_model = False

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.unauthorized())

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        methods = ["generateContent", "countTokens", "embedContent"]
        shown = [
            {"name": f"models/{model.id}", "displayName": model.id, "outputTokenLimit": 65_536}
            | {"inputTokenLimit": model.context_window or 1_048_576, "supportedGenerationMethods": methods}
            for model in self.call.listed
        ]
        begin = int(self.call.query.get("pageToken") or 0)
        end = begin + int(self.call.query.get("pageSize") or 50)
        more = {"nextPageToken": str(end)} if end < len(shown) else {}
        return Body(encoded({"models": shown[begin:end]} | more))


def messages_of(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The contents in chat's words; the instruction comes first."""
    system = fields.get("systemInstruction")
    found = [{"role": "system", "content": objects(system.get("parts"))}] if isinstance(system, dict) else []
    for content in objects(fields.get("contents")):
        parts = objects(content.get("parts"))
        found += [{"role": "tool", "content": [_part(part)]} for part in parts if "functionResponse" in part]
        role = "assistant" if content.get("role") == "model" else "user"
        if said := [_part(part) for part in parts if "functionResponse" not in part]:
            found.append({"role": role, "content": said})
    return found


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    if "functionResponse" in part:
        given = part["functionResponse"].get("response") or {}
        alone = next(iter(given.values())) if len(given) == 1 else None
        return {"type": "text", "text": alone if isinstance(alone, str) else json.dumps(given)}
    mime = str((part.get("inlineData") or part.get("fileData") or {}).get("mimeType", ""))
    kinds = {"image": "image_url", "audio": "input_audio"}
    return {"type": kinds.get(mime.partition("/")[0], "file")}


def _thoughts(answer: SimulatedAnswer, texts: Iterable[str | None]) -> list[dict[str, Any]]:
    return [{"text": text, "thought": True} for text in texts] if answer.reasoning is not None else []


def _lower(value: Any) -> Any:
    """A schema with types in lower case, and `parametersJsonSchema` by its other name."""
    if isinstance(value, list):
        return [_lower(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {"parameters" if key == "parametersJsonSchema" else key: _lower(item) for key, item in value.items()}
    kind = renamed.get("type")
    return renamed | ({"type": kind.lower()} if isinstance(kind, str) else {})


def _usage_of(usage: dict[str, Any]) -> dict[str, Any]:
    """Gemini's count: thoughts are apart from the candidates' tokens."""
    thought = usage["completion_tokens_details"]["reasoning_tokens"]
    counts = {
        "promptTokenCount": usage["prompt_tokens"],
        "candidatesTokenCount": usage["completion_tokens"] - thought,
        "totalTokenCount": usage["total_tokens"],
    }
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    more = {"thoughtsTokenCount": thought, "cachedContentTokenCount": cached}
    return counts | {name: count for name, count in more.items() if count}
