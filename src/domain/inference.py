"""What the pipeline asks of a request, whatever its endpoint."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.routing import ProviderPreferences

Json = msgspec.Raw
"""Opaque JSON, forwarded untouched."""

ModelName = Annotated[str, Meta(min_length=1, max_length=512)]


class InferenceRequest(msgspec.Struct, kw_only=True):
    """A decoded request body: the fields every endpoint has. Those after `model` are the gateway's own."""

    model: ModelName
    models: list[str] | None = None  # further candidates
    provider: ProviderPreferences | None = None
    task: str | None = None
    priority: str | None = None
    latency: str | None = None

    @property
    def streams(self) -> bool:
        """Whether the client wants its answer as it is made."""
        return False

    @property
    def turns(self) -> int:
        """How many messages a chat template wraps; 0 where none does."""
        return 0

    @property
    def token_ids(self) -> int:
        """How many tokens of the prompt came as ids, besides its texts."""
        return 0

    @property
    def include_usage(self) -> bool:
        """Whether the client wants a stream's usage chunk."""
        return False

    def prompt_texts(self) -> Iterable[str]:
        """The texts the model reads, for an estimate of their tokens."""
        return ()


GATEWAY_FIELDS = frozenset({"models", "provider", "task", "priority", "latency"})
"""Fields of a request that are the gateway's own: read, and never forwarded."""
