"""States of provider keys in a table, so that a restart does not ask a key that said no."""

from collections.abc import Sequence

from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import delete
from typing_extensions import override

from adapters.persistence.repositories.saving import upsert
from adapters.persistence.tables import KeyStateRow
from adapters.persistence.work import Work, guarded
from domain.availability import KeyCondition, KeyState
from domain.ports.repositories import AvailabilityRepository


class _Rows(SQLAlchemyAsyncRepository[KeyStateRow]):
    model_type = KeyStateRow
    id_attribute = "key_id"


class SqlAlchemyAvailabilityRepository(AvailabilityRepository):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows = _Rows(session=work.session, wrap_exceptions=False, auto_refresh=False)

    @override
    @guarded
    async def load(self) -> Sequence[KeyState]:
        rows = await self._rows.get_many(order_by=[(KeyStateRow.key_id, False)])
        return [
            KeyState(row.key_id, KeyCondition(row.condition), row.until, row.since, row.reason, row.strikes)
            for row in rows
        ]

    @override
    @guarded
    async def save(self, states: Sequence[KeyState]) -> None:
        newest = {state.key_id: state for state in states}
        plain = [key_id for key_id, state in newest.items() if _is_plain(state)]
        if plain:
            await self._work.session.execute(delete(KeyStateRow).where(KeyStateRow.key_id.in_(plain)))
        # In one order everywhere, so that two processes saving at once cannot deadlock.
        kept = [_values(state) for _, state in sorted(newest.items()) if not _is_plain(state)]
        await upsert(self._work.session, KeyStateRow, kept)


def _is_plain(state: KeyState) -> bool:
    return state.condition is KeyCondition.AVAILABLE and state.strikes == 0


def _values(state: KeyState) -> dict[str, object]:
    return {
        "key_id": state.key_id,
        "condition": state.condition.value,
        "until": state.until,
        "since": state.since,
        "reason": state.reason,
        "strikes": state.strikes,
    }
