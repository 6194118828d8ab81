"""Counters of limits, and on Postgres the function that takes of all of a request's limits or of none."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")

# `calls` is an array of what several requests ask, answered in order. Of `take`: `w` windows [counter, limit, amount],
# `d` days [counter, starts_at, limit, amount], `l` slots [counter, limit]; the answer is [1, second, left of each…], or
# [0, which one, used, seconds to wait]. Of `settle`: `at` the second of the take, `w` [counter, difference],
# `d` [counter, starts_at, difference], `l` [counter]. Of `renew`: `leases` [counter, lease]; the answer is who lives.
#
# Locks are taken first, and in one order; each statement after them sees what was committed before it. A lost commit of
# counters costs nothing that is worth waiting for the disk.
_FUNCTION = """
CREATE FUNCTION omg_limits(given_ms bigint, calls jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  ms bigint; sec bigint; call jsonb; item jsonb; answer jsonb; remaining jsonb; answers jsonb := '[]';
  taken bigint; excess bigint; seconds bigint; which int;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pg_advisory_xact_lock(1280133972, names.hash) FROM (
    SELECT DISTINCT hashtext(each ->> 0) AS hash
    FROM jsonb_array_elements(calls) AS c,
      jsonb_array_elements(coalesce(c -> 'w', '[]') || coalesce(c -> 'd', '[]') || coalesce(c -> 'l', '[]')) AS each
    ORDER BY hash) AS names;
  ms := coalesce(given_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  sec := ms / 1000;
  FOR call IN SELECT * FROM jsonb_array_elements(calls) LOOP
    answer := NULL;
    IF call ->> 'op' = 'take' THEN
      which := 0;
      remaining := jsonb_build_array(1, sec);
      FOR item IN SELECT * FROM jsonb_array_elements(call -> 'w') LOOP
        SELECT coalesce(sum(w.amount), 0) INTO taken FROM limit_windows w
          WHERE w.counter = item ->> 0 AND w.second >= sec - 60;
        excess := taken + (item ->> 2)::bigint - (item ->> 1)::bigint;
        IF excess > 0 THEN
          SELECT min(gone.second) + 61 - sec INTO seconds FROM (
            SELECT w.second, sum(w.amount) OVER (ORDER BY w.second) AS total FROM limit_windows w
            WHERE w.counter = item ->> 0 AND w.second >= sec - 60) AS gone WHERE gone.total >= excess;
          answer := jsonb_build_array(0, which, taken, coalesce(seconds, 61));
          EXIT;
        END IF;
        remaining := remaining || to_jsonb(-excess);
        which := which + 1;
      END LOOP;
      IF answer IS NULL THEN
        FOR item IN SELECT * FROM jsonb_array_elements(call -> 'd') LOOP
          SELECT coalesce(sum(d.used), 0) INTO taken FROM limit_days d
            WHERE d.counter = item ->> 0 AND d.starts_at = (item ->> 1)::bigint;
          excess := taken + (item ->> 3)::bigint - (item ->> 2)::bigint;
          IF excess > 0 THEN
            answer := jsonb_build_array(0, which, taken, 0);
            EXIT;
          END IF;
          remaining := remaining || to_jsonb(-excess);
          which := which + 1;
        END LOOP;
      END IF;
      IF answer IS NULL THEN
        FOR item IN SELECT * FROM jsonb_array_elements(call -> 'l') LOOP
          SELECT count(*) INTO taken FROM limit_slots s WHERE s.counter = item ->> 0 AND s.ends_at_ms > ms;
          excess := taken + 1 - (item ->> 1)::bigint;
          IF excess > 0 THEN
            answer := jsonb_build_array(0, which, taken, 0);
            EXIT;
          END IF;
          remaining := remaining || to_jsonb(-excess);
          which := which + 1;
        END LOOP;
      END IF;
      IF answer IS NULL THEN
        answer := remaining;
        INSERT INTO limit_windows AS w (counter, second, amount)
          SELECT each ->> 0, sec, (each ->> 2)::bigint FROM jsonb_array_elements(call -> 'w') AS each
          WHERE (each ->> 2)::bigint > 0
          ON CONFLICT (counter, second) DO UPDATE SET amount = w.amount + excluded.amount;
        INSERT INTO limit_days AS d (counter, starts_at, used)
          SELECT each ->> 0, (each ->> 1)::bigint, (each ->> 3)::bigint FROM jsonb_array_elements(call -> 'd') AS each
          ON CONFLICT (counter, starts_at) DO UPDATE SET used = d.used + excluded.used;
        INSERT INTO limit_slots AS s (counter, lease_id, ends_at_ms)
          SELECT each ->> 0, call ->> 'id', ms + (call ->> 'ttl')::bigint FROM jsonb_array_elements(call -> 'l') AS each
          ON CONFLICT (counter, lease_id) DO UPDATE SET ends_at_ms = excluded.ends_at_ms;
      END IF;
    ELSIF call ->> 'op' = 'settle' THEN
      INSERT INTO limit_windows AS w (counter, second, amount)
        SELECT each ->> 0, sec, (each ->> 1)::bigint FROM jsonb_array_elements(call -> 'w') AS each
        WHERE (each ->> 1)::bigint > 0
        ON CONFLICT (counter, second) DO UPDATE SET amount = w.amount + excluded.amount;
      UPDATE limit_windows w SET amount = w.amount + (each ->> 1)::bigint
        FROM jsonb_array_elements(call -> 'w') AS each
        WHERE (each ->> 1)::bigint < 0 AND w.counter = each ->> 0 AND w.second = (call ->> 'at')::bigint;
      INSERT INTO limit_days AS d (counter, starts_at, used)
        SELECT each ->> 0, (each ->> 1)::bigint, (each ->> 2)::bigint FROM jsonb_array_elements(call -> 'd') AS each
        WHERE (each ->> 2)::bigint > 0
        ON CONFLICT (counter, starts_at) DO UPDATE SET used = d.used + excluded.used;
      UPDATE limit_days d SET used = d.used + (each ->> 2)::bigint
        FROM jsonb_array_elements(call -> 'd') AS each
        WHERE (each ->> 2)::bigint < 0 AND d.counter = each ->> 0 AND d.starts_at = (each ->> 1)::bigint;
      DELETE FROM limit_slots s USING jsonb_array_elements(call -> 'l') AS each
        WHERE s.counter = each ->> 0 AND s.lease_id = call ->> 'id';
      answer := '[1]';
    ELSE
      INSERT INTO limit_slots AS s (counter, lease_id, ends_at_ms)
        SELECT each ->> 0, each ->> 1, ms + (call ->> 'ttl')::bigint FROM jsonb_array_elements(call -> 'leases') AS each
        ON CONFLICT (counter, lease_id) DO UPDATE SET ends_at_ms = excluded.ends_at_ms;
      DELETE FROM limit_slots WHERE ctid = ANY(ARRAY(
        SELECT s.ctid FROM limit_slots s WHERE s.ends_at_ms < ms - 60000 LIMIT 1000 FOR UPDATE SKIP LOCKED));
      DELETE FROM limit_windows WHERE ctid = ANY(ARRAY(
        SELECT w.ctid FROM limit_windows w WHERE w.second < sec - 120 LIMIT 10000 FOR UPDATE SKIP LOCKED));
      DELETE FROM limit_days WHERE ctid = ANY(ARRAY(
        SELECT d.ctid FROM limit_days d WHERE d.starts_at < sec - 259200 LIMIT 1000 FOR UPDATE SKIP LOCKED));
      SELECT coalesce(jsonb_agg(s.lease_id), '[]') INTO answer FROM limit_slots s
        WHERE s.counter = call ->> 'processes' AND s.ends_at_ms > ms;
    END IF;
    answers := answers || jsonb_build_array(answer);
  END LOOP;
  RETURN answers;
END $$
"""


def upgrade() -> None:
    for table, place, value in (
        ("limit_days", "starts_at", "used"),
        ("limit_windows", "second", "amount"),
    ):
        op.create_table(
            table,
            sa.Column("counter", _ID, nullable=False),
            sa.Column(place, sa.BigInteger, nullable=False),
            sa.Column(value, sa.BigInteger, nullable=False),
            sa.PrimaryKeyConstraint("counter", place, name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "limit_slots",
        sa.Column("counter", _ID, nullable=False),
        sa.Column("lease_id", _ID, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("counter", "lease_id", name="pk_limit_slots"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION omg_limits(bigint, jsonb)")
    for table in ("limit_slots", "limit_windows", "limit_days"):
        op.drop_table(table)
