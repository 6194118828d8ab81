"""Ollama's native chat, embeddings and lists. Source: ollama 0.6.3 types (read 2026-11)."""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from typing_extensions import override

from entrypoints.simulator.answers import SimulatedAnswer, words_of
from entrypoints.simulator.apis.endpoint import Body, Endpoint, Failure, Refused, encoded, objects
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.oddities import framed
from entrypoints.simulator.vectors import DIMENSIONS, vector_of

_CREATED = "2026-11-21T08:00:00Z"
_MILLISECOND = 1_000_000


class OllamaEndpoint(Endpoint):
    """An endpoint whose errors are a text."""

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        said = f"model '{self.model}' not found" if code == "model_not_found" else message
        return Failure(status, {"error": said or f"status {status}: scripted"}, dict(headers or {}))

    def refuse(self, message: str) -> NoReturn:
        """Raise a 400."""
        raise Refused(self.failure(400, message))

    @override
    def check(self) -> None:
        if self.needs_model and not self.model:
            self.refuse("model is required")

    @property
    @override
    def stream_type(self) -> str:
        return "application/x-ndjson"

    @override
    def error_block(self) -> bytes:
        return encoded(self.failure(500, "scripted error").body) + b"\n"

    @override
    def broken_block(self) -> bytes:
        return b'{"model": "m", "mess\n'


class Chat(OllamaEndpoint):
    """A message; a stream of lines unless `stream` is false."""

    @override
    def check(self) -> None:
        super().check()
        for message in objects(self.fields.get("messages")):
            if not isinstance(message.get("content", ""), str):
                self.refuse("json: cannot unmarshal array into Go struct field ChatRequest.messages.content")
            for call in objects(message.get("tool_calls")):
                if not isinstance((call.get("function") or {}).get("arguments"), dict):
                    self.refuse("json: cannot unmarshal string into Go struct field .arguments")
            if any(not isinstance(image, str) or image.startswith("data:") for image in message.get("images") or ()):
                self.refuse("illegal base64 data at input byte 4")

    @override
    def streams(self) -> bool:
        return self.fields.get("stream") is not False

    @override
    def asked(self) -> dict[str, Any]:
        options = self.fields.get("options") or {}
        limit = options.get("num_predict")
        shape = self.fields.get("format")
        schema = {"schema": shape if isinstance(shape, dict) else {}}
        return {
            "messages": [_message(message) for message in objects(self.fields.get("messages"))],
            "tools": self.fields.get("tools"),
            "max_tokens": limit if isinstance(limit, int) and limit > 0 else None,
            "stop": options.get("stop"),
            "response_format": {"type": "json_schema", "json_schema": schema} if shape else None,
        }

    def _line(self, message: dict[str, Any], **more: Any) -> dict[str, Any]:
        head = {"model": self.model, "created_at": _CREATED, "message": {"role": "assistant"} | message}
        return head | {"done": False} | more

    def _ending(self, answer: SimulatedAnswer) -> dict[str, Any]:
        reason = {"stop": "stop", "tool_calls": "stop"}.get(answer.finish_reason, answer.finish_reason)
        given: dict[str, Any] = {"done": True, "done_reason": reason, "total_duration": 5 * _MILLISECOND}
        given |= {"load_duration": _MILLISECOND, "prompt_eval_duration": _MILLISECOND, "eval_duration": _MILLISECOND}
        if answer.usage is not None:
            given["prompt_eval_count"] = answer.usage["prompt_tokens"]
            given["eval_count"] = answer.usage["completion_tokens"]
        return given

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        answer = self.answer(behaviour)
        message: dict[str, Any] = {"content": answer.refusal or answer.text}
        if answer.reasoning is not None:
            message["thinking"] = answer.reasoning
        if answer.tool_calls:
            message["tool_calls"] = _calls(answer)
        return Body(encoded(self._line(message, **self._ending(answer))))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        lines = [encoded(line) + b"\n" for line in self._lines(self.answer(behaviour))]
        return framed(lines, behaviour.odd) if behaviour.odd in {"one-write", "byte-by-byte", "no-done"} else lines

    def _lines(self, answer: SimulatedAnswer) -> Iterator[dict[str, Any]]:
        for word in words_of(answer.reasoning or ""):
            yield self._line({"content": "", "thinking": word})
        for piece in words_of(answer.refusal or "") or answer.pieces:
            yield self._line({"content": piece})
        for call in _calls(answer):
            yield self._line({"content": "", "tool_calls": [call]})
        yield self._line({"content": ""}, **self._ending(answer))


class Embed(OllamaEndpoint):
    """A vector for each input."""

    @override
    def check(self) -> None:
        super().check()
        if self.fields.get("input") is None:
            self.refuse("input is required")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        given = self.fields["input"]
        texts = [str(text) for text in given] if isinstance(given, list) else [str(given)]
        vectors = [vector_of(text, self.fields.get("dimensions") or DIMENSIONS) for text in texts]
        counted = {"prompt_eval_count": sum(len(words_of(text)) for text in texts)}
        body: dict[str, Any] = {"model": self.model, "embeddings": vectors, "total_duration": 5 * _MILLISECOND}
        return Body(encoded(body if behaviour.usage is False else body | counted))


class Tags(OllamaEndpoint):
    """The persona's models as if they were on disk."""

    needs_model = False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        details = {"format": "gguf", "family": "simulated", "parameter_size": "7B", "quantization_level": "Q4_0"}
        shown = [
            {"name": model.id, "model": model.id, "modified_at": _CREATED, "size": 1, "details": details}
            | {"digest": f"{zlib.crc32(model.id.encode()):08x}"}
            for model in self.call.listed
        ]
        return Body(encoded({"models": shown}))


class Version(OllamaEndpoint):
    """Which Ollama this would be."""

    needs_model = False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded({"version": "0.15.0"}))


def _message(message: dict[str, Any]) -> dict[str, Any]:
    """Pictures stand beside the text; in chat they are parts of it."""
    images = [{"type": "image_url"} for _ in message.get("images") or ()]
    if not images:
        return message
    return message | {"content": [{"type": "text", "text": message.get("content", "")}, *images]}


def _calls(answer: SimulatedAnswer) -> list[dict[str, Any]]:
    return [
        {"function": {"index": index, "name": call["name"], "arguments": json.loads(call["arguments"] or "{}")}}
        for index, call in enumerate(answer.tool_calls)
    ]
