"""Port to what makes one whole answer of a stream of events."""

from typing import Protocol


class Gatherer(Protocol):
    """One answer in the making. Blocks are whole server-sent events, as clients of the endpoint read them."""

    def add(self, block: bytes) -> None:
        """Take the next block. What is no event of the format is passed over."""
        ...

    def answer(self, *, cut: bool) -> bytes:
        """The whole answer as JSON. Where it was `cut`, it says that it ended by its length."""
        ...


class Gatherers(Protocol):
    """Makes gatherers, by the name that an endpoint has in the records."""

    def knows(self, endpoint: str) -> bool:
        """Whether answers of the endpoint can be gathered."""
        ...

    def of(self, endpoint: str) -> Gatherer:
        """A new one. Only of endpoints that it `knows`."""
        ...
