"""Makes token ids text again for an upstream that reads only text, and embeds through one that does."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from typing_extensions import override

from adapters.tokens.text_of_tokens import VOCABULARY, DecodeTokens, load_cl100k
from adapters.wire.sift import unsupported
from domain.embeddings import EmbeddingRequest
from domain.ports.providers import EmbeddingProvider, ProviderAnswer, ProviderCall
from domain.wire import Payload

LoadVocabulary = Callable[[], DecodeTokens]

_encode = msgspec.json.Encoder().encode


async def texts_of(parts: Sequence[str | Sequence[int]], param: str, load: LoadVocabulary = load_cl100k) -> list[str]:
    """Every part as text. The vocabulary is loaded in a thread, by the first request that needs it.

    Raises `UNSUPPORTED` naming `param` where the ids are of another vocabulary.
    """
    if all(isinstance(part, str) for part in parts):
        return [part for part in parts if isinstance(part, str)]

    def decoded() -> list[str]:
        decode = load()
        return [part if isinstance(part, str) else decode(part) for part in parts]

    try:
        return await asyncio.to_thread(decoded)
    except (ValueError, OverflowError, ImportError):
        raise unsupported(param, f"it takes texts, and these token ids are not of {VOCABULARY}; send texts") from None


class Detokenized(EmbeddingProvider):
    """Asks `inner` with texts."""

    def __init__(self, inner: EmbeddingProvider, load: LoadVocabulary = load_cl100k) -> None:
        self._inner = inner
        self._load = load

    @override
    async def complete(self, call: ProviderCall[EmbeddingRequest]) -> ProviderAnswer:
        request = call.payload.value
        if not request.has_token_ids:
            return await self._inner.complete(call)
        texts: list[str | int | list[int]] = [*await texts_of(request.parts(), "input", self._load)]
        value = msgspec.structs.replace(request, input=texts)
        fields = call.payload.fields | {"input": msgspec.Raw(_encode(texts))}
        payload = Payload(value, fields, call.payload.size_bytes)
        return await self._inner.complete(msgspec.structs.replace(call, payload=payload))
