"""Ollama's embeddings."""

import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.ollama.embeddings import OllamaEmbedding
from adapters.wire.call import DialectCall
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.payload import Payload
from tests.unit.adapters.dialects.ollama.samples import NOW


def an_embedding(**fields: Any) -> DialectCall[EmbeddingRequest]:
    body = msgspec.json.encode({"model": "m", "input": "hi"} | fields)
    value = msgspec.json.decode(body, type=EmbeddingRequest)
    payload = Payload(value, msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    return DialectCall(payload, "nomic-embed-text", None, lambda: NOW)


def test_texts_are_embedded_whole_or_not_at_all() -> None:
    encoded = OllamaEmbedding(2048).encode(an_embedding(dimensions=256, user="u", keep_alive=-1), ["a", "b"])

    assert json.loads(encoded.body) == {
        "model": "nomic-embed-text",
        "input": ["a", "b"],
        "truncate": False,
        "dimensions": 256,
        "keep_alive": -1,
        "options": {"num_ctx": 2048},
    }
    assert encoded.dropped == ("user",)
    assert json.loads(OllamaEmbedding().encode(an_embedding(truncate=True), ["a"]).body)["truncate"] is True


def test_embeddings_and_their_tokens_are_read() -> None:
    read = OllamaEmbedding().read(b'{"embeddings":[[0.5],[1]],"prompt_eval_count":4}', [], an_embedding())

    assert read == ([[0.5], [1.0]], 4)
    with pytest.raises(UpstreamFailure):
        OllamaEmbedding().read(b'{"error":"x"}', [], an_embedding())
