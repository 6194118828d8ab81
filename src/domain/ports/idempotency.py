"""Port to answers that are kept under the key that a client chose, so that a retry gets them again (P-13)."""

from typing import Literal, Protocol

import msgspec

KEPT_SECONDS = 86_400


class KeptAnswer(msgspec.Struct, frozen=True):
    """An answer as it was sent: of a stream all its events."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Claim(msgspec.Struct, frozen=True):
    """What became of asking for a key.

    `claimed`: it is the caller's now, who must `keep` or `release` it. `running`: another request has it. `done`: its
    `answer` is here. `lost`: it was asked for, and there is no answer to give: too large, cut short, unreadable, or its
    process died. `fingerprint` is of the request that has it.
    """

    state: Literal["claimed", "running", "done", "lost"]
    fingerprint: str
    answer: KeptAnswer | None = None


class KeptTotals(msgspec.Struct, frozen=True):
    """Of all processes: answers that are kept, how many bytes they take, and how often one was given again."""

    answers: int = 0
    bytes: int = 0
    replays: int = 0


class IdempotencyStore(Protocol):
    """Keys of the last 24 hours, shared by all processes. All raise `StoreUnavailable`."""

    async def claim(self, key: str, fingerprint: str) -> Claim:
        """Take the key, or learn who has it: of callers at the same time one takes it. A claim lasts while its process
        calls `renew`, and half a minute longer."""
        ...

    async def keep(self, key: str, answer: KeptAnswer | None) -> None:
        """The claimed request has ended with this; None: with something that cannot be given again."""
        ...

    async def release(self, key: str) -> None:
        """Nothing was done under the key: whoever asks next may claim it."""
        ...

    async def replayed(self, key: str) -> None:
        """The answer was given again: it is counted."""
        ...

    async def renew(self) -> None:
        """Called every ten seconds: keeps this process's claims, and lets go what is old or too much."""
        ...

    async def totals(self) -> KeptTotals: ...
