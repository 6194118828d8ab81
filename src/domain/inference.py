"""What the pipeline asks of a request, whatever its endpoint."""

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from domain.routing import ProviderPreferences

Json = msgspec.Raw
"""Opaque JSON, forwarded untouched."""

ModelName = Annotated[str, Meta(min_length=1, max_length=512)]


class InferenceRequest(msgspec.Struct, kw_only=True):
    """A decoded request body: the fields every endpoint has. Those after `model` are the gateway's own."""

    spends: ClassVar[bool] = True
    """Whether a model is asked. Where none is, neither lists of models nor budgets stand in its way."""

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
    def output_limit(self) -> int | None:
        """The most tokens that one answer may have: None where the request does not say, 0 where none are generated."""
        return 0

    @property
    def streamable(self) -> bool:
        """Whether the same answer can be had as a stream."""
        return True

    @property
    def outlives(self) -> bool:
        """Whether its answer is made on at the provider when nobody waits for it any more."""
        return False

    @property
    def media_tokens(self) -> int:
        """At most so many tokens are pictures, sound and files, as far as their size tells: what to hold for them."""
        return 0

    @property
    def units(self) -> Mapping[str, int]:
        """What of it is sold by the piece, by time (in milliseconds) or by length, as `PriceRow`s name it."""
        return {}

    @property
    def least_output(self) -> int:
        """The fewest tokens its maximum may be: a provider would refuse less."""
        return 1

    @property
    def answers(self) -> int:
        """How many answers it asks for at once."""
        return 1

    @property
    def include_usage(self) -> bool:
        """Whether the client wants a stream's usage chunk."""
        return False

    def prompt_texts(self) -> Iterable[str]:
        """The texts the model reads, for an estimate of their tokens."""
        return ()


GATEWAY_FIELDS = frozenset({"models", "provider", "task", "priority", "latency"})
"""Fields of a request that are the gateway's own: read, and never forwarded."""
