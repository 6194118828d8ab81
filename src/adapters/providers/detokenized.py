"""Makes token ids text again for an upstream that reads only text, and embeds through one that does."""

import msgspec
from typing_extensions import override

from adapters.tokens.text_of_tokens import LoadVocabulary, load_cl100k, texts_of
from domain.embeddings import EmbeddingRequest
from domain.payload import Payload
from domain.ports.providers import EmbeddingProvider, ProviderAnswer, ProviderCall

_encode = msgspec.json.Encoder().encode


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
