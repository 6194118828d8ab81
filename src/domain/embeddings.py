"""OpenAI's Embeddings as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest

EmbeddingInput = str | Annotated[list[str | int | list[int]], Meta(min_length=1)]
"""A text, texts, the token ids of one text, or of several (a union of one kind of list, as msgspec asks)."""


class EmbeddingRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/embeddings`. OpenAI's SDKs ask for base64 where the caller said nothing."""

    input: EmbeddingInput
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    user: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.input, str) and len({type(part) for part in self.input}) > 1:
            raise ValueError("`input` is a text, texts, or token ids, and no mixture of them")

    @property
    @override
    def token_ids(self) -> int:
        return sum(len(part) for part in self.parts() if not isinstance(part, str))

    @property
    def has_token_ids(self) -> bool:
        """Whether any of the input is token ids instead of text."""
        return not isinstance(self.input, str) and any(not isinstance(part, str) for part in self.input)

    def parts(self) -> list[str | list[int]]:
        """Every input, a text or token ids."""
        if isinstance(self.input, str):
            return [self.input]
        ids = [part for part in self.input if isinstance(part, int)]
        return [ids] if ids else [part for part in self.input if not isinstance(part, int)]

    @override
    def prompt_texts(self) -> Iterator[str]:
        if isinstance(self.input, str):
            yield self.input
        else:
            yield from (text for text in self.input if isinstance(text, str))
