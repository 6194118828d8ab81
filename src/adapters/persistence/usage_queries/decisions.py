"""Recorded decisions out of their tables, each with the request it led.

Only requests that went by a route or `auto` have a row of their own. That of any other request is found by the moment
in its id (a UUID of version 7), within the seconds after which it went upstream: no index has to know it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import and_, or_, select
from typing_extensions import override

from adapters.persistence.ledger.packing import unpacked
from adapters.persistence.store import SqlAlchemyStore
from adapters.persistence.tables import DecisionRow, RequestRow
from adapters.persistence.usage_queries.log import attempts_of, records_of
from adapters.persistence.work import Work
from domain.ports.decisions import DecisionLog
from domain.records import RequestRecord
from domain.usage_queries import LogCursor

READ_SECONDS: Final = 10.0
_ID: Final = re.compile(r"[a-z]+_([0-9a-f]{12})7[0-9a-f]{19}")
_BEFORE, _AFTER = timedelta(seconds=2), timedelta(seconds=330)
"""A clock may be set back a little; a request lives for 300 s."""


class SqlAlchemyDecisions(DecisionLog):
    """Over the store's own connections."""

    def __init__(self, store: SqlAlchemyStore) -> None:
        self._store = store

    @override
    async def get(self, decision_id: str) -> RequestRecord | None:
        async with self._store.reporting(READ_SECONDS) as work:
            found = select(DecisionRow).where(DecisionRow.decision_id == decision_id).limit(1)
            row = (await work.run(work.session.scalars(found))).first()
            if row is not None:
                request = await work.run(work.session.get(RequestRow, row.request_id))
                return None if request is None else (await _whole(work, [request], [row]))[0]
            between = _lifetime(decision_id)
            if between is None:
                return None
            plain = (
                select(RequestRow)
                .where(
                    RequestRow.created_at >= between[0],
                    RequestRow.created_at < between[1],
                    RequestRow.decision_id == decision_id,
                )
                .order_by(RequestRow.created_at)
                .limit(1)
            )
            request = (await work.run(work.session.scalars(plain))).first()
            return None if request is None else (await _whole(work, [request], []))[0]

    @override
    async def page(
        self, route: str, start: datetime, end: datetime, limit: int, at: LogCursor | None
    ) -> Sequence[RequestRecord]:
        row = RequestRow
        wanted = [row.route == route, row.route != "", row.created_at >= start, row.created_at < end]
        if at is not None:
            same_moment = and_(row.created_at == at.created_at, row.id > at.request_id)
            wanted += row.created_at >= at.created_at, or_(row.created_at > at.created_at, same_moment)
        asked = select(row).where(*wanted).order_by(row.created_at, row.id).limit(limit)
        async with self._store.reporting(READ_SECONDS) as work:
            requests = (await work.run(work.session.scalars(asked))).all()
            ids = [request.id for request in requests]
            decisions = await work.run(work.session.scalars(select(DecisionRow).where(DecisionRow.request_id.in_(ids))))
            return await _whole(work, requests, decisions.all())


async def _whole(
    work: Work, requests: Sequence[RequestRow], decisions: Sequence[DecisionRow]
) -> Sequence[RequestRecord]:
    attempts = await work.run(work.session.scalars(attempts_of([row.id for row in requests])))
    notes = {row.request_id: unpacked(row.body) for row in decisions}
    return [
        msgspec.structs.replace(record, decision=notes.get(record.request_id))
        for record in records_of(requests, attempts.all())
    ]


def _lifetime(decision_id: str) -> tuple[datetime, datetime] | None:
    """When its request may have gone upstream; None for what is no id of ours."""
    form = _ID.fullmatch(decision_id)
    if form is None:
        return None
    try:
        made = datetime.fromtimestamp(int(form[1], 16) / 1000, UTC)
        return made - _BEFORE, made + _AFTER
    except (ValueError, OverflowError, OSError):  # a moment no calendar holds
        return None
