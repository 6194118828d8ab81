"""Reads Anthropic's list of models, page by page. Source: anthropic-python 2.11 types (2026-11)."""

from datetime import datetime

import msgspec

from domain.providers import Offering


class _Model(msgspec.Struct):
    id: str
    created_at: str | None = None
    max_input_tokens: int | None = None


class _Page(msgspec.Struct):
    data: list[_Model]
    has_more: bool | None = None
    last_id: str | None = None


_decode = msgspec.json.Decoder(_Page).decode


def read_models(body: bytes) -> tuple[Offering, ...]:
    """Raises `msgspec.MsgspecError` for what is no list of models."""
    return tuple(
        Offering(model.id, _seconds(model.created_at), "anthropic", model.max_input_tokens)
        for model in _decode(body).data
        if model.id
    )


def last_of(body: bytes) -> str | None:
    """The id after which the next page begins; None where this page is the last."""
    page = _decode(body)
    return page.last_id if page.has_more and page.last_id else None


def _seconds(created_at: str | None) -> int:
    try:
        return max(int(datetime.fromisoformat(created_at).timestamp()), 0) if created_at else 0
    except ValueError:
        return 0
