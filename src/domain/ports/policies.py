"""Decisions asked on every request: synchronous, in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.availability import KeyState, RateLimitWindow
from domain.errors import UpstreamFailure


class AvailabilityPolicy(Protocol):
    """Which provider keys, models and providers may be asked now, learned from what they answered.

    A deployment without a key is asked about under the key id `keyless:{provider_id}`.
    """

    def key_state(self, key_id: str) -> KeyState:
        """The key's state at this moment: a wait that has passed reads as available."""
        ...

    def model_present(self, provider_id: str, model: str) -> bool:
        """False for five minutes after the provider said it has no such model."""
        ...

    def healthy(self, provider_id: str) -> bool:
        """False while too many calls in a row have failed; one probe at a time passes after the wait."""
        ...

    def unhealthy_until(self, provider_id: str) -> datetime | None:
        """When the next probe may pass, None while healthy."""
        ...

    def record_success(self, provider_id: str, key_id: str, limits: Sequence[RateLimitWindow]) -> None:
        """A call was answered; a window with nothing remaining makes the key wait for its reset."""
        ...

    def record_failure(self, provider_id: str, key_id: str, model: str, failure: UpstreamFailure) -> None:
        """A call failed; the effect on availability is the contract's table."""
        ...

    def retry_key(self, key_id: str) -> None:
        """Someone asked to try this key again: it is available."""
        ...

    def retry_provider(self, provider_id: str, key_ids: Sequence[str]) -> None:
        """The same for a provider with all its keys, its absent models and its health."""
        ...

    def forget_key(self, key_id: str) -> None:
        """The key is gone or its secret changed."""
        ...

    def restore(self, states: Mapping[str, KeyState]) -> None:
        """Take up the states stored before a restart."""
        ...

    def drain_changes(self) -> Sequence[KeyState]:
        """States changed since the last call, newest only, for the store to keep."""
        ...
