"""Catalogs of list prices that were taken in after a release, and what one changes of another."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

IN_FORCE: Final = "price-catalogs"
"""The fact that names the catalogs in force, the newest last: a JSON list of versions. None of them: the release's."""


class StoredCatalog(msgspec.Struct, frozen=True):
    """A catalog as it is kept. `sha256` is that of the published file, `content` what the gateway reads of it."""

    version: str
    sha256: str
    origin: str  # the URL or the file's name
    models: int
    stored_at: datetime
    content: bytes = b""


class ListedModel(msgspec.Struct, frozen=True):
    """One rule of a catalog: the first name it is for, its providers' presets, and its prices in USD by their path,
    such as `input` or `variants.batch.output`.
    """

    provider: str
    model: str
    presets: tuple[str, ...]
    prices: Mapping[str, str]


class CatalogChange(msgspec.Struct, frozen=True):
    """What a catalog says otherwise of a model. `prices` are old and new by path; None is not there."""

    kind: Literal["new", "changed", "gone"]
    provider: str
    model: str
    presets: tuple[str, ...]
    prices: Mapping[str, tuple[str | None, str | None]]
