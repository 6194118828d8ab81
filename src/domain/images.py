"""OpenAI's Images as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest


class ImageRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/images/generations`."""

    prompt: str
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    size: str | None = None  # `1024x1024`, `auto`, …
    quality: str | None = None
    response_format: str | None = None  # `url` or `b64_json`
    style: str | None = None
    background: str | None = None
    moderation: str | None = None
    output_format: str | None = None
    output_compression: int | None = None
    partial_images: int | None = None
    stream: bool | None = None
    user: str | None = None

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)

    @override
    def prompt_texts(self) -> Iterator[str]:
        yield self.prompt
