"""`POST /v1/rerank`, in Cohere's v2 form; Jina's is taken too."""

import msgspec

from application.inference.calls import RERANK
from domain.rerank import RerankRequest
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


class RankedText(msgspec.Struct):
    text: str


class RankedDocument(msgspec.Struct, omit_defaults=True):
    """`index` is the document's place in the request. Scores of different models do not compare."""

    index: int
    relevance_score: float
    document: RankedText | None = None


class RerankUsage(msgspec.Struct):
    total_tokens: int


class Ranking(msgspec.Struct, omit_defaults=True):
    """The best first. `meta` has what was billed, as Cohere tells it; `usage` is there where tokens were counted."""

    id: str
    model: str
    results: list[RankedDocument]
    meta: dict[str, dict[str, object]]
    usage: RerankUsage | None = None


rerank = Serving(decode=JsonBody(RerankRequest), answering=RERANK)

RERANK_DOCUMENTS = InferenceRoute(
    path="/v1/rerank",
    method="POST",
    operation_id="rerank",
    tag="Rerank",
    summary="Rank documents by how well they answer a query",
    description=(
        "Cohere's v2 form and answer; Jina's form (`return_documents`, documents with `text`) is taken too, and "
        "`/v2/rerank` is the same. Served by Cohere, Voyage, Jina, vLLM, llama.cpp and Text Embeddings Inference, "
        "each in its own words."
    ),
    handler=rerank,
    request=RerankRequest,
    request_example={
        "model": "cohere/rerank-v3.5",
        "query": "What is the capital of France?",
        "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
        "top_n": 1,
    },
    response=Ranking,
    response_example={
        "id": "rerank-1",
        "model": "rerank-v3.5",
        "results": [{"index": 1, "relevance_score": 0.98}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    },
)
