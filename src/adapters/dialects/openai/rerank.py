"""Ranking at servers that speak Cohere's or Jina's form of it beside OpenAI's API; a row renames what differs."""

import msgspec
from typing_extensions import override

from adapters.dialects.openai.endpoint import OpenAIEndpoint, decode_fields, encode, raw
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.ranking import ranking
from domain.rerank import RerankRequest


class OpenAIRerank(OpenAIEndpoint[RerankRequest]):
    """One upstream's reranker. Documents go as texts, which is what all of them take."""

    name = "rerank"
    answer_name = "a ranking"

    @override
    def encode(self, call: DialectCall[RerankRequest], *, stream: bool) -> Encoded:
        encoded = super().encode(call, stream=stream)
        request = call.payload.value
        if all(isinstance(document, str) for document in request.documents):
            return encoded
        fields = decode_fields(encoded.body)
        fields[self.own.rename.get("documents", "documents")] = raw(request.texts())
        return msgspec.structs.replace(encoded, body=encode(fields))

    def read(self, body: bytes, call: DialectCall[RerankRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        if body.lstrip().startswith(b"{") and b'"results"' not in body:
            self.fields_of(body, call, "data")  # raises where the body is an error
        return ranking(body, call)
