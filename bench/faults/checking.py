"""What is checked after every fault under load."""

from tests.e2e.processes import Gateway

from bench.faults.case import Checks
from bench.faults.stand import Payer, Site, until
from bench.faults.traffic import Traffic


def books(site: Site, checks: Checks, *journals: Traffic) -> None:
    """No answer without its record, none twice, sums and costs right, nothing that waits for ever."""
    checks.requests += sum(journal.answered() for journal in journals)
    checks.lost += site.missing(*journals)
    waited = until(lambda: not any(site.health(each)["usage"]["waiting_records"] for each in living(site)), 60)
    checks.holds("every record reaches the database", waited < float("inf"))
    checks.doubled += site.doubled()
    wrong = site.adds_up()
    checks.holds("the ledger adds up", not wrong, wrong[-300:])
    whole = sum(len(journal.whole()) for journal in journals)
    checks.holds("the load was served", whole > 0)


def living(site: Site) -> list[Gateway]:
    """The gateways whose process runs."""
    return [each for each in site.gateways if each.process.poll() is None]


def budget(site: Site, checks: Checks, payer: Payer, calls: int, journal: Traffic) -> None:
    """No more calls than it pays for, and nothing that stays held."""
    made = site.paid_calls(payer)
    checks.holds(f"the budget of {calls} calls is not passed", made <= calls, f"{made} calls")
    served = len(journal.whole())
    checks.holds("nobody was served without a call", served <= made, f"{served} served, {made} calls")
    left = until(lambda: site.held_usd(payer) == 0, 90, 0.5)
    checks.holds("nothing of the budget stays held", left < float("inf"), site.held_usd(payer))
    checks.figure(f"{made} of {calls} paid calls")


def only(
    checks: Checks, promise: str, journal: Traffic, *allowed: str, began: float = 0.0, ended: float = float("inf")
) -> None:
    """No other answers in this time than these: `200`, `503 store_unavailable`, `0` for no answer at all."""
    others = {each: count for each, count in journal.statuses(began, ended).items() if each not in allowed}
    samples = [journal.samples[each] for each in others if each in journal.samples]
    checks.holds(promise, not others, f"{others} {' '.join(samples)}")


def told(checks: Checks, site: Site, line: str, times: int) -> None:
    """A line of the log, so many times in each gateway."""
    for gateway in site.gateways:
        until(lambda gateway=gateway: gateway.output.count(line) >= times, 10)  # type: ignore[misc]  # of this turn
        found = gateway.output.count(line)
        checks.holds(f"the log says {line!r} {times} times", found == times, found)
