"""`POST /v1/embeddings`. Source: openai-python 3.52 types and captures (read 2026-11)."""

from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import words_of
from entrypoints.simulator.apis.endpoint import Body, encoded
from entrypoints.simulator.apis.openai_completions import text_of
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.vectors import DIMENSIONS, packed, vector_of

_MOST_INPUTS = 2048


class Embeddings(OpenAIEndpoint):
    """A vector for each input."""

    @override
    def check(self) -> None:
        self.need("input")
        if not self.inputs or "" in self.inputs:
            self.refuse("'input' is empty.", "invalid_value", "input")
        if len(self.inputs) > _MOST_INPUTS:
            self.refuse(f"'input' has more than {_MOST_INPUTS} items.", "array_above_max_length", "input")
        dimensions = self.fields.get("dimensions")
        if dimensions is not None and (not isinstance(dimensions, int) or dimensions < 1):
            self.refuse("'dimensions' is at least 1.", "integer_below_min_value", "dimensions")

    @property
    def inputs(self) -> list[str]:
        """Each input as a text; tokens as `<1 2 3>`."""
        given = self.fields["input"]
        if isinstance(given, list) and not (given and isinstance(given[0], int)):
            return [text_of(item) for item in given]
        return [text_of(given)]

    @override
    def streams(self) -> bool:
        return False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        dimensions = self.fields.get("dimensions") or DIMENSIONS
        as_text = self.fields.get("encoding_format") == "base64" and not behaviour.floats_only
        vectors = [vector_of(text, dimensions) for text in self.inputs]
        data = [
            {"object": "embedding", "index": index, "embedding": packed(vector) if as_text else vector}
            for index, vector in enumerate(vectors)
        ]
        body: dict[str, Any] = {"object": "list", "data": data, "model": self.model}
        if behaviour.usage is not False:
            given = behaviour.usage
            count = given.prompt_tokens if given else sum(len(words_of(text)) for text in self.inputs)
            body["usage"] = {"prompt_tokens": count, "total_tokens": count}
        return Body(encoded(body))
