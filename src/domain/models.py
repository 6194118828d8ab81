"""`GET /v1/models` as OpenAI answers it, with the gateway's additions."""

from typing import Literal

import msgspec


class Model(msgspec.Struct):
    """One id a client may put in `model`. `created` is Unix seconds; `pricing` is USD per million tokens."""

    id: str
    created: int = 0
    owned_by: str = ""
    object: Literal["model"] = "model"
    provider: str | None = None
    context_window: int | None = None
    capabilities: list[str] = []
    pricing: dict[str, str] | None = None


class ModelList(msgspec.Struct):
    data: list[Model]
    object: Literal["list"] = "list"
