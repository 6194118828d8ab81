"""What the pipeline needs to know of each endpoint: its name in the records, and the capability that serves it."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from domain.ports.providers import (
    Capabilities,
    ChatProvider,
    CompletionProvider,
    EmbeddingProvider,
    ImageProvider,
    MessagesProvider,
    ModerationProvider,
    ResponsesProvider,
    SpeechProvider,
    TokenCountProvider,
    TranscriptionProvider,
)

P_co = TypeVar("P_co", covariant=True)


class Operation(msgspec.Struct, Generic[P_co], frozen=True):
    """One endpoint. `capability` takes from an upstream's capabilities what serves it, None where it cannot.

    `auto` is whether a provider's default model, which is one for chat, can serve it.
    """

    endpoint: str
    capability: Callable[[Capabilities], P_co | None]
    auto: bool = True


CHAT: Final[Operation[ChatProvider]] = Operation("chat.completions", lambda able: able.chat)
COMPLETIONS: Final[Operation[CompletionProvider]] = Operation("completions", lambda able: able.completions)
EMBEDDINGS: Final[Operation[EmbeddingProvider]] = Operation("embeddings", lambda able: able.embeddings, auto=False)
IMAGES: Final[Operation[ImageProvider]] = Operation("images.generations", lambda able: able.images, auto=False)
SPEECH: Final[Operation[SpeechProvider]] = Operation("audio.speech", lambda able: able.speech, auto=False)
TRANSCRIPTIONS: Final[Operation[TranscriptionProvider]] = Operation(
    "audio.transcriptions", lambda able: able.transcriptions, auto=False
)
MODERATIONS: Final[Operation[ModerationProvider]] = Operation("moderations", lambda able: able.moderations, auto=False)
RESPONSES: Final[Operation[ResponsesProvider]] = Operation("responses", lambda able: able.responses)
MESSAGES: Final[Operation[MessagesProvider]] = Operation("messages", lambda able: able.messages)
TOKEN_COUNTS: Final[Operation[TokenCountProvider]] = Operation("messages.count_tokens", lambda able: able.token_counts)
