"""OpenAI's Moderations as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator

import msgspec
from typing_extensions import override

from domain.inference import InferenceRequest, ModelName


class ModerationPart(msgspec.Struct):
    """A text or an image to look at."""

    type: str
    text: str | None = None


class ModerationRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/moderations`."""

    input: str | list[str | ModerationPart]
    model: ModelName = "omni-moderation-latest"

    @override
    def prompt_texts(self) -> Iterator[str]:
        if isinstance(self.input, str):
            yield self.input
            return
        for part in self.input:
            text = part if isinstance(part, str) else part.text
            if text:
                yield text
