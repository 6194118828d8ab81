"""Alerts in tables: channels with their secrets sealed to their rows, rules, what was told, what is on its way."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from typing_extensions import override

from adapters.persistence.tables import AlertChannelRow, AlertDeliveryRow, AlertMarkRow, AlertRuleRow
from adapters.persistence.work import Work, guarded, insert_into, upsert
from domain.alerts import Alert, AlertChannel, AlertDelivery, AlertMark, AlertRule, ChannelLoad
from domain.ports.alerts import AlertConfigRepository, AlertLogRepository
from domain.ports.security import SecretBox


class SqlAlchemyAlertConfigRepository(AlertConfigRepository):
    def __init__(self, work: Work, box: SecretBox) -> None:
        self._work = work
        self._box = box

    @override
    @guarded
    async def list_channels(self) -> Sequence[AlertChannel]:
        order = (AlertChannelRow.created_at, AlertChannelRow.id)
        rows = await self._work.session.scalars(select(AlertChannelRow).order_by(*order))
        return [self._channel(row) for row in rows]

    @override
    @guarded
    async def get_channel(self, channel_id: str) -> AlertChannel | None:
        rows = await self._work.session.scalars(select(AlertChannelRow).where(AlertChannelRow.id == channel_id))
        return next((self._channel(row) for row in rows), None)

    @override
    @guarded
    async def put_channel(self, channel: AlertChannel) -> None:
        secret = channel.secret
        values = {
            "id": channel.id,
            "kind": channel.kind,
            "name": channel.name,
            "url": channel.url,
            "recipients": list(channel.to),
            "sealed_secret": None if secret is None else self._box.seal(secret, _bound_to(channel.id)),
            "enabled": channel.enabled,
            "created_at": channel.created_at,
            "updated_at": channel.updated_at,
        }
        await upsert(self._work.session, AlertChannelRow, [values])

    @override
    @guarded
    async def delete_channel(self, channel_id: str) -> bool:
        return await self._delete(AlertChannelRow, AlertChannelRow.id == channel_id)

    @override
    @guarded
    async def list_rules(self) -> Sequence[AlertRule]:
        order = (AlertRuleRow.created_at, AlertRuleRow.id)
        rows = await self._work.session.scalars(select(AlertRuleRow).order_by(*order))
        return [_rule(row) for row in rows]

    @override
    @guarded
    async def get_rule(self, rule_id: str) -> AlertRule | None:
        rows = await self._work.session.scalars(select(AlertRuleRow).where(AlertRuleRow.id == rule_id))
        return next((_rule(row) for row in rows), None)

    @override
    @guarded
    async def put_rule(self, rule: AlertRule) -> None:
        values = msgspec.structs.asdict(rule) | {"channels": list(rule.channels)}
        await upsert(self._work.session, AlertRuleRow, [values])

    @override
    @guarded
    async def delete_rule(self, rule_id: str) -> bool:
        await self._work.session.execute(delete(AlertMarkRow).where(AlertMarkRow.rule_id == rule_id))
        return await self._delete(AlertRuleRow, AlertRuleRow.id == rule_id)

    @override
    @guarded
    async def reencrypt_all(self) -> int:
        sealed = select(AlertChannelRow).where(AlertChannelRow.sealed_secret.is_not(None)).with_for_update()
        rows = await self._work.session.scalars(sealed)
        stale = [(row, row.sealed_secret) for row in rows]
        changed = 0
        for row, secret in stale:
            if secret is not None and not self._box.is_current(secret):
                row.sealed_secret = self._box.seal(self._box.open(secret, _bound_to(row.id)), _bound_to(row.id))
                changed += 1
        await self._work.session.flush()
        return changed

    async def _delete(self, row_type: type[AlertChannelRow | AlertRuleRow], which: ColumnElement[bool]) -> bool:
        gone = await self._work.session.execute(delete(row_type).where(which).returning(row_type.id))
        return gone.first() is not None

    def _channel(self, row: AlertChannelRow) -> AlertChannel:
        sealed = row.sealed_secret
        return AlertChannel(
            id=row.id,
            kind=row.kind,
            name=row.name,
            url=row.url,
            to=tuple(row.recipients),
            secret=None if sealed is None else self._box.open(sealed, _bound_to(row.id)),
            enabled=row.enabled,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class SqlAlchemyAlertLogRepository(AlertLogRepository):
    def __init__(self, work: Work) -> None:
        self._work = work

    @override
    @guarded
    async def take(self, mark: AlertMark, now: datetime, cooldown_seconds: int) -> float | None:
        session = self._work.session
        key = msgspec.structs.asdict(mark)
        told = await session.execute(
            insert_into(session, AlertMarkRow)
            .values(**key, armed=False, told_at=now)
            .on_conflict_do_nothing()
            .returning(AlertMarkRow.rule_id)
        )
        if told.first() is not None:
            return 0.0
        may = or_(AlertMarkRow.period != mark.period, AlertMarkRow.armed)
        row = (await session.scalars(select(AlertMarkRow).where(_of(mark)).with_for_update())).one()
        await session.refresh(row)
        if row.period == mark.period and not row.armed:
            return None
        wait = cooldown_seconds - (now - row.told_at).total_seconds()
        if wait > 0:
            return wait
        renewed = update(AlertMarkRow).where(_of(mark), may).values(period=mark.period, armed=False, told_at=now)
        ours = await session.execute(renewed.returning(AlertMarkRow.rule_id))
        return 0.0 if ours.first() is not None else None

    @override
    @guarded
    async def rearm(self, mark: AlertMark, read_at: datetime) -> None:
        before = and_(_of(mark), AlertMarkRow.told_at < read_at)
        await self._work.session.execute(update(AlertMarkRow).where(before).values(armed=True))

    @override
    @guarded
    async def load(self, channel_id: str, since: datetime) -> ChannelLoad:
        session = self._work.session
        await session.execute(select(AlertChannelRow.id).where(AlertChannelRow.id == channel_id).with_for_update())
        alone = and_(
            AlertDeliveryRow.channel_id == channel_id,
            AlertDeliveryRow.created_at > since,
            AlertDeliveryRow.rule_id.is_not(None),
            AlertDeliveryRow.status.not_in(("held", "gathered")),
        )
        rows = (
            await session.execute(
                select(AlertDeliveryRow.created_at, AlertDeliveryRow.alert, AlertDeliveryRow.attempts).where(
                    or_(alone, and_(AlertDeliveryRow.channel_id == channel_id, AlertDeliveryRow.status == "pending"))
                )
            )
        ).all()
        made = [row.created_at for row in rows if row.created_at > since]
        waits = any(row.alert.get("event") == "digest" and not row.attempts for row in rows)
        return ChannelLoad(len(made), min(made, default=None), waits)

    @override
    @guarded
    async def gather(self, channel_id: str) -> Sequence[AlertDelivery]:
        session = self._work.session
        await session.execute(select(AlertChannelRow.id).where(AlertChannelRow.id == channel_id).with_for_update())
        held = and_(AlertDeliveryRow.channel_id == channel_id, AlertDeliveryRow.status == "held")
        gathered = (
            update(AlertDeliveryRow)
            .where(held)
            .values(status="gathered")
            .returning(AlertDeliveryRow)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return sorted((_delivery(row) for row in await session.scalars(gathered)), key=lambda each: each.id)

    @override
    @guarded
    async def add(self, deliveries: Sequence[AlertDelivery]) -> None:
        if deliveries:
            await upsert(self._work.session, AlertDeliveryRow, [_values(delivery) for delivery in deliveries])

    @override
    @guarded
    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[AlertDelivery]:
        due = and_(AlertDeliveryRow.status == "pending", AlertDeliveryRow.next_attempt_at <= now)
        first = (
            select(AlertDeliveryRow.id)
            .where(due)
            .order_by(AlertDeliveryRow.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(AlertDeliveryRow)
            .where(AlertDeliveryRow.id.in_(first.scalar_subquery()), due)
            .values(next_attempt_at=until, attempts=AlertDeliveryRow.attempts + 1)
            .returning(AlertDeliveryRow)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        rows = await self._work.session.scalars(claimed)
        return sorted((_delivery(row) for row in rows), key=lambda each: each.id)

    @override
    @guarded
    async def put(self, delivery: AlertDelivery) -> None:
        await upsert(self._work.session, AlertDeliveryRow, [_values(delivery)])

    @override
    @guarded
    async def get(self, delivery_id: str) -> AlertDelivery | None:
        asked = select(AlertDeliveryRow).where(AlertDeliveryRow.id == delivery_id)
        rows = await self._work.session.scalars(asked.execution_options(populate_existing=True))
        return next((_delivery(row) for row in rows), None)

    @override
    @guarded
    async def page(self, limit: int, after: str | None, status: str | None) -> Sequence[AlertDelivery]:
        asked = select(AlertDeliveryRow).order_by(AlertDeliveryRow.id.desc()).limit(limit)
        if after is not None:
            asked = asked.where(AlertDeliveryRow.id < after)
        if status is not None:
            asked = asked.where(AlertDeliveryRow.status == status)
        return [_delivery(row) for row in await self._work.session.scalars(asked)]

    @override
    @guarded
    async def forget_before(self, moment: datetime) -> int:
        old = and_(AlertDeliveryRow.created_at < moment, AlertDeliveryRow.status.not_in(("pending", "held")))
        gone = await self._work.session.execute(delete(AlertDeliveryRow).where(old).returning(AlertDeliveryRow.id))
        return len(gone.all())


def _bound_to(channel_id: str) -> str:
    return f"alert_channels/secret/{channel_id}"


def _of(mark: AlertMark) -> ColumnElement[bool]:
    return and_(
        AlertMarkRow.rule_id == mark.rule_id,
        AlertMarkRow.about == mark.about,
        AlertMarkRow.threshold == mark.threshold,
    )


def _rule(row: AlertRuleRow) -> AlertRule:
    return AlertRule(
        id=row.id,
        event=row.event,
        threshold=row.threshold,
        cooldown_seconds=row.cooldown_seconds,
        channels=tuple(row.channels),
        enabled=row.enabled,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _values(delivery: AlertDelivery) -> dict[str, object]:
    return msgspec.structs.asdict(delivery) | {"alert": msgspec.to_builtins(delivery.alert)}


def _delivery(row: AlertDeliveryRow) -> AlertDelivery:
    return AlertDelivery(
        id=row.id,
        alert=msgspec.convert(row.alert, Alert),
        rule_id=row.rule_id,
        channel_id=row.channel_id,
        status=row.status,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
    )
