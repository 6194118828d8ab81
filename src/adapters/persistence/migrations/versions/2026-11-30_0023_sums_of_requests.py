"""Requests with what they used, refusals and cancellations in the sums, and a sample for percentiles.

What requests used is null in rows from before: their attempts are asked, as they always were. In the sums everything
from before is counted anew from the requests, as far as they are still there.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_USED = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "cost_nano_usd",
)
_COUNTS = ("refused_requests", "cancelled_requests")
_OF_MODEL = ("provider_id", "model", "task")
_GRAINS = {
    "usage_hourly": ("tenant_id", "key_id", *_OF_MODEL),
    "usage_daily": ("tenant_id", "key_id", *_OF_MODEL),
    "usage_hourly_by_model": ("tenant_id", *_OF_MODEL),
    "usage_hourly_by_key": ("tenant_id", "key_id"),
}
_NOT_SERVED = sa.text(
    "SELECT created_at, tenant_id, COALESCE(key_id, '') AS key_id, COALESCE(provider_id, '') AS provider_id, "
    "COALESCE(model, '') AS model, task, refused_by FROM requests "
    "WHERE outcome <> 'ok' AND (outcome = 'client_cancelled' OR refused_by <> '')"
)
_Key = tuple[object, ...]


def upgrade() -> None:
    for name in _USED:
        op.add_column("requests", sa.Column(name, sa.BigInteger, nullable=True))
    for table in _GRAINS:
        for name in _COUNTS:
            op.add_column(table, sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index(
        "ix_requests_sample",
        "requests",
        ["created_at", "decision_id"],
        sqlite_where=sa.text("substr(decision_id, -1) = '0'"),
        postgresql_where=sa.text("right(decision_id, 1) = '0'"),
    )
    _count_anew()


def downgrade() -> None:
    op.drop_index("ix_requests_sample", "requests")
    for table in _GRAINS:
        for name in reversed(_COUNTS):
            op.drop_column(table, name)
    for name in reversed(_USED):
        op.drop_column("requests", name)


def _count_anew() -> None:
    bind = op.get_bind()
    found: dict[str, Counter[_Key]] = {table: Counter() for table in _GRAINS}
    for row in bind.execute(_NOT_SERVED).mappings():
        count = _COUNTS[0] if row["refused_by"] else _COUNTS[1]
        for table, hour in zip(_GRAINS, _starts(row["created_at"]), strict=True):
            found[table][count, hour, *(row[name] for name in _GRAINS[table])] += 1
    for table, counts in found.items():
        groups = _GRAINS[table]
        for count in _COUNTS:
            where = " AND ".join(f"{name} = :{name}" for name in ("starts_at", *groups))
            rows = [
                dict(zip(("starts_at", *groups), key[1:], strict=True)) | {"amount": amount}
                for key, amount in counts.items()
                if key[0] == count
            ]
            if rows:
                bind.execute(sa.text(f"UPDATE {table} SET {count} = :amount WHERE {where}"), rows)  # noqa: S608 - our own names


def _starts(created_at: datetime | str) -> Iterator[datetime | str]:
    """Of each table's stretch; SQLite has moments as text."""
    for table in _GRAINS:
        daily = table == "usage_daily"
        if isinstance(created_at, str):
            yield f"{created_at[:11]}00:00:00.000000" if daily else f"{created_at[:13]}:00:00.000000"
        else:
            hour = created_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            yield hour.replace(hour=0) if daily else hour
