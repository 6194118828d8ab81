"""What a candidate of `auto` is worth for one request: one figure of five parts, each from 0 to 1.

| part | 1 is | half is |
| --- | --- | --- |
| quality | the best there is at the task | the middle of the models compared |
| cost | free | the median of the candidates |
| latency | at once | `USUAL_FIRST_TOKEN_MS`, or whole answers of `USUAL_ANSWER_MS` |
| health | no cause for doubt | may be asked once, to see |
| cache | the whole prompt is in its cache | half of it |

The score is their weighted mean. A part of which nothing is known counts as half, alike for all.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from domain.routing import ScoreParts
from domain.tasks import Latency, Priority, Task

USUAL_FIRST_TOKEN_MS: Final = 600.0
USUAL_ANSWER_MS: Final = 4_000.0

UNKNOWN: Final = 0.5


class Weights(msgspec.Struct, frozen=True):
    """How much each part counts; together they need not be 1."""

    quality: float
    cost: float
    latency: float
    health: float = 0.15
    cache: float = 0.05


_BY_PRIORITY: Final[Mapping[Priority, tuple[float, float]]] = {
    "cost": (0.30, 0.70),
    "balanced": (0.62, 0.38),
    "quality": (0.95, 0.05),
}
"""Quality and cost."""

_BY_LATENCY: Final[Mapping[Latency, float]] = {"low": 0.60, "normal": 0.08, "relaxed": 0.0}

_NEED: Final[Mapping[Task | None, float]] = {
    Task.CHAT: 0.55,
    Task.SUMMARIZATION: 0.55,
    Task.TRANSLATION: 0.65,
    Task.IMAGE: 0.8,
    Task.CODING: 1.25,
    Task.AGENT_STEP: 1.25,
    Task.REASONING: 1.5,
    None: 1.5,
}
"""How much a better model matters: small talk is served by nearly all, a proof is not. What was not read, is hard."""


def weights_for(task: Task | None, priority: Priority, latency: Latency) -> Weights:
    quality, cost = _BY_PRIORITY[priority]
    need = _NEED[task] if priority == "balanced" else 1.0
    return Weights(quality * need, cost, _BY_LATENCY[latency])


def strength_at(task: Task | None, strengths: Mapping[Task, float]) -> float:
    """How good a model is at a task; at what nobody could read, how good it is at all of them on average."""
    if task is not None:
        return strengths[task]
    texts = [value for each, value in strengths.items() if each is not Task.IMAGE]
    return sum(texts) / len(texts)


class Estimate(msgspec.Struct, frozen=True):
    """What is known of a candidate for one request. None is not known.

    `cost_nano_usd` is of the request's tokens, those in a cache at the cache's price; `cached_share` of the prompt.
    """

    quality: float
    quality_assumed: bool = False
    cost_nano_usd: int | None = None
    first_token_ms: float | None = None
    answer_ms: float | None = None
    health: float = 1.0
    cached_share: float = 0.0


def scored(estimates: Sequence[Estimate], weights: Weights) -> list[tuple[float, ScoreParts]]:
    """Beside the estimates, by index. The cost of each is seen against the median of all."""
    costs = [each.cost_nano_usd for each in estimates if each.cost_nano_usd is not None]
    usual = median(costs) if costs else 0
    return [_scored(each, weights, usual) for each in estimates]


def _scored(estimate: Estimate, weights: Weights, usual_cost: float) -> tuple[float, ScoreParts]:
    cost = None if estimate.cost_nano_usd is None else _against(estimate.cost_nano_usd, usual_cost)
    parts = ScoreParts(
        quality=estimate.quality,
        cost=cost,
        latency=_latency(estimate),
        health=estimate.health,
        cache=estimate.cached_share,
        quality_assumed=estimate.quality_assumed,
    )
    total = (
        weights.quality * estimate.quality
        + weights.cost * (UNKNOWN if cost is None else cost)
        + weights.latency * (UNKNOWN if parts.latency is None else parts.latency)
        + weights.health * estimate.health
        + weights.cache * estimate.cached_share
    )
    whole = weights.quality + weights.cost + weights.latency + weights.health + weights.cache
    return round(total / whole, 4), parts


def _latency(estimate: Estimate) -> float | None:
    if estimate.first_token_ms is not None:
        return _against(estimate.first_token_ms, USUAL_FIRST_TOKEN_MS)
    return _against(estimate.answer_ms, USUAL_ANSWER_MS) if estimate.answer_ms is not None else None


def _against(value: float, usual: float) -> float:
    """1 for nothing, a half for the usual, towards 0 for ever more."""
    return round(usual / (value + usual), 4) if usual > 0 else 1.0 if value == 0 else 0.0
