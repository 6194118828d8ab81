"""`POST /v1/moderations`. Source: openai-python 3.52 types (read 2026-11)."""

from typing import Any

from typing_extensions import override

from entrypoints.simulator.apis.endpoint import Body, encoded
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)

DEFAULT_MODEL = "omni-moderation-latest"


class Moderations(OpenAIEndpoint):
    """A category is flagged where its name is in the input."""

    @property
    @override
    def model(self) -> str:
        return super().model or DEFAULT_MODEL

    @override
    def check(self) -> None:
        self.need("input")

    @override
    def streams(self) -> bool:
        return False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        given = self.fields["input"]
        parts = isinstance(given, list) and any(isinstance(item, dict) for item in given)
        texts = [self._joined(given)] if parts else given if isinstance(given, list) else [given]
        body = {"id": f"modr-sim{self.call.number}", "model": self.model}
        return Body(encoded({**body, "results": [_result(str(text), with_image=parts) for text in texts]}))

    def _joined(self, parts: list[Any]) -> str:
        return " ".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _result(text: str, *, with_image: bool) -> dict[str, Any]:
    flagged = {category: category in text for category in _CATEGORIES}
    seen = ["text", "image"] if with_image else ["text"]
    return {
        "flagged": any(flagged.values()),
        "categories": flagged,
        "category_scores": {category: 0.99 if hit else 0.01 for category, hit in flagged.items()},
        "category_applied_input_types": dict.fromkeys(_CATEGORIES, seen),
    }
