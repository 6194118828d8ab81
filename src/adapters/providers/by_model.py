"""One capability that is several: which of them serves is decided by the call's model and key."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from typing_extensions import override

from domain.inference import InferenceRequest
from domain.keys import ProviderKey
from domain.ports.providers import Answering, ProviderAnswer, ProviderCall, ProviderStream, Streaming

R = TypeVar("R", bound=InferenceRequest)


class Whole(Answering[R], Streaming[R], Protocol[R]):
    """Answers whole and as a stream."""


class AnsweringByModel(Answering[R], Generic[R]):
    """For what only answers whole. `choose` may raise `UpstreamFailure`."""

    def __init__(self, choose: Callable[[str, ProviderKey | None], Answering[R]]) -> None:
        self._choose_answering = choose

    @override
    async def complete(self, call: ProviderCall[R]) -> ProviderAnswer:
        return await self._choose_answering(call.model, call.key).complete(call)


class ByModel(AnsweringByModel[R], Streaming[R], Generic[R]):
    """For what streams too: chat, messages, images."""

    def __init__(self, choose: Callable[[str, ProviderKey | None], Whole[R]]) -> None:
        super().__init__(choose)
        self._choose = choose

    @override
    async def stream(self, call: ProviderCall[R]) -> ProviderStream:
        return await self._choose(call.model, call.key).stream(call)
