"""A capability whose part is done by another one, chosen for each call: by its model or key, or made by the first."""

from collections.abc import Callable
from functools import cache
from typing import Generic, Protocol, TypeVar

from typing_extensions import override

from domain.inference import InferenceRequest
from domain.ports.providers import Answering, ProviderAnswer, ProviderCall, ProviderStream, Streaming

R = TypeVar("R", bound=InferenceRequest)


class Whole(Answering[R], Streaming[R], Protocol[R]):
    """Answers whole and as a stream."""


class ChosenAnswering(Answering[R], Generic[R]):
    """For what only answers whole. `choose` may raise `UpstreamFailure`."""

    def __init__(self, choose: Callable[[ProviderCall[R]], Answering[R]]) -> None:
        self._choose_answering = choose

    @override
    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer:
        return await self._choose_answering(call).complete(call)


class Chosen(ChosenAnswering[R], Streaming[R], Generic[R]):
    """For what streams too: chat, messages, images."""

    def __init__(self, choose: Callable[[ProviderCall[R]], Whole[R]]) -> None:
        super().__init__(choose)
        self._choose = choose

    @override
    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        return await self._choose(call).stream(call)


def late(make: Callable[[], Whole[R]]) -> Chosen[R]:
    """What is made by the first call for it."""
    made = cache(make)
    return Chosen(lambda call: made())  # noqa: ARG005 - one for all


def late_answering(make: Callable[[], Answering[R]]) -> ChosenAnswering[R]:
    """The same, for what only answers whole."""
    made = cache(make)
    return ChosenAnswering(lambda call: made())  # noqa: ARG005 - one for all
