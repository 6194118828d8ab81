"""Ports to price catalogs that are taken in after a release."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.ports.prices import PriceCatalog
from domain.price_catalogs import ListedModel


class ConvertedCatalog(msgspec.Struct, frozen=True):
    """A published file as the gateway keeps it. `skipped` are models of it that could not be read, by name."""

    content: bytes
    models: int
    skipped: tuple[str, ...] = ()


class CatalogFormat(Protocol):
    """How catalogs are published and kept."""

    @property
    def published_at(self) -> str:
        """The URL where the newest one is."""
        ...

    def convert(self, published: bytes, version: str) -> ConvertedCatalog:
        """Raises `RequestInvalid` where it is no catalog, or nothing of it can be read."""
        ...

    def version_of(self, name: str) -> str:
        """A name with how it was converted, as it stands in ids of prices."""
        ...

    def open(self, content: bytes) -> PriceCatalog:
        """A kept one, to be asked. Raises `RequestInvalid` where this version cannot read what another has kept."""
        ...

    def listed(self, content: bytes | None) -> Sequence[ListedModel]:
        """Every rule of a kept one; of None of the one that came with the release."""
        ...

    def release_version(self) -> str:
        """That of the one that came with the release."""
        ...


class CatalogDownload(Protocol):
    """Fetches what somebody published."""

    async def fetch(self, url: str) -> bytes:
        """Raises `RequestInvalid` where the URL cannot be used, or nothing comes from it."""
        ...
