"""What tenants, members, users and keys are allowed, checked alike wherever it is written down."""

import ipaddress
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from domain.errors import RequestInvalid
from domain.grants import groups_in
from domain.ports.repositories import UnitOfWork

Name = Annotated[str, Meta(max_length=200)]
ModelPatterns = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=512)], ...], Meta(max_length=1000)]
ProviderIds = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=63)], ...], Meta(max_length=1000)]
Cidrs = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=200)]
Tags = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=16)]


def check_cidrs(cidrs: Iterable[str] | None) -> None:
    """Raises `RequestInvalid` for what is neither an address nor a network."""
    for place, entry in enumerate(cidrs or ()):
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise RequestInvalid(
                f"'{entry}' is neither an address nor a network such as 10.0.0.0/8.", param=f"cidrs.{place}"
            ) from None


def check_tags(tags: Iterable[str]) -> None:
    """Raises `RequestInvalid` for one that could not stand in a header or a report."""
    for place, tag in enumerate(tags):
        if not tag.isprintable() or "," in tag or tag != tag.strip():
            raise RequestInvalid(
                f"'{tag}' is no tag: printable, without commas, and no space at its ends.", param=f"tags.{place}"
            )


async def check_groups(unit: UnitOfWork, entries: Iterable[str] | None, field: str) -> None:
    """Raises `RequestInvalid` for a model group that is not there."""
    named = groups_in(entries)
    missing = named - (await unit.model_groups.patterns(named)).keys()
    if missing:
        raise RequestInvalid(
            f"There is no model group '@{min(missing)}'. GET /admin/model-groups lists them.", param=field
        )
