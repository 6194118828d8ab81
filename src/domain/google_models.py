"""Models as Google's clients list them. Source: google-genai 3.6 types, `Model` (read 2026-11)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from domain.models import Model

_METHODS: Final = {
    "chat": ("generateContent", "countTokens"),
    "embeddings": ("embedContent", "batchEmbedContents"),
}


class GoogleModel(msgspec.Struct, rename="camel", omit_defaults=True):
    """One model. Clients put `name` or what stands behind `models/` in it into their addresses."""

    name: str
    display_name: str
    supported_generation_methods: list[str]
    version: str = ""
    input_token_limit: int | None = None


class GoogleModelList(msgspec.Struct):
    """All of them in one page."""

    models: list[GoogleModel]


def google_list(models: Sequence[Model]) -> GoogleModelList:
    """The list, in one page: without `nextPageToken` Google's clients ask for no more."""
    return GoogleModelList([google_model(model) for model in models])


def google_model(model: Model) -> GoogleModel:
    """Of a model that nothing is known of it is said that it talks: most do."""
    known = [method for capability in model.capabilities for method in _METHODS.get(capability, ())]
    methods = known or ([] if model.capabilities else [*_METHODS["chat"]])
    return GoogleModel(
        f"models/{model.id}", model.display_name or model.id, methods, input_token_limit=model.context_window
    )
