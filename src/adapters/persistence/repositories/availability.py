"""States of provider keys, and rests of providers and models, in tables: a restart forgets no key that said no, and
what one process learned holds in all.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import delete, select
from typing_extensions import override

from adapters.persistence.tables import KeyStateRow, ProviderRestRow, QuotaCountRow, QuotaFindingRow
from adapters.persistence.work import Work, guarded, insert_into, upsert
from domain.availability import KeyCondition, KeyState, ProviderRest, RestCause, state_to_keep
from domain.ports.repositories import FORGET_RESTS_SECONDS, AvailabilityRepository
from domain.quotas import QuotaChanges, QuotaCount, QuotaFinding


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
        return [_entity(row) for row in rows]

    @override
    @guarded
    async def save(self, states: Sequence[KeyState], now: datetime) -> None:
        changes = {state.id: state for state in states}
        found = await self._work.session.scalars(select(KeyStateRow).where(KeyStateRow.key_id.in_(changes)))
        stored = {row.key_id: _entity(row) for row in found}
        newest = {id_: state_to_keep(stored.get(id_), change, now) for id_, change in changes.items()}
        plain = [state_id for state_id, state in newest.items() if state.is_plain]
        if plain:
            await self._work.session.execute(delete(KeyStateRow).where(KeyStateRow.key_id.in_(plain)))
        # In one order everywhere, so that two processes saving at once cannot deadlock.
        kept = [_values(state) for _, state in sorted(newest.items()) if not state.is_plain]
        await upsert(self._work.session, KeyStateRow, kept)

    @override
    @guarded
    async def load_rests(self, now: datetime) -> Sequence[ProviderRest]:
        remembered = ProviderRestRow.until > now - timedelta(seconds=FORGET_RESTS_SECONDS)
        rows = await self._work.session.scalars(select(ProviderRestRow).where(remembered))
        return [_rest(row) for row in rows]

    @override
    @guarded
    async def save_rests(self, rests: Sequence[ProviderRest], now: datetime) -> None:
        session = self._work.session
        await session.execute(
            delete(ProviderRestRow).where(ProviderRestRow.until <= now - timedelta(seconds=FORGET_RESTS_SECONDS))
        )
        # In one order everywhere, so that two processes saving at once cannot deadlock.
        newest = sorted({rest.id: rest for rest in rests}.items())
        for (cause, owner_id, model), rest in newest:
            if rest.until is None:
                await session.execute(
                    delete(ProviderRestRow).where(
                        ProviderRestRow.cause == cause,
                        ProviderRestRow.owner_id == owner_id,
                        ProviderRestRow.model == model,
                        ProviderRestRow.since <= rest.since,
                    )
                )
        kept = [msgspec.structs.asdict(rest) for _, rest in newest if rest.until is not None]
        if kept:
            insert = insert_into(session, ProviderRestRow)
            changed = {name: insert.excluded[name] for name in ("until", "since", "count", "reason")}
            lasts_longer = insert.excluded["until"] >= ProviderRestRow.until
            await session.execute(
                insert.on_conflict_do_update(
                    index_elements=["cause", "owner_id", "model"], set_=changed, where=lasts_longer
                ),
                kept,
            )
        session.expire_all()

    @override
    @guarded
    async def load_quotas(self, now: int) -> tuple[Sequence[QuotaCount], Sequence[QuotaFinding]]:
        session = self._work.session
        counts = await session.scalars(select(QuotaCountRow).where(QuotaCountRow.ends_at > now))
        findings = await session.scalars(select(QuotaFindingRow))
        return (
            [QuotaCount(row.owner_id, row.name, row.starts_at, row.ends_at, row.used) for row in counts],
            [QuotaFinding(row.owner_id, row.name, row.amount, row.found_at) for row in findings],
        )

    @override
    @guarded
    async def save_quotas(self, changes: QuotaChanges, now: int) -> None:
        session = self._work.session
        for table in (QuotaCountRow, QuotaFindingRow):
            if changes.forgotten:
                await session.execute(delete(table).where(table.owner_id.in_(changes.forgotten)))
        await session.execute(delete(QuotaCountRow).where(QuotaCountRow.ends_at <= now))
        if changes.used:
            insert = insert_into(session, QuotaCountRow)
            added = {"used": QuotaCountRow.used + insert.excluded.used, "ends_at": insert.excluded.ends_at}
            keys = ["owner_id", "name", "starts_at"]
            # In one order everywhere, so that two processes saving at once cannot deadlock.
            counts = sorted(map(msgspec.to_builtins, changes.used), key=lambda row: [row[key] for key in keys])
            await session.execute(insert.on_conflict_do_update(index_elements=keys, set_=added), counts)
        findings = {(finding.owner_id, finding.name): finding for finding in changes.findings}
        await upsert(
            session, QuotaFindingRow, [msgspec.structs.asdict(finding) for _, finding in sorted(findings.items())]
        )


def _rest(row: ProviderRestRow) -> ProviderRest:
    return ProviderRest(
        cause=msgspec.convert(row.cause, RestCause),
        owner_id=row.owner_id,
        model=row.model,
        until=row.until,
        since=row.since,
        count=row.count,
        reason=row.reason,
    )


def _entity(row: KeyStateRow) -> KeyState:
    key_id, _, model = row.key_id.partition(" ")
    return KeyState(
        key_id=key_id,
        condition=KeyCondition(row.condition),
        until=row.until,
        since=row.since,
        reason=row.reason,
        strikes=row.strikes,
        model=model,
    )


def _values(state: KeyState) -> dict[str, object]:
    return {
        "key_id": state.id,
        "condition": state.condition.value,
        "until": state.until,
        "since": state.since,
        "reason": state.reason,
        "strikes": state.strikes,
    }
