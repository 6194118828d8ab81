"""Port to what sets documents."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Passage(msgspec.Struct, frozen=True):
    """A part of a document: plain text under a heading, with a line in small print below. Empty ones are left out."""

    heading: str
    text: str
    note: str = ""


class DocumentSetter(Protocol):
    """Makes files that people print."""

    async def pdf(self, title: str, passages: Sequence[Passage]) -> bytes:
        """A PDF with text that can be selected. Raises `NotInstalled`, `RequestInvalid` for what is too long."""
        ...
