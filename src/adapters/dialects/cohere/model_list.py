"""Reads a page of Cohere's list of models. Source: cohere 7.3.1 types (read 2026-11)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from domain.providers import Offering

_CAPABILITIES: Final = {"chat": "chat", "embed": "embeddings"}


class _Model(msgspec.Struct):
    name: str
    endpoints: list[str] | None = None
    context_length: float | None = None


class _Page(msgspec.Struct):
    models: list[_Model]
    next_page_token: str | None = None


_decode = msgspec.json.Decoder(_Page).decode


def read_page(body: bytes) -> tuple[Sequence[Offering], str]:
    """The models that serve something here, and the next page's token, empty for none. Raises `UNDECODABLE`."""
    page = _decode(body)
    offerings = []
    for model in page.models:
        capabilities = tuple(_CAPABILITIES[name] for name in model.endpoints or () if name in _CAPABILITIES)
        if capabilities or not model.endpoints:
            window = int(model.context_length) if model.context_length else None
            offerings.append(Offering(model.name, owned_by="cohere", context_window=window, capabilities=capabilities))
    return offerings, page.next_page_token or ""
