"""Where a request may go, and what decided it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from domain.providers import Provider
from domain.routes import FallbackCause, Mock
from domain.tasks import Task
from domain.timeouts import Timeouts

AUTO_MODEL = "auto"
"""What stands for a model of the gateway's choice."""


class Candidate(msgspec.Struct, frozen=True):
    """One deployment the router proposes: a provider, and the model to ask it for.

    `weight` is its share among candidates of the same rank; `reason` says why it is in the plan.
    """

    provider: Provider
    model: str
    timeouts: Timeouts
    context_window: int | None = None
    weight: float = 1.0
    reason: str = ""
    service_tier: str = ""  # asked for in the client's place: `flex`
    capabilities: frozenset[str] | None = None  # None: nobody says what the model can do
    mock: Mock | None = None  # what it answers by itself, without its provider


class TaskReading(msgspec.Struct, frozen=True):
    """What a request is taken to be for. `name` is None where whoever read it was not sure enough."""

    name: Task | None
    confidence: float
    source: Literal["request", "heuristic", "model"]


class ScoreParts(msgspec.Struct, frozen=True):
    """What a candidate's score is made of, each from 0 to 1; None where nothing is known of it."""

    quality: float | None = None
    cost: float | None = None
    latency: float | None = None
    health: float | None = None
    cache: float | None = None
    quality_assumed: bool = False  # the median, in place of a figure that nobody has


class Passed(msgspec.Struct, frozen=True):
    """A deployment that is not among the candidates, and the rule that left it out.

    `excluded_by` is `capability:tools`, `context_window`, `region`, `no_training`, `retired`, `not_allowed`,
    `when:tenants` …
    """

    provider_id: str
    model: str
    excluded_by: str


class Policy(msgspec.Struct, frozen=True):
    """What made a plan. `scores` stand beside the plan's candidates, by index, and are () where nothing was scored.

    `affinity` says why the order was changed or kept for a conversation's sake (`stay:tool_loop`, `switch:down`), and
    is empty where it was not looked at. `fallback_on` of None is what holds for a request without a route.
    """

    route: str  # an alias, "auto", or empty where a plan without a route left deployments out
    strategy: Literal["priority", "weighted", "least_latency", "lowest_cost", "auto"]
    version: int = 0
    fallback_on: frozenset[FallbackCause] | None = None
    passed: tuple[Passed, ...] = ()
    scores: tuple[tuple[float | None, ScoreParts | None], ...] = ()
    task: TaskReading | None = None
    baseline: str | None = None  # `provider/model`
    holdout: bool = False
    affinity: str = ""
    pictured: bool = False  # its candidates make pictures, which a chat's message is to hold
    conversation: str = ""  # under which who serves it is remembered; empty where nobody is
    turns: int = 0  # messages of it that the request has, where other processes may serve the next
    tells: bool = False  # it may go on, and other processes may serve that
    loops: bool = False  # its answer may be a call whose result comes to another process


class Plan(msgspec.Struct, frozen=True):
    """The deployments that may serve a request, in the order to try them.

    `policy` is None for a request that names one model and no route, where nothing else was decided.
    """

    candidates: Sequence[Candidate]
    policy: Policy | None = None


class ProviderPreferences(msgspec.Struct, frozen=True):
    """The body's `provider` field: read by the gateway, never forwarded."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    allow_fallbacks: bool = True
