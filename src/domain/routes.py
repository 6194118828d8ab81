"""Routes: an alias that clients name in `model`, and which deployments answer for it."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from domain.failover import FailureKind
from domain.providers import Owner
from domain.tasks import Task

MAX_TARGETS: Final = 500

Strategy = Literal["priority", "weighted", "least_latency", "lowest_cost"]
Tokens = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Named = tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...]


class FallbackCause(StrEnum):
    """Why the next target of a route is asked."""

    ERROR = "error"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    CONTEXT_WINDOW = "context_window"
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    SPEND_CAP = "spend_cap"
    CONTENT_POLICY = "content_policy"
    REFUSAL = "refusal"


USUAL_CAUSES = frozenset(FallbackCause) - {FallbackCause.CONTENT_POLICY, FallbackCause.REFUSAL}
"""Those of a route that names none: what a model, or its provider's rules, will not say is not asked of another."""


_ERROR, _LIMIT, _CANNOT = FallbackCause.ERROR, FallbackCause.RATE_LIMIT, FallbackCause.UNSUPPORTED_PARAMETER

CAUSES: dict[FailureKind, FallbackCause | None] = {
    FailureKind.CONNECT: _ERROR,
    FailureKind.LOCAL_SHORTAGE: _ERROR,
    FailureKind.SERVER_ERROR: _ERROR,
    FailureKind.OVERLOADED: _ERROR,
    FailureKind.RATE_LIMITED: _LIMIT,
    FailureKind.QUOTA_EXHAUSTED: _LIMIT,
    FailureKind.OVER_ALLOWANCE: _LIMIT,
    FailureKind.INVALID_CREDENTIAL: _ERROR,
    FailureKind.ADDRESS_REFUSED: _ERROR,
    FailureKind.MODEL_ABSENT: _ERROR,
    FailureKind.MODEL_BLOCKED: _ERROR,
    FailureKind.CONTEXT_LENGTH: FallbackCause.CONTEXT_WINDOW,
    FailureKind.CLIENT_FAULT: None,
    FailureKind.CONTENT_POLICY: FallbackCause.CONTENT_POLICY,
    FailureKind.FEATURE_REFUSED: _CANNOT,
    FailureKind.ADDED_FIELD_REFUSED: _CANNOT,
    FailureKind.UNEXPECTED_ANSWER: _ERROR,
    FailureKind.UNSUPPORTED: _CANNOT,
    FailureKind.TIMEOUT: FallbackCause.TIMEOUT,
    FailureKind.TRUNCATED: _ERROR,
    FailureKind.AFTER_CONTENT: None,
}
"""As which of a route's `fallback_on` each counts; None leads nowhere. A limit of money is `spend_cap` instead."""


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """For which requests a target is there. All that is given must hold; None asks nothing.

    `tenants` and `keys` are ids; of `tags` and `tasks` one must be the request's. The tokens are the prompt's, as
    estimated, both ends included. `hours` are spans such as `22:00-06:00`, of the clock of `timezone`.
    """

    tenants: Named | None = None
    keys: Named | None = None
    tags: Named | None = None
    tasks: tuple[Task, ...] | None = None
    min_input_tokens: Tokens | None = None
    max_input_tokens: Tokens | None = None
    hours: str | tuple[str, ...] | None = None
    timezone: Annotated[str, Meta(max_length=64)] = "UTC"


MOCK_PROVIDER: Final = "mock"
"""What mocks are booked under, as their provider; no provider may have this id."""


class Mock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a target answers by itself: nobody is asked, and it costs nothing.

    With a `status` it fails with that, `text` being the message, and leads where a provider's failure would.
    """

    text: Annotated[str, Meta(max_length=65_536)] = "This is a mock answer: no model was asked."
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    delay_seconds: Annotated[float, Meta(ge=0, le=600)] = 0.0  # before the answer, or the failure


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A deployment of a route. Without a `provider` it is whatever `model` means by itself, at every provider.

    `weight` is its share under `weighted`; 0 leaves it to be the last resort. A `mock` has no provider, and answers
    under the name `model`.
    """

    model: Annotated[str, Meta(min_length=1, max_length=512)]
    provider: Annotated[str, Meta(max_length=63)] = ""
    weight: Annotated[float, Meta(ge=0, le=1_000_000)] = 1.0
    when: When | None = None
    successor: bool = False  # whether the model's successor takes over once it has ended
    mock: Mock | None = None


class Require(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What every target must be known to keep. A deployment of which it is not known does not keep it.

    `regions`: where a provider may keep what it is sent; all of its own must be among them.
    """

    capabilities: Named = ()
    regions: Named = ()
    no_training: bool = False


class RoutePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a route does. `fallback_on` of None is every cause but `content_policy` and `refusal`.

    `baseline` is `provider/model`, `holdout_share` the share of requests that go there to measure savings by.
    """

    strategy: Strategy = "priority"
    targets: Annotated[tuple[Target, ...], Meta(min_length=1, max_length=MAX_TARGETS)]
    fallback_on: tuple[FallbackCause, ...] | None = None
    require: Require | None = None
    affinity: bool = False
    baseline: Annotated[str, Meta(min_length=3, max_length=640)] | None = None
    holdout_share: Annotated[float, Meta(ge=0, le=1)] = 0.0

    @property
    def mocked(self) -> Sequence[str]:
        """The names under which its mocks answer."""
        return [target.model for target in self.targets if target.mock is not None]


class Route(msgspec.Struct, frozen=True):
    """A route as stored or declared. `version` grows with each change, and decisions name it."""

    alias: str
    policy: RoutePolicy
    owner: Owner
    version: int
    created_at: datetime
    updated_at: datetime


ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
"""What can be an alias: it stands in a path, so there is no slash in it."""

_SPAN = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?::(\d{2}))?")


def spans_of(hours: str | tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Minutes of the day, from and until; one that ends before it begins goes over midnight. Raises `ValueError`."""
    for text in hours.split(",") if isinstance(hours, str) else hours:
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"'{text}' is no span of hours: write 08:00-18:00.")
        start, end = (int(found[i]) * 60 + int(found[i + 1] or 0) for i in (1, 3))
        if start >= 1440 or end > 1440 or int(found[2] or 0) > 59 or int(found[4] or 0) > 59:
            raise ValueError(f"'{text}' is no span of hours: a day has 24 of 60 minutes.")
        yield start, end
