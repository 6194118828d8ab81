"""The port by which processes tell each other which deployment a conversation is with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Place(msgspec.Struct, frozen=True):
    """The deployment that served a conversation last. `conversation` is a digest, off which no text can be read."""

    conversation: str
    provider_id: str
    model: str
    tokens: int  # of the prompt that its cache has
    keeps_seconds: int  # for so long after its last use
    served_at: datetime


class ConversationPlaces(Protocol):
    """One place for each conversation, the same for all processes on a database. All raise `StoreUnavailable`."""

    async def tell(self, places: Sequence[Place]) -> None:
        """What is returned from is found by every process from now on, in place of what was told before."""
        ...

    async def find(self, conversation: str) -> Place | None:
        """None where nobody has told of it, or so long ago that it was forgotten."""
        ...

    async def forget(self, before: datetime) -> None:
        """Those that were served last before this moment."""
        ...
