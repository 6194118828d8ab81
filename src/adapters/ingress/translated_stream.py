"""A chat's stream translated into another format's events."""

from abc import abstractmethod
from collections.abc import AsyncIterator

from typing_extensions import override

from adapters.wire.sse import EVENT_STREAM
from domain.ports.providers import ProviderStream


class TranslatedStream(ProviderStream):
    """Owns `chat` until it is closed; knows of the answer what the chat's stream knows."""

    def __init__(self, chat: ProviderStream, dropped_params: tuple[str, ...], ending: bytes = b"") -> None:
        self.content_type = EVENT_STREAM
        self.ending = ending
        self.limits = chat.limits
        self.dropped_params = dropped_params
        self._chat = chat
        self._note()

    @abstractmethod
    def _feed(self, chunks: bytes) -> bytes:
        """The events that some of the chat's chunks become."""

    @abstractmethod
    def _finish(self) -> bytes:
        """The events that follow a complete chat. May set `ending`."""

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunks in self._chat:
                events = self._feed(chunks)
                self._note()
                if events:
                    yield events
        finally:
            self._note()  # what was counted before it broke
        events = self._finish()
        if events:
            yield events

    @override
    def output_text(self) -> str:
        return self._chat.output_text()

    @override
    async def aclose(self) -> None:
        await self._chat.aclose()

    def _note(self) -> None:
        self.model = self._chat.model
        self.usage = self._chat.usage
        self.has_content = self._chat.has_content
        self.output_bytes = self._chat.output_bytes
