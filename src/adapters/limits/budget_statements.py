"""What budgets in Postgres are asked and told: each statement is a transaction of its own.

Buckets are locked before holds, and buckets by their key: whoever changes either takes the locks in this order (R-26).
"""

from typing import Final

from adapters.limits.refusals import SHARE

HOLD_SECONDS: Final = 60
"""How long a hold lasts that nobody renews: its process is gone, and so is whoever could book what it left."""

SETTLED_SECONDS: Final = 3_600
"""How long what a request cost waits in its hold for the ledger: seconds, but where the ledger cannot write."""

OPEN = (
    "INSERT INTO budget_periods (account, starts_at, spent_nano_usd) "
    "SELECT account, starts_at, 0 FROM unnest($1::text[], $2::bigint[]) AS w(account, starts_at) "
    "ORDER BY account, starts_at ON CONFLICT DO NOTHING"
)
READ = (
    "SELECT b.account, sum(b.spent_nano_usd)::bigint, sum(b.held_nano_usd)::bigint FROM budget_periods b "
    "JOIN unnest($1::text[], $2::bigint[]) AS w(account, counts_from) "
    "ON b.account = w.account AND b.starts_at >= w.counts_from GROUP BY b.account"
)
KNOWN = "SELECT DISTINCT account FROM budget_periods WHERE account = ANY($1::text[])"
RESERVE = f"""
WITH want AS (SELECT * FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS w(account, starts_at, counts_from)),
terms AS (SELECT * FROM unnest($5::text[], $6::bigint[], $7::bool[]) AS t(account, allowed, enforced)),
locked AS MATERIALIZED (
  SELECT b.account, b.starts_at, b.spent_nano_usd, b.held_nano_usd FROM budget_periods b
  JOIN want w ON b.account = w.account AND b.starts_at >= w.counts_from
  ORDER BY b.account, b.starts_at FOR UPDATE OF b),
sums AS MATERIALIZED (
  SELECT w.account, coalesce(bool_or(l.starts_at = w.starts_at), false) AS known,
    coalesce(sum(l.spent_nano_usd), 0)::bigint AS spent, coalesce(sum(l.held_nano_usd), 0)::bigint AS held
  FROM want w LEFT JOIN locked l USING (account) GROUP BY w.account),
verdict AS MATERIALIZED (
  SELECT bool_and(s.known) AS known,
    bool_and(NOT t.enforced OR $8::bigint = 0 OR t.allowed - s.spent - s.held >= $8) AS fits,
    greatest($8, least($9::bigint,
      min(greatest($8, (t.allowed - s.spent - s.held) / {SHARE})) FILTER (WHERE t.enforced))) AS granted
  FROM terms t JOIN sums s USING (account)),
taken AS (
  UPDATE budget_periods b SET held_nano_usd = b.held_nano_usd + v.granted FROM want w, verdict v
  WHERE v.known AND v.fits AND b.account = w.account AND b.starts_at = w.starts_at),
noted AS (
  INSERT INTO budget_holds (hold_id, account, starts_at, nano_usd, expires_at)
  SELECT $1, w.account, w.starts_at, v.granted, extract(epoch FROM now())::bigint + {HOLD_SECONDS}
  FROM want w, verdict v WHERE v.known AND v.fits
  ON CONFLICT (hold_id, account) DO UPDATE SET
    nano_usd = budget_holds.nano_usd + excluded.nano_usd, expires_at = excluded.expires_at)
SELECT s.account, s.spent, s.held, v.known, v.fits, v.granted FROM sums s, verdict v
"""  # noqa: S608 - our own numbers
"""All or none in one statement. What the lock shows is the newest version of each row; `known` is false where a bucket
is not there yet, and then nothing is held."""

SHRINK = f"""
WITH cost AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS c(hold_id, account, nano_usd)),
locked AS MATERIALIZED (
  SELECT b.account FROM budget_periods b WHERE (b.account, b.starts_at) IN (
    SELECT h.account, h.starts_at FROM budget_holds h JOIN cost USING (hold_id, account))
  ORDER BY b.account, b.starts_at FOR UPDATE OF b),
held AS MATERIALIZED (
  SELECT h.hold_id, h.account, h.starts_at, h.nano_usd - cost.nano_usd AS less, cost.nano_usd
  FROM budget_holds h JOIN cost USING (hold_id, account), (SELECT count(*) AS n FROM locked) l
  WHERE l.n >= 0 ORDER BY h.hold_id, h.account FOR UPDATE OF h),
shrunk AS (
  UPDATE budget_holds h SET nano_usd = held.nano_usd,
    expires_at = extract(epoch FROM now())::bigint + {SETTLED_SECONDS}
  FROM held WHERE h.hold_id = held.hold_id AND h.account = held.account),
freed AS (SELECT account, starts_at, sum(less)::bigint AS nano_usd FROM held GROUP BY 1, 2)
UPDATE budget_periods b SET held_nano_usd = b.held_nano_usd - freed.nano_usd FROM freed
WHERE b.account = freed.account AND b.starts_at = freed.starts_at
"""  # noqa: S608 - our own numbers
"""Many at once: what each request cost takes the place of its hold. What the ledger has ended is not there any more."""

RENEW = (
    "UPDATE budget_holds SET expires_at = greatest(expires_at, extract(epoch FROM now())::bigint + $2) "
    "WHERE hold_id = ANY($1::text[])"
)
RENAME = (
    "UPDATE budget_holds SET hold_id = $2, expires_at = extract(epoch FROM now())::bigint + $3 "
    "WHERE hold_id = $1 RETURNING account, starts_at"
)
LET_GO = """
WITH old AS (SELECT hold_id, account, starts_at FROM budget_holds
  WHERE expires_at < extract(epoch FROM now())::bigint ORDER BY expires_at LIMIT 500),
locked AS MATERIALIZED (
  SELECT b.account FROM budget_periods b WHERE (b.account, b.starts_at) IN (SELECT account, starts_at FROM old)
  ORDER BY b.account, b.starts_at FOR UPDATE OF b),
gone AS (
  DELETE FROM budget_holds h USING old, (SELECT count(*) AS n FROM locked) l
  WHERE l.n >= 0 AND h.hold_id = old.hold_id AND h.account = old.account
    AND h.expires_at < extract(epoch FROM now())::bigint
  RETURNING h.hold_id, h.account, h.starts_at, h.nano_usd),
freed AS (SELECT account, starts_at, sum(nano_usd)::bigint AS nano_usd FROM gone GROUP BY 1, 2),
less AS (
  UPDATE budget_periods b SET held_nano_usd = b.held_nano_usd - freed.nano_usd FROM freed
  WHERE b.account = freed.account AND b.starts_at = freed.starts_at)
SELECT count(DISTINCT hold_id) FROM gone
"""
