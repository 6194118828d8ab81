"""Processes of the gateway that are killed, frozen or stopped under load."""

import random
import signal
import time
from functools import partial
from typing import Final

import psutil
from tests.e2e.processes import Gateway

from bench.faults.case import Case, Checks
from bench.faults.checking import books, budget, only
from bench.faults.stand import Site, Stand, until

OWNS: Final = "background work taken over"
TAKE_OVER_SECONDS: Final = 15.0


def killed(stand: Stand, checks: Checks) -> None:
    """kill -9 of the only process, again and again."""
    site = stand.site()
    chance = random.Random(20261130)
    with site.traffic(clients=8) as load:
        for _ in range(stand.kills):
            time.sleep(chance.uniform(0.2, 0.9))
            site.first.process.kill()
            site.first.process.wait()
            site.first.start_again()
            site.first.wait_until_answering(f"{site.first.url}/health/ready")
        time.sleep(0.5)
    checks.figure(f"{stand.kills} kills")
    only(checks, "answers are whole or missing, never wrong", load, "200", "0")
    books(site, checks, load)


def worker_killed(stand: Stand, checks: Checks) -> None:
    """kill -9 of single workers of two, with a budget that all share."""
    site = stand.site("postgres", workers=2)
    calls = 60
    payer = site.payer(calls)
    with site.traffic(clients=6) as load, site.traffic(payer=payer, clients=3) as paid:
        for _ in range(max(2, stand.kills // 4)):
            time.sleep(1.0)
            victim = _workers(site.first)[0]
            victim.kill()
            back = until(partial(_replaced, site.first, victim), 60)
            checks.holds("a killed worker is replaced", back < float("inf"))
            checks.holds("the others are ready meanwhile", site.ready() == "200 ready")
        until(lambda: site.paid_calls(payer) >= calls, 30, 0.3)
    only(checks, "answers are whole or missing, never wrong", load, "200", "0")
    budget(site, checks, payer, calls, paid)
    books(site, checks, load, paid)


def owner_killed(stand: Stand, checks: Checks) -> None:
    """kill -9 of the owner of the background work, of two hosts."""
    site = stand.site("postgres", hosts=2)
    until(lambda: _owner(site) is not None, 20)
    first = _owner(site)
    (owner,) = [each for each in site.gateways if OWNS in each.output]
    other = next(each for each in site.gateways if each is not owner)
    with site.traffic() as load:
        time.sleep(1.0)
        owner.process.kill()
        owner.process.wait()
        took = until(lambda: _owner(site) not in {None, first}, 60)
        checks.within(f"another owns it within {TAKE_OVER_SECONDS:.0f} s", took, TAKE_OVER_SECONDS)
        checks.holds("and says so", until(lambda: OWNS in other.output, 10) < float("inf"))
        checks.holds("it is ready", site.ready(other) == "200 ready")
        owner.start_again()
        owner.wait_until_answering(f"{owner.url}/health/ready")
        time.sleep(0.5)
    checks.figure(f"another owned it after {took:.1f} s")
    only(checks, "answers are whole or missing, never wrong", load, "200", "0")
    books(site, checks, load)


def host_frozen(stand: Stand, checks: Checks) -> None:
    """SIGSTOP of one of two hosts, longer than its lease; then it goes on."""
    site = stand.site("postgres", hosts=2)
    calls = 100
    payer = site.payer(calls)
    until(lambda: _owner(site) is not None, 20)
    first = _owner(site)
    (owner,) = [each for each in site.gateways if OWNS in each.output]
    other = next(each for each in site.gateways if each is not owner)
    with site.traffic() as load, site.traffic(payer=payer, clients=4, pause=0.3) as paid:
        time.sleep(1.0)
        owner.process.send_signal(signal.SIGSTOP)
        stand.at_the_end(lambda: owner.process.send_signal(signal.SIGCONT))
        took = until(lambda: _owner(site) not in {None, first}, 60)
        checks.within(f"another owns its work within {TAKE_OVER_SECONDS:.0f} s", took, TAKE_OVER_SECONDS)
        checks.holds("the other is ready", site.ready(other) == "200 ready")
        time.sleep(2.0)
        owner.process.send_signal(signal.SIGCONT)
        checks.holds("it is ready again", until(lambda: site.ready(owner) == "200 ready", 10) < float("inf"))
        until(lambda: site.paid_calls(payer) >= calls, 30, 0.3)
    checks.figure(f"another owned its work after {took:.1f} s")
    only(checks, "every request of both is answered", load, "200")
    budget(site, checks, payer, calls, paid)
    books(site, checks, load, paid)


def stopped(stand: Stand, checks: Checks) -> None:
    """SIGTERM with streams under way, then another start."""
    site = stand.site(OMG_GRACE_SECONDS="0.3", OMG_DRAIN_SECONDS="2")
    with site.traffic(clients=12, pause=0.01) as load:
        time.sleep(1.0)
        code = site.first.stop()
        site.first.start_again()
        site.first.wait_until_answering(f"{site.first.url}/health/ready")
        time.sleep(0.5)
    checks.holds("it ends with 0", code == 0, code)
    only(checks, "what came after the signal is told so", load, "200", "0", "503 shutting_down")
    books(site, checks, load)


def _owner(site: Site) -> str | None:
    ends = "SELECT holder FROM leases WHERE ends_at > extract(epoch FROM clock_timestamp()) * 1000"
    found = site.query(ends)
    return str(found[0][0]) if found else None


def _replaced(gateway: Gateway, victim: psutil.Process) -> bool:
    return victim.pid not in {each.pid for each in _workers(gateway)} and len(_workers(gateway)) == 2


def _workers(gateway: Gateway) -> list[psutil.Process]:
    """The processes that serve, without multiprocessing's own."""
    alive = []
    for child in psutil.Process(gateway.process.pid).children():
        try:
            if child.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(child.cmdline()):
                alive.append(child)
        except psutil.NoSuchProcess:
            continue
    return alive


CASES: Final = (
    Case(
        "gateway-killed",
        "kill -9 of the only process under load, again and again",
        "every answer that a client has whole is in the ledger once; it is ready again after each start (P-01)",
        killed,
        short=True,
    ),
    Case(
        "worker-killed",
        "kill -9 of a worker of two under load",
        "it is replaced, readiness stays, no record is lost, the common budget is not passed (P-06)",
        worker_killed,
    ),
    Case(
        "owner-killed",
        "kill -9 of the host that owns the background work",
        "another owns it within 15 s; what the dead one had written is booked",
        owner_killed,
    ),
    Case(
        "host-frozen",
        "SIGSTOP of one host of two for longer than its lease, then SIGCONT",
        "another owns its work within 15 s; when it goes on nothing is lost, doubled or overspent",
        host_frozen,
    ),
    Case(
        "gateway-stopped",
        "SIGTERM under load, with streams under way",
        "it ends with 0 and loses nothing (P-02)",
        stopped,
    ),
)
