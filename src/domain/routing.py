"""Where a request may go."""

import msgspec

from domain.providers import Provider
from domain.timeouts import Timeouts


class Candidate(msgspec.Struct, frozen=True):
    """One deployment the router proposes: a provider, and the model to ask it for."""

    provider: Provider
    model: str
    timeouts: Timeouts
    context_window: int | None = None


class ProviderPreferences(msgspec.Struct, frozen=True):
    """The body's `provider` field: read by the gateway, never forwarded."""

    order: list[str] | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    allow_fallbacks: bool = True
