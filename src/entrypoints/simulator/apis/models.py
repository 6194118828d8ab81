"""`GET /v1/models`: one path for several APIs, distinguished by their headers."""

from typing import Any

import msgspec
from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Body, Call, Endpoint, Refused, encoded
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.script import ListedModel


def model_list(call: Call) -> Endpoint:
    """The persona's models, in the words of whoever's header or query came with the request."""
    if "anthropic-version" in call.headers:
        from entrypoints.simulator.apis.anthropic_messages import AnthropicModels

        return AnthropicModels(call)
    if "x-goog-api-key" in call.headers:
        from entrypoints.simulator.apis.gemini import GeminiModels

        return GeminiModels(call)
    if {"endpoint", "page_size"} & set(call.query):
        from entrypoints.simulator.apis.cohere import CohereModels

        return CohereModels(call)
    return ModelList(call)


class ModelList(OpenAIEndpoint):
    """All of them as OpenAI lists them."""

    needs_model = False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded({"object": "list", "data": [shown(model) for model in self.call.listed]}))


class OneModel(OpenAIEndpoint):
    """One of them."""

    needs_model = False

    @override
    def check(self) -> None:
        if self._found is None:
            message = f"The model '{self.call.captures['model']}' does not exist."
            raise Refused(self.failure(404, message, "model_not_found"))

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded(shown(self._found)) if self._found else b"")

    @property
    def _found(self) -> ListedModel | None:
        return next((model for model in self.call.listed if model.id == self.call.captures["model"]), None)


def shown(model: ListedModel) -> dict[str, Any]:
    """A model as OpenAI lists it."""
    fields: dict[str, Any] = {"object": "model", "created": 1_700_000_000, "owned_by": "simulator"}
    fields |= msgspec.to_builtins(model)
    return fields
