"""OpenAI's Images as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from msgspec import Meta
from typing_extensions import override

from domain.forms import UploadedFile
from domain.inference import InferenceRequest, Json, ModelName
from domain.media import PICTURE_TOKENS
from domain.routing import AUTO_MODEL

DEFAULT_IMAGE_MODEL: Final = "gpt-image-2"
"""What is asked for where a request names no model, and no provider lists one that makes pictures."""

MAX_PICTURE_TOKENS = 6_240
"""Of a large picture in high quality, as OpenAI's GPT image models count."""


class ImageRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/images/generations`."""

    prompt: str
    model: ModelName = AUTO_MODEL
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

    @property
    @override
    def answers(self) -> int:
        return self.n or 1

    @property
    @override
    def output_limit(self) -> int | None:
        return MAX_PICTURE_TOKENS

    @property
    @override
    def units(self) -> Mapping[str, int]:
        return {"image": self.answers}

    @override
    def prompt_texts(self) -> Iterator[str]:
        yield self.prompt


class ImageEditRequest(ImageRequest, kw_only=True):
    """The JSON body of `POST /v1/images/edits`: `images` are addresses, data URLs or ids of files.

    Source: OpenAI's API reference, `EditImageBodyJsonParam` (read 2026-11).
    """

    images: list[Json] | None = None
    mask: Json = Json(b"null")
    input_fidelity: str | None = None  # `high` or `low`

    @property
    @override
    def media_tokens(self) -> int:
        return PICTURE_TOKENS * self._pictures

    @property
    def _pictures(self) -> int:
        return len(self.images or ())


class ImageEditForm(ImageEditRequest, kw_only=True):
    """The form of `POST /v1/images/edits`. `form` is every field that is no file, in its order, as it was sent."""

    files: tuple[UploadedFile, ...] = ()
    form: tuple[tuple[str, str], ...] = ()

    @property
    @override
    def _pictures(self) -> int:
        return len(self.files)
