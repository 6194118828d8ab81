"""Reads the Gemini API's list of models, page by page. Source: google-genai 3.4 (November 2026)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from domain.providers import Offering

_CAPABILITIES: Final = {
    "generateContent": ("chat",),
    "embedContent": ("embeddings",),
    "batchEmbedContents": ("embeddings",),
    "predict": ("images",),
}


class _Model(msgspec.Struct, rename="camel"):
    name: str
    input_token_limit: int | None = None
    supported_generation_methods: list[str] | None = None
    supported_actions: list[str] | None = None


class _Page(msgspec.Struct, rename="camel"):
    models: list[_Model] = []
    next_page_token: str | None = None


class ModelPage(msgspec.Struct, frozen=True):
    """Some models, and where the next are; empty where there are no more."""

    offerings: Sequence[Offering]
    next_token: str


_decode = msgspec.json.Decoder(_Page).decode


def read_page(body: bytes) -> ModelPage:
    """Raises one of `UNDECODABLE` for what is no list of models."""
    page = _decode(body)
    return ModelPage(tuple(_offering(model) for model in page.models), page.next_page_token or "")


def _offering(model: _Model) -> Offering:
    methods = model.supported_generation_methods or model.supported_actions or ()
    found = [name for method in methods for name in _CAPABILITIES.get(method, ())]
    return Offering(
        model=model.name.removeprefix("models/"),
        owned_by="google",
        context_window=model.input_token_limit or None,
        capabilities=tuple(dict.fromkeys(found)),
    )
