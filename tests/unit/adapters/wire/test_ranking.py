"""Rankings of every form that is known become Cohere's, with what they are charged for."""

import json
from typing import Any

import pytest

from adapters.wire.call import DialectCall
from adapters.wire.ranking import ranking
from domain.errors import UpstreamFailure
from domain.rerank import RerankRequest
from domain.usage import BillingFacts, TokenUsage
from tests.unit.adapters.dialects.openai.endpoint_calls import call_of

UNITS = BillingFacts(units={"search_unit": 1})
PAIRS = [{"index": 0, "relevance_score": 0.2}, {"index": 2, "relevance_score": 0.9}]


def call(**fields: Any) -> DialectCall[RerankRequest]:
    return call_of(RerankRequest, **{"query": "q", "documents": ["a", "b", {"text": "c", "id": 7}], **fields})


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"results": PAIRS, "meta": {"billed_units": {"search_units": 1}}}, TokenUsage(billing=UNITS)),
        ({"results": PAIRS, "usage": {"total_tokens": 8}}, TokenUsage(8, billing=UNITS)),
        ({"data": PAIRS, "usage": {"total_tokens": 8}}, TokenUsage(8, billing=UNITS)),
        ({"results": PAIRS, "usage": {"prompt_tokens": 5}}, TokenUsage(5, billing=UNITS)),
        ({"results": PAIRS, "meta": {"tokens": {"input_tokens": 6.0}}}, TokenUsage(6, billing=UNITS)),
        ([{"index": 0, "score": 0.2}, {"index": 2, "score": 0.9}], TokenUsage(billing=UNITS)),
    ],
)
def test_every_form_is_read_and_the_best_stands_first(body: Any, usage: TokenUsage) -> None:
    answer = ranking(json.dumps(body).encode(), call(return_documents=True))

    assert json.loads(answer.body)["results"] == [
        {"index": 2, "relevance_score": 0.9, "document": {"text": "c"}},
        {"index": 0, "relevance_score": 0.2, "document": {"text": "a"}},
    ]
    assert answer.usage == usage


def test_no_more_come_back_than_were_asked_for() -> None:
    answer = ranking(json.dumps({"results": PAIRS}).encode(), call(top_n=1))

    assert json.loads(answer.body)["results"] == [{"index": 2, "relevance_score": 0.9}]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b'{"results": [{"index": 3, "relevance_score": 1}]}', b'{"results": [{"index": -1}]}']
)
def test_what_is_no_ranking_is_the_providers_fault(body: bytes) -> None:
    with pytest.raises(UpstreamFailure):
        ranking(body, call())


@pytest.mark.parametrize(("documents", "units"), [(1, 1), (100, 1), (101, 2)])
def test_a_hundred_documents_are_a_search_unit(documents: int, units: int) -> None:
    assert call(documents=["a"] * documents).payload.value.units == {"search_unit": units}
