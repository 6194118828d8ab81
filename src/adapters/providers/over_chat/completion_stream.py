"""The streams of several chats as one of a legacy completion, interleaved as their chunks come."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from typing_extensions import override

from adapters.dialects.legacy.answer import CompletionChunks, Head, usage_chunk
from adapters.providers.over_chat.sums import summed
from adapters.wire.chat_answer import usage_json
from adapters.wire.sse import EVENT_STREAM
from domain.errors import UpstreamFailure
from domain.ports.providers import ProviderStream
from domain.usage import TokenUsage

_Told = tuple[int, bytes | UpstreamFailure | None]


class CompletionStream(ProviderStream):
    """Owns its chats' streams. The first that fails is the failure of all."""

    def __init__(
        self,
        chats: Sequence[ProviderStream],
        chunks: Sequence[CompletionChunks],
        head: Head,
        dropped_params: tuple[str, ...],
        *,
        include_usage: bool,
    ) -> None:
        self.content_type = EVENT_STREAM
        self.limits = chats[-1].limits
        self.dropped_params = dropped_params
        self.ending = b"data: [DONE]\n\n"
        self._chats = chats
        self._chunks = chunks
        self._head = head
        self._include_usage = include_usage
        self._told: asyncio.Queue[_Told] = asyncio.Queue(maxsize=len(chats))
        self._readers: list[asyncio.Task[None]] = []
        self._note()

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            if len(self._chats) == 1:
                async for block in self._chats[0]:
                    told = self._chunks[0].feed(block)
                    self._note()
                    if told:
                        yield told
            else:
                async for told in self._interleaved():
                    yield told
        finally:
            self._note()  # what was counted before it broke
        if self._include_usage and self.usage is not None:
            yield usage_chunk(self._head, self.model, usage_json(self.usage))

    @override
    def output_text(self) -> str:
        return "\n".join(chat.output_text() for chat in self._chats)

    @override
    async def aclose(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await asyncio.shield(self._closed())

    async def _interleaved(self) -> AsyncIterator[bytes]:
        self._readers = [asyncio.ensure_future(self._read(place)) for place in range(len(self._chats))]
        open_chats = len(self._chats)
        while open_chats:
            place, told = await self._told.get()
            self._note()
            if isinstance(told, UpstreamFailure):
                raise told
            if told is None:
                open_chats -= 1
            elif told := self._chunks[place].feed(told):
                yield told

    async def _read(self, place: int) -> None:
        try:
            async for block in self._chats[place]:
                await self._told.put((place, block))
        except UpstreamFailure as failure:
            await self._told.put((place, failure))
        else:
            await self._told.put((place, None))

    async def _closed(self) -> None:
        await asyncio.gather(*self._readers, return_exceptions=True)
        for chat in self._chats:
            await chat.aclose()

    def _note(self) -> None:
        self.model = self._chats[0].model
        self.usage: TokenUsage | None = summed([chat.usage for chat in self._chats])
        self.has_content = any(chat.has_content for chat in self._chats)
        self.output_bytes = sum(chat.output_bytes for chat in self._chats)
