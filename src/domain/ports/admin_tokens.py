"""The port of admin tokens: where what is known of them is kept."""

from collections.abc import Sequence
from typing import Protocol

from domain.admin_tokens import AdminToken


class AdminTokenRepository(Protocol):
    """Admin tokens, found by the keyed digest of their secret."""

    async def find(self, digests: Sequence[bytes]) -> AdminToken | None:
        """The token with one of these digests (one per pepper version), expired ones included."""
        ...

    async def get(self, token_id: str) -> AdminToken | None: ...

    async def list_page(self, limit: int, after: str | None) -> Sequence[AdminToken]:
        """Newest first, up to `limit` tokens whose id sorts before `after`."""
        ...

    async def add(self, token: AdminToken) -> None:
        """Raises `Conflict` where the id or the digest is taken."""
        ...

    async def update(self, token: AdminToken) -> None:
        """Replaces the token of the same id. Raises `NotFound`."""
        ...

    async def delete(self, token_id: str) -> bool: ...
