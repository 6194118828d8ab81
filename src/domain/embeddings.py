"""OpenAI's Embeddings as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest

EmbeddingInput = str | list[str] | list[int] | list[list[int]]


class EmbeddingRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/embeddings`. OpenAI's SDKs ask for base64 where the caller said nothing."""

    input: EmbeddingInput
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    user: str | None = None

    @override
    def prompt_texts(self) -> Iterator[str]:
        if isinstance(self.input, str):
            yield self.input
        else:
            yield from (text for text in self.input if isinstance(text, str))
