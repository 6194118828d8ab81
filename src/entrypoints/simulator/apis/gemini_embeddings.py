"""Gemini's `:embedContent` and `:batchEmbedContents`. Source: google-genai 3.4 captures (read 2026-11)."""

from typing import Any

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Body, Refused, encoded, objects
from entrypoints.simulator.apis.gemini_checks import camel
from entrypoints.simulator.apis.gemini_errors import GoogleEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.vectors import DIMENSIONS, vector_of

_MOST_IN_A_BATCH = 100


class EmbedContent(GoogleEndpoint):
    """One vector, or one for each of a batch; the answer has no usage."""

    @property
    @override
    def model(self) -> str:
        return self.call.captures["model"]

    @property
    def _batched(self) -> bool:
        return self.call.captures["verb"] == "batchEmbedContents"

    @property
    def _wanted(self) -> list[dict[str, Any]]:
        fields = camel(self.call.fields)
        return objects(fields.get("requests")) if self._batched else [fields]

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.unauthorized())
        if not self._wanted or len(self._wanted) > _MOST_IN_A_BATCH:
            self.refuse(f"at least one and at most {_MOST_IN_A_BATCH} requests can be in one batch")
        for one in self._wanted:
            if self._batched and one.get("model") != f"models/{self.model}":
                self.refuse("* BatchEmbedContentsRequest.requests.model: must match the model of the batch")
            if not _text(one):
                self.refuse("* EmbedContentRequest.content: content is empty")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        vectors = [
            {"values": vector_of(_text(one), one.get("outputDimensionality") or DIMENSIONS)} for one in self._wanted
        ]
        return Body(encoded({"embeddings": vectors} if self._batched else {"embedding": vectors[0]}))


def _text(request: dict[str, Any]) -> str:
    return " ".join(str(part.get("text", "")) for part in objects((request.get("content") or {}).get("parts")))
