"""Embeddings, passed on: in the encoding that was asked for, whatever the upstream sends."""

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dialects.openai.embeddings import OpenAIEmbeddings
from adapters.dialects.openai.quirks import TEXT_ONLY, EndpointQuirks, Quirks
from adapters.wire.vectors import packed, unpacked
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.usage import TokenUsage
from tests.unit.adapters.dialects.openai.endpoint_calls import embedding_call

DIALECT = OpenAIEmbeddings(Quirks(), EndpointQuirks())
FLOATS = [0.5, -2.0, 0.25]
PACKED = base64.b64encode(struct.pack("<3f", *FLOATS)).decode()
USAGE = {"prompt_tokens": 8, "total_tokens": 8}


def answered(embedding: Any, **fields: Any) -> bytes:
    data = [{"object": "embedding", "index": 0, "embedding": embedding}]
    return json.dumps({"object": "list", "data": data, "model": "served", "usage": USAGE} | fields).encode()


def received(body: bytes, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(DIALECT.read(body, embedding_call(**asked), "application/json").body)
    return answer


@pytest.mark.parametrize("given", [FLOATS, PACKED])
@pytest.mark.parametrize(("asked", "expected"), [(None, FLOATS), ("float", FLOATS), ("base64", PACKED)])
def test_the_encoding_is_the_one_asked_for(given: Any, asked: str | None, expected: Any) -> None:
    answer = received(answered(given), encoding_format=asked)

    assert answer["data"][0]["embedding"] == expected
    assert answer["usage"] == USAGE


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=40))
def test_packing_loses_nothing_of_a_32_bit_float(vector: list[float]) -> None:
    assert unpacked(packed(vector)) == vector
    assert base64.b64decode(packed(vector)) == struct.pack(f"<{len(vector)}f", *vector)


def test_what_is_right_passes_as_the_bytes_it_came_in() -> None:
    body = answered(FLOATS)

    answer = DIALECT.read(body, embedding_call(encoding_format="float"), "application/json")

    assert answer.body is body
    assert (answer.model, answer.usage) == ("served", TokenUsage(8, 0))


def test_usage_that_never_came_is_guessed_for_the_client_and_not_for_the_books() -> None:
    """R-22."""
    body = json.dumps({"data": [{"embedding": FLOATS}, {"embedding": FLOATS}]}).encode()

    answer = DIALECT.read(body, embedding_call(input=["four", "words"]), "application/json")

    shown = json.loads(answer.body)
    assert shown["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert [item["index"] for item in shown["data"]] == [0, 1]
    assert (shown["object"], shown["model"]) == ("list", "asked-model")
    assert answer.usage is None


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "float"),
        (answered(FLOATS, data=[]), "float"),
        (answered(None), "base64"),
        (answered("not base64!"), "float"),
        (answered("AAA="), "float"),
        (answered([1e300]), "base64"),
        (answered({"values": FLOATS}), "base64"),
        (json.dumps({"data": [{"index": 0}]}).encode(), "float"),
    ],
)
def test_what_is_no_embedding_is_an_invalid_answer(body: bytes, encoding: str) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        received(body, encoding_format=encoding)

    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize("tokens", [[1, 2], [[1], [2, 3]]])
def test_token_ids_go_where_they_are_known_and_are_refused_elsewhere(tokens: Any) -> None:
    known = DIALECT.encode(embedding_call(input=tokens, dimensions=8), stream=False)
    with pytest.raises(UpstreamFailure) as caught:
        OpenAIEmbeddings(Quirks(), TEXT_ONLY).encode(embedding_call(input=tokens), stream=False)

    assert json.loads(known.body) == {"model": "asked-model", "input": tokens, "dimensions": 8}
    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "input")


def test_a_parameter_goes_by_the_upstreams_own_name() -> None:
    own = EndpointQuirks(rename={"dimensions": "output_dimension"})

    encoded = OpenAIEmbeddings(Quirks(), own).encode(embedding_call(dimensions=8), stream=False)

    assert json.loads(encoded.body)["output_dimension"] == 8
