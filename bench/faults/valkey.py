"""Valkey frozen, killed, emptied, or refusing to write."""

import time
from collections.abc import Callable
from typing import Final

from adapters.limits.breaker import PROBE_SECONDS
from adapters.limits.shared import RENEW_SECONDS
from bench.faults.case import Case, Checks
from bench.faults.checking import books, budget, only, told
from bench.faults.stand import Site, Stand, until

AWAY: Final = "the counters of limits are away"
UNTIL_OPEN: Final = 8
"""Connections of a host before its breaker is open, and when it is closed again."""

BACK: Final = "the counters of limits answer again"
RECOVERY_SECONDS: Final = 3.0
_RPM: Final = 60
_CALLS: Final = 150


def frozen(stand: Stand, checks: Checks) -> None:
    """Besides: nobody but a probe each quarter of a second waits for what does not answer."""
    _away(stand, checks, lambda site: site.valkey.freeze(), lambda site: site.valkey.thaw(), probes=True)


def killed(stand: Stand, checks: Checks) -> None:
    """It comes back empty: what had passed before it went may pass once more."""
    _away(stand, checks, lambda site: site.valkey.kill(), lambda site: site.valkey.start(), times=2.0)


def replica(stand: Stand, checks: Checks) -> None:
    """It answers, and may not write."""

    def follow(site: Site) -> None:
        site.valkey.ask("REPLICAOF", "127.0.0.1", "1")

    _away(stand, checks, follow, lambda site: site.valkey.ask("REPLICAOF", "NO", "ONE"))


def full(stand: Stand, checks: Checks) -> None:
    """It answers that its memory is full."""

    def fill(site: Site) -> None:
        site.valkey.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        site.valkey.ask("CONFIG", "SET", "maxmemory", "1")

    _away(stand, checks, fill, lambda site: site.valkey.ask("CONFIG", "SET", "maxmemory", "0"))


def emptied(stand: Stand, checks: Checks) -> None:
    """It forgets everything, and is there: no more than twice a limit may pass in its minute."""
    site = stand.site("valkey", hosts=2)
    payer = site.payer(_CALLS)
    limited = site.payer(10_000, limits={"rpm": _RPM})
    with site.traffic() as load, site.traffic(payer=payer, clients=2) as paid, site.traffic(payer=limited) as much:
        time.sleep(2.0)
        site.valkey.ask("FLUSHALL")
        time.sleep(2.0)
    only(checks, "nobody notices", load, "200")
    passed = site.paid_calls(limited)
    checks.holds(f"a limit of {_RPM} lets {2 * _RPM} pass at most", passed <= 2 * _RPM, passed)
    budget(site, checks, payer, _CALLS, paid)
    books(site, checks, load, paid, much)


def _away(
    stand: Stand,
    checks: Checks,
    begin: Callable[[Site], object],
    end: Callable[[Site], object],
    *,
    probes: bool = False,
    times: float = 1.5,
) -> None:
    """Two hosts: each counts its share; budgets are in Postgres and stay exact; two log lines; back within 3 s."""
    site = stand.site("valkey", hosts=2)
    payer = site.payer(_CALLS)
    limited = site.payer(10_000, limits={"rpm": _RPM})
    counted = site.payer(1_000_000, limits={"rpm": 100_000})
    time.sleep(RENEW_SECONDS + 0.5)  # a host learns by then that it is not alone, and what its share is
    with (
        site.traffic(payer=counted, pause=0.15) as load,  # the upstream's journal keeps 5,000 calls
        site.traffic(payer=payer, clients=2, pause=0.2) as paid,
        site.traffic(payer=limited, clients=4) as much,
    ):
        time.sleep(1.5)
        asked = _connections(site) if probes else 0
        began = time.monotonic()
        begin(site)
        noticed = until(lambda: _statuses(site) == {"away"}, 10)
        checks.holds("both notice it", noticed < float("inf"), _statuses(site))
        open_at = time.monotonic()
        time.sleep(max(2.0, stand.outage - noticed))
        checks.holds("both are ready without it", {site.ready(each) for each in site.gateways} == {"200 ready"})
        end(site)
        ended = time.monotonic()
        back = until(lambda: _statuses(site) == {"ok"}, 30)
        checks.within(f"both count together within {RECOVERY_SECONDS:.0f} s", back, RECOVERY_SECONDS)
        until(lambda: site.paid_calls(payer) >= _CALLS, 30, 0.3)
    checks.figure(f"away for {ended - began:.0f} s, noticed after {noticed:.2f} s, back after {back:.2f} s")
    only(checks, "whom no limit stops is served throughout", load, "200")
    slow = sorted(each.seconds for each in load.between(open_at, ended))
    checks.figure(f"answers meanwhile: p50 {_quantile(slow, 0.5)}, p99 {_quantile(slow, 0.99)}")
    minutes = int((time.monotonic() - much.entries[0].began) // 60) + 1
    passed = site.paid_calls(limited)
    most = int(times * _RPM) * minutes
    checks.holds(f"a limit of {_RPM} a minute lets {most} pass in {minutes} min", passed <= most, passed)
    only(checks, "whom it stops is told so", much, "200", "429 rate_limit_exceeded")
    budget(site, checks, payer, _CALLS, paid)
    books(site, checks, load, paid, much)
    told(checks, site, AWAY, 1)
    told(checks, site, BACK, 1)
    if probes:
        most = len(site.gateways) * (int((ended - began) / PROBE_SECONDS) + UNTIL_OPEN)
        tried = _connections(site) - asked
        checks.holds(f"it is asked at most {most} times by both", 0 < tried <= most, tried)
        checks.figure(f"asked {tried} times meanwhile, at most {most}")


def _connections(site: Site) -> int:
    """How many it has taken: while it stands still each call that waits for it makes one, and none waits longer."""
    stats = site.valkey.ask("INFO", "stats")
    return int(stats["total_connections_received"]) if isinstance(stats, dict) else 0


def _statuses(site: Site) -> set[str]:
    return {str(site.health(each)["limits"]["status"]) for each in site.gateways}


def _quantile(ordered: list[float], share: float) -> str:
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000:.0f} ms" if ordered else "none"


_PROMISE: Final = (
    "each host counts its share: at most 1.5 times a limit; budgets exact; two log lines; back within 3 s (R-27)"
)

_FORGETS: Final = (
    "as where it is frozen; what it forgot may pass once more: at most twice a limit, where P-07 wants 1.5"
)

CASES: Final = (
    Case("valkey-frozen", "SIGSTOP of Valkey under load, two hosts", _PROMISE, frozen, short=True),
    Case("valkey-killed", "kill -9 of Valkey under load, started again empty", _FORGETS, killed),
    Case("valkey-read-only", "Valkey becomes a replica under load: it answers, and may not write", _PROMISE, replica),
    Case("valkey-full", "Valkey's memory is full under load", _PROMISE, full),
    Case("valkey-emptied", "FLUSHALL under load", "nobody notices; a limit passes twice at most", emptied),
)
