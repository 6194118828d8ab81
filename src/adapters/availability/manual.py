"""The policy of people who watch their quotas: a key that was limited stays aside until someone retries it (A5)."""

from collections.abc import Sequence

from typing_extensions import override

from adapters.availability.learned import LearnedAvailability
from domain.availability import RateLimitWindow


class ManualAvailability(LearnedAvailability):
    """`OMG_AVAILABILITY=manual`.

    After a rate-limit error the key is unavailable until a person retries or changes it, whatever
    `retry-after` says, and across restarts. A key without quota comes back at the reset its provider
    stated, and where it stated none only by a retry. Budgets reported in headers are left to the person.
    """

    @override
    def wait_after_rate_limit(
        self, stated_seconds: float | None, strikes: int, first_seconds: float | None = None
    ) -> float | None:
        return None

    @override
    def wait_after_exhaustion(self, stated_seconds: float | None) -> float | None:
        return stated_seconds

    @override
    def wait_for_windows(self, limits: Sequence[RateLimitWindow]) -> float | None:
        return None
