"""Admin tokens in memory, as the repository over a database keeps them."""

from collections.abc import Sequence

from typing_extensions import override

from domain.admin_tokens import AdminToken
from domain.errors import Conflict, NotFound
from domain.ports.admin_tokens import AdminTokenRepository


class MemoryAdminTokens(AdminTokenRepository):
    def __init__(self, rows: dict[str, AdminToken]) -> None:
        self._rows = rows

    @override
    async def find(self, digests: Sequence[bytes]) -> AdminToken | None:
        return next((token for token in self._rows.values() if token.digest in digests), None)

    @override
    async def get(self, token_id: str) -> AdminToken | None:
        return self._rows.get(token_id)

    @override
    async def list_page(self, limit: int, after: str | None) -> Sequence[AdminToken]:
        newest_first = sorted(self._rows.values(), key=lambda token: token.id, reverse=True)
        return [token for token in newest_first if after is None or token.id < after][:limit]

    @override
    async def add(self, token: AdminToken) -> None:
        if token.id in self._rows or any(other.digest == token.digest for other in self._rows.values()):
            raise Conflict(f"An admin token '{token.id}' exists already.", param="id")
        self._rows[token.id] = token

    @override
    async def update(self, token: AdminToken) -> None:
        if token.id not in self._rows:
            raise NotFound(f"There is no admin token '{token.id}'.")
        self._rows[token.id] = token

    @override
    async def delete(self, token_id: str) -> bool:
        return self._rows.pop(token_id, None) is not None
