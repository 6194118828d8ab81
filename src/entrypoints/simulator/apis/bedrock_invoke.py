"""Bedrock's `invoke`: each vendor's own body, distinguished by what it holds.

Source: the user guide's model parameters (read 2026-11).
"""

import base64
from collections.abc import Iterable
from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import words_of
from entrypoints.simulator.apis.anthropic_answers import events_of, message_of
from entrypoints.simulator.apis.anthropic_checks import complaint
from entrypoints.simulator.apis.anthropic_messages import Messages
from entrypoints.simulator.apis.bedrock_errors import BedrockEndpoint
from entrypoints.simulator.apis.endpoint import Body, Call, Endpoint, encoded
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.event_stream import event_frame
from entrypoints.simulator.pictures import png_text
from entrypoints.simulator.vectors import vector_of

_CLAUDE_VERSION = "bedrock-2023-05-31"
_TITAN_DIMENSIONS = (256, 512, 1024)
_MOST_COHERE_TEXTS = 96


def invoked(call: Call) -> Endpoint:
    """What answers to this body."""
    if "anthropic_version" in call.fields:
        return BedrockClaude(call)
    if "texts" in call.fields:
        return CohereEmbedding(call)
    return TitanImage(call) if "taskType" in call.fields else TitanEmbedding(call)


class TitanEmbedding(BedrockEndpoint):
    """One vector; the first version of the model takes nothing but the text."""

    @override
    def check(self) -> None:
        super().check()
        known = {"inputText"} if "embed-text-v1" in self.model else {"inputText", "dimensions", "normalize"}
        for name in sorted(set(self.fields) - known - {"embeddingTypes"}):
            self.refuse(f"Malformed input request: #: extraneous key [{name}] is not permitted")
        if not self.fields.get("inputText") or not isinstance(self.fields["inputText"], str):
            self.refuse("Malformed input request: #/inputText: expected minLength: 1, actual: 0")
        if self.fields.get("dimensions", 1024) not in _TITAN_DIMENSIONS:
            self.refuse("Malformed input request: #/dimensions: is not a valid enum value")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        text = self.fields["inputText"]
        vector = vector_of(text, self.fields.get("dimensions", 1024))
        body = {"embedding": vector, "inputTextTokenCount": len(words_of(text))}
        return Body(encoded(body | {"embeddingsByType": {"float": vector}}))


class CohereEmbedding(BedrockEndpoint):
    """A vector for each text."""

    @override
    def check(self) -> None:
        super().check()
        if not self.fields.get("input_type") or not 1 <= len(self.fields["texts"]) <= _MOST_COHERE_TEXTS:
            self.refuse("Malformed input request: 'input_type' and one to 96 'texts' are needed")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        vectors = [vector_of(text) for text in self.fields["texts"]]
        typed = bool(self.fields.get("embedding_types"))
        body = {"id": f"sim-{self.call.number}", "texts": self.fields["texts"]}
        shaped: dict[str, Any] = {"embeddings": {"float": vectors} if typed else vectors}
        return Body(encoded(body | shaped | {"response_type": "embeddings_by_type" if typed else "embeddings_floats"}))


class TitanImage(BedrockEndpoint):
    """Small pictures."""

    @override
    def check(self) -> None:
        super().check()
        if self.fields["taskType"] != "TEXT_IMAGE" or not self._told.get("text"):
            self.refuse("Malformed input request: taskType TEXT_IMAGE and textToImageParams.text are needed")

    @property
    def _told(self) -> dict[str, Any]:
        return self.fields.get("textToImageParams") or {}

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        if behaviour.refusal is not None:
            return Body(encoded({"images": [], "error": behaviour.refusal}))
        count = (self.fields.get("imageGenerationConfig") or {}).get("numberOfImages", 1)
        pictures = [png_text(self._told["text"], number) for number in range(count)]
        return Body(encoded({"images": pictures, "error": None}))


class BedrockClaude(BedrockEndpoint):
    """Anthropic's own body and events, the latter in base64 within frames."""

    @override
    def check(self) -> None:
        super().check()
        if self.fields["anthropic_version"] != _CLAUDE_VERSION or {"model", "stream"} & set(self.fields):
            self.refuse(f'anthropic_version: Input should be "{_CLAUDE_VERSION}", without model and stream')
        wrong = complaint({"model": self.model, **self.fields}, _CLAUDE_VERSION)
        if wrong is not None:
            self.refuse(wrong)

    @override
    def asked(self) -> dict[str, Any]:
        return Messages(self.call).asked()

    @override
    def streams(self) -> bool:
        return self.call.captures["verb"] == "invoke-with-response-stream"

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded(message_of(self.answer(behaviour), f"msg_bdrk_sim{self.call.number}", self.model)))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        for value in events_of(self.answer(behaviour), f"msg_bdrk_sim{self.call.number}", self.model):
            if value["type"] != "ping":
                packed = base64.b64encode(encoded(value)).decode()
                yield event_frame("chunk", encoded({"bytes": packed, "p": "abc"}))
