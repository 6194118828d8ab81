"""Cohere's embeddings."""

import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.cohere.embeddings import CohereEmbedding
from adapters.wire.call import DialectCall
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.payload import Payload
from tests.unit.adapters.dialects.cohere.samples import NOW, SECRET


def an_embedding(model: str, **fields: Any) -> DialectCall[EmbeddingRequest]:
    body = msgspec.json.encode({"model": "m", "input": "hi"} | fields)
    value = msgspec.json.decode(body, type=EmbeddingRequest)
    return DialectCall(
        Payload(value, msgspec.json.decode(body, type=dict[str, msgspec.Raw])), model, SECRET, lambda: NOW
    )


def test_texts_to_embed_have_a_type_and_dimensions_where_the_model_has() -> None:
    new = CohereEmbedding().encode(an_embedding("embed-v4.0", dimensions=512, user="u"), ["a", "b"])
    old = CohereEmbedding().encode(
        an_embedding("embed-english-v3.0", dimensions=512, input_type="search_query", truncate="END"), ["a"]
    )

    assert json.loads(new.body) == {
        "model": "embed-v4.0",
        "texts": ["a", "b"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 512,
    }
    assert new.dropped == ("user",)
    assert json.loads(old.body)["input_type"] == "search_query"
    assert old.dropped == ("dimensions",)


def test_embeddings_and_their_tokens_are_read() -> None:
    body = {
        "id": "x",
        "embeddings": {"float": [[0.5], [1]]},
        "texts": [],
        "meta": {"billed_units": {"input_tokens": 3}},
    }

    assert CohereEmbedding().read(json.dumps(body).encode(), [], an_embedding("m")) == ([[0.5], [1.0]], 3)
    with pytest.raises(UpstreamFailure):
        CohereEmbedding().read(b"{}", [], an_embedding("m"))
