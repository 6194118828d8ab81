"""Hugging Face's tasks: vectors, pictures and transcriptions. Source: huggingface_hub and captures (read 2026-11)."""

from collections.abc import Mapping
from typing import ClassVar

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Body, Call, Endpoint, Failure, Refused, encoded
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.pictures import png_of
from entrypoints.simulator.vectors import vector_of

_FEATURES = {"inputs", "normalize", "truncate", "prompt_name", "truncation_direction", "dimensions"}


class HuggingFaceEndpoint(Endpoint):
    """An endpoint whose errors are a text. `known` are the fields of its body."""

    known: ClassVar[set[str]] = set()

    @property
    @override
    def model(self) -> str:
        return self.call.captures["model"]

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.failure(401, "Invalid username or password."))
        given = self.fields.get("inputs")
        if not given or not isinstance(given, str | list) or set(self.fields) - self.known:
            raise Refused(self.failure(422, "Failed to deserialize the JSON body into the target type"))

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        body: dict[str, object] = {"error": message or f"status {status}: scripted"}
        if status == 503:
            body = {"error": f"Model {self.model} is currently loading", "estimated_time": 20.0}
        return Failure(status, body, dict(headers or {}))


class FeatureExtraction(HuggingFaceEndpoint):
    """A vector for a text, a list of them for a list; for a model whose name has `token` in it one a token."""

    known = _FEATURES

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        given = self.fields["inputs"]
        texts = [str(text) for text in given] if isinstance(given, list) else [str(given)]
        if "token" in self.model:
            return Body(encoded([[vector_of(word) for word in text.split()] for text in texts]))
        vectors = [vector_of(text) for text in texts]
        return Body(encoded(vectors if isinstance(given, list) else vectors[0]))


class Picture(HuggingFaceEndpoint):
    """The picture itself."""

    known: ClassVar[set[str]] = {"inputs", "parameters"}

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(png_of(str(self.fields["inputs"])), "image/png")


class Heard(HuggingFaceEndpoint):
    """How long the sound is that came, and of what type."""

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.failure(401, "Invalid username or password."))

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        kind = self.call.headers.get("content-type", "no type")
        return Body(encoded({"text": behaviour.reply or f"{len(self.call.body)} bytes of {kind}"}))


def task(call: Call) -> Endpoint:
    """A picture for a prompt, a text for a sound."""
    return Picture(call) if call.fields else Heard(call)
