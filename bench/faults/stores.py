"""Postgres and SQLite away, frozen, locked, or with nowhere to write."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from bench.faults.case import Case, Checks
from bench.faults.checking import books, budget, only, told
from bench.faults.stand import Stand, Stores, until

KNOWN_SECONDS: Final = 60.0
"""As long as known keys are served without the database."""

RECOVERY_SECONDS: Final = 5.0
WORSE: Final = re.compile('"level":"(warning|error)"')
LINES: Final = 30
_CALLS: Final = 400


def postgres_killed(stand: Stand, checks: Checks) -> None:
    postgres = stand.postgres
    _away(stand, checks, "postgres", 1, postgres.kill, postgres.start)


def postgres_killed_of_two(stand: Stand, checks: Checks) -> None:
    postgres = stand.postgres
    _away(stand, checks, "valkey", 2, postgres.kill, postgres.start)


def postgres_frozen(stand: Stand, checks: Checks) -> None:
    postgres = stand.postgres
    _away(stand, checks, "postgres", 1, postgres.freeze, postgres.thaw)


def _away(
    stand: Stand, checks: Checks, stores: Stores, hosts: int, begin: Callable[[], None], end: Callable[[], None]
) -> None:
    """The published table: known keys for a minute, then 503; budgets 503 from the first moment on."""
    site = stand.site(stores, hosts=hosts)
    payer = site.payer(_CALLS)
    with site.traffic() as load, site.traffic(payer=payer, clients=2, pause=0.4) as paid:
        time.sleep(1.5)
        stand.at_the_end(end)
        began = time.monotonic()
        begin()
        known = min(stand.outage, KNOWN_SECONDS - 5)
        time.sleep(known)
        knew = time.monotonic()
        words = {site.ready(each) for each in site.gateways}
        checks.holds("it is ready while known keys are served", words == {"200 ready"}, words)
        if stand.outage > KNOWN_SECONDS:
            gone = until(lambda: {site.ready(each) for each in site.gateways} == {"503 database_away"}, 40, 0.5)
            checks.holds("then it is not ready, and says why", gone < float("inf"))
            refused = time.monotonic()
            time.sleep(3)
            then = {"began": refused + 1, "ended": time.monotonic() - 1}
            only(checks, "then known keys get 503", load, "503 store_unavailable", **then)
        checks.holds("it lives", all(site.alive(each) for each in site.gateways))
        end()
        ended = time.monotonic()
        back = until(lambda: {site.ready(each) for each in site.gateways} == {"200 ready"}, 30)
        served = until(lambda: len(load.between(ended, time.monotonic())) > 5 and load.entries[-1].status == 200, 30)
        checks.within(f"it serves within {RECOVERY_SECONDS:.0f} s of its return", max(back, served), RECOVERY_SECONDS)
        until(lambda: bool(paid.between(ended + 1, time.monotonic())), 10)
        time.sleep(1.0)
    checks.figure(f"away for {ended - began:.0f} s, serving {max(back, served):.1f} s after its return")
    only(checks, "known keys are served meanwhile", load, "200", began=began, ended=knew)
    away = {"began": began + 2.5, "ended": ended - 2.5}
    only(checks, "who has a budget is refused meanwhile", paid, "503 store_unavailable", **away)
    slowest = max((each.seconds for each in load.between(began + 3, knew) if each.status == 200), default=0.0)
    checks.figure(f"the slowest answer meanwhile took {slowest:.2f} s")
    budget(site, checks, payer, _CALLS, paid)
    books(site, checks, load, paid)
    told(checks, site, "usage waits in the spool: the database is away", 1)
    told(checks, site, "configuration not checked: the store is away", 1)
    for gateway in site.gateways:
        lines = [line for line in gateway.output.splitlines() if '"request_id"' not in line and WORSE.search(line)]
        checks.holds(f"an outage is {LINES} lines of the log at most", len(lines) <= LINES, len(lines))


def sqlite_locked(stand: Stand, checks: Checks) -> None:
    """Another process holds the write lock."""
    site = stand.site()
    seconds = min(stand.outage, 30.0)
    with site.traffic() as load:
        time.sleep(1.0)
        with closing(sqlite3.connect(site.first.data / "omg.db", isolation_level=None)) as locker:
            locker.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            time.sleep(seconds)
            word = site.ready()
            locker.execute("ROLLBACK")
        ended = time.monotonic()
        time.sleep(1.0)
    checks.holds("it stays ready", word == "200 ready", word)
    checks.figure(f"locked for {seconds:.0f} s")
    only(checks, "nobody notices", load, "200", began=began, ended=ended)
    books(site, checks, load)


CASES: Final = (
    Case(
        "postgres-killed",
        "kill -9 of Postgres under load, started again after the outage",
        "known keys are served for 60 s, then 503; budgets 503 at once; every record arrives once (P-04, R-25)",
        postgres_killed,
        short=True,
    ),
    Case(
        "postgres-killed-of-two",
        "the same with two hosts and Valkey",
        "the same; limits go on",
        postgres_killed_of_two,
    ),
    Case(
        "postgres-frozen",
        "SIGSTOP of Postgres under load: connections stay, nothing answers",
        "the same as when it is gone, after the first 2 s",
        postgres_frozen,
    ),
    Case(
        "sqlite-locked",
        "another process holds SQLite's write lock under load",
        "records wait, nobody notices (R-23)",
        sqlite_locked,
    ),
)
