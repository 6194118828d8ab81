"""Reads /api/tags, the models a server has. Source: ollama 0.6.3 types (read 2026-11)."""

from collections.abc import Sequence

import msgspec

from domain.providers import Offering


class _Model(msgspec.Struct):
    name: str = ""
    model: str = ""


class _Tags(msgspec.Struct):
    models: list[_Model] | None


_decode = msgspec.json.Decoder(_Tags).decode


def read_tags(body: bytes) -> Sequence[Offering]:
    """Raises one of `UNDECODABLE`. A server without models says null."""
    names = dict.fromkeys(model.model or model.name for model in _decode(body).models or ())
    return tuple(Offering(name, owned_by="library") for name in names if name)
