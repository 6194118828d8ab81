"""Embeddings of an upstream that reads only text, for clients that send token ids."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from typing_extensions import override

from adapters.tokens.text_of_tokens import VOCABULARY, DecodeTokens, load_cl100k
from adapters.wire.sift import unsupported
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.ports.providers import EmbeddingProvider, ProviderAnswer, ProviderCall
from domain.wire import Payload

_encode = msgspec.json.Encoder().encode


class Detokenized(EmbeddingProvider):
    """Asks `inner` with texts. The vocabulary is loaded in a thread, by the first request that needs it."""

    def __init__(self, inner: EmbeddingProvider, load: Callable[[], DecodeTokens] = load_cl100k) -> None:
        self._inner = inner
        self._load = load

    @override
    async def complete(self, call: ProviderCall[EmbeddingRequest]) -> ProviderAnswer:
        request = call.payload.value
        if not request.has_token_ids:
            return await self._inner.complete(call)
        texts = await asyncio.to_thread(self._texts, request)
        value = msgspec.structs.replace(request, input=texts)
        fields = call.payload.fields | {"input": msgspec.Raw(_encode(texts))}
        payload = Payload(value, fields, call.payload.size_bytes)
        return await self._inner.complete(msgspec.structs.replace(call, payload=payload))

    def _texts(self, request: EmbeddingRequest) -> list[str | int | list[int]]:
        """Raises `UNSUPPORTED` where the ids are of another vocabulary."""
        texts: list[str | int | list[int]] = []
        try:
            decode = self._load()
            texts += [part if isinstance(part, str) else decode(part) for part in _parts(request)]
        except (ValueError, OverflowError, ImportError):
            raise _not_text() from None
        return texts


def _parts(request: EmbeddingRequest) -> Sequence[str | Sequence[int]]:
    if isinstance(request.input, str):
        return [request.input]
    ids = [part for part in request.input if isinstance(part, int)]
    return [ids] if ids else [part for part in request.input if not isinstance(part, int)]


def _not_text() -> UpstreamFailure:
    return unsupported("input", f"it takes texts, and these token ids are not of {VOCABULARY}; send texts")
