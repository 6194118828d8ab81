"""Stored routes."""

from collections.abc import Sequence
from typing import Protocol

from domain.routes import Route


class RouteRepository(Protocol):
    """Routes, by alias."""

    async def get(self, alias: str) -> Route | None: ...

    async def list_all(self) -> Sequence[Route]:
        """By alias."""
        ...

    async def put(self, route: Route) -> None:
        """Insert, or replace the one of this alias."""
        ...

    async def delete(self, alias: str) -> bool:
        """False where there was none."""
        ...
