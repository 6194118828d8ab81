"""The bodies of InvokeModel for embeddings."""

import json
from typing import Any

import msgspec
import pytest

from adapters.dialects.bedrock.embeddings import BedrockEmbedding
from adapters.wire.call import DialectCall
from domain.embeddings import EmbeddingRequest
from domain.errors import UpstreamFailure
from domain.payload import Payload
from tests.unit.adapters.dialects.bedrock.samples import NOW, SECRET

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "us.cohere.embed-v4:0"


def a_call(model: str, **fields: Any) -> DialectCall[EmbeddingRequest]:
    body = msgspec.json.encode({"model": "m", "input": "hi"} | fields)
    payload = Payload(
        msgspec.json.decode(body, type=EmbeddingRequest), msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    )
    return DialectCall(payload, model, SECRET, lambda: NOW)


@pytest.mark.parametrize(
    ("model", "fields", "sent", "dropped"),
    [
        (TITAN, {"dimensions": 256}, {"inputText": "hi", "dimensions": 256}, ()),
        ("amazon.titan-embed-text-v1", {"dimensions": 256}, {"inputText": "hi"}, ("dimensions",)),
        (
            "amazon.titan-embed-image-v1",
            {"dimensions": 384, "input_type": "clustering"},
            {"inputText": "hi", "embeddingConfig": {"outputEmbeddingLength": 384}},
            ("input_type",),
        ),
        (
            COHERE,
            {"dimensions": 512, "user": "u", "input_type": "search_query"},
            {"texts": ["hi"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 512},
            ("user",),
        ),
        (
            "cohere.embed-english-v3",
            {"dimensions": 512},
            {"texts": ["hi"], "input_type": "search_document", "embedding_types": ["float"]},
            ("dimensions",),
        ),
    ],
)
def test_each_model_gets_its_own_body(
    model: str, fields: dict[str, Any], sent: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    encoded = BedrockEmbedding().encode(a_call(model, **fields), ["hi"])

    assert json.loads(encoded.body) == sent
    assert encoded.dropped == dropped


def test_titan_takes_one_text_a_call_and_cohere_many() -> None:
    assert BedrockEmbedding().batch_size(TITAN) == 1
    assert BedrockEmbedding().batch_size(COHERE) == 96


@pytest.mark.parametrize(
    ("model", "body", "vectors", "tokens"),
    [
        (TITAN, {"embedding": [0.5, 1], "inputTextTokenCount": 3}, [[0.5, 1.0]], 3),
        (COHERE, {"embeddings": {"float": [[0.5], [1]]}, "response_type": "embeddings_by_type"}, [[0.5], [1.0]], None),
        (COHERE, {"embeddings": [[0.5]], "response_type": "embeddings_floats"}, [[0.5]], None),
    ],
)
def test_vectors_and_tokens_are_read(
    model: str, body: dict[str, Any], vectors: list[list[float]], tokens: int | None
) -> None:
    assert BedrockEmbedding().read(json.dumps(body).encode(), [], a_call(model)) == (vectors, tokens)


def test_tokens_may_stand_in_a_header() -> None:
    headers = [(b"X-Amzn-Bedrock-Input-Token-Count", b"9")]

    assert BedrockEmbedding().read(b'{"embeddings":[[1.0]]}', headers, a_call(COHERE))[1] == 9


def test_what_is_no_embedding_is_a_failure() -> None:
    with pytest.raises(UpstreamFailure):
        BedrockEmbedding().read(b'{"embedding":"x"}', [], a_call(TITAN))
