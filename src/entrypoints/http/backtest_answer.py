"""How a backtest is asked for and answered."""

import msgspec

from application.decisions.backtest import Backtested, Figures, Prices
from domain.money import usd
from domain.routes import RoutePolicy


class BacktestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """`policy` has the fields of a route without its alias; `from` and `to` are dates, or times with an offset."""

    policy: RoutePolicy
    from_: str | None = None
    to: str | None = None
    prices: Prices = "then"


class FiguresAnswer(msgspec.Struct, frozen=True):
    """The cost of all, the average of their latencies, and how many failed; null is not known."""

    cost_usd: str | None
    latency_ms: float | None
    failures: float | None


class MoveAnswer(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Requests that would have gone elsewhere; `to` is null where no target was left for them."""

    from_: str | None
    to: str | None
    requests: int
    cost_delta_usd: str | None


class BacktestAnswer(msgspec.Struct, frozen=True):
    """`requests` were replayed; `moved` of them would have been served by another deployment."""

    requests: int
    moved: int
    unknown: int
    before: FiguresAnswer
    after: FiguresAnswer
    moves: tuple[MoveAnswer, ...]


def backtest_answer(found: Backtested) -> BacktestAnswer:
    moves = tuple(
        MoveAnswer(each.source or None, each.target or None, each.requests, _usd(each.cost_delta_nano_usd))
        for each in found.moves
    )
    return BacktestAnswer(
        found.requests, found.moved, found.unknown, _figures(found.before), _figures(found.after), moves
    )


def _figures(found: Figures) -> FiguresAnswer:
    return FiguresAnswer(_usd(found.cost_nano_usd), found.latency_ms, found.failures)


def _usd(nano_usd: int | None) -> str | None:
    return None if nano_usd is None else usd(nano_usd)
