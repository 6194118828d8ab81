"""Ids a test can foretell."""

from typing_extensions import override

from domain.ports.runtime import IdFactory


class CountingIds(IdFactory):
    """`{prefix}_` and a counter of 32 hex digits, one for all prefixes, from 1."""

    def __init__(self) -> None:
        self._count = 0

    @override
    def new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count:032x}"
