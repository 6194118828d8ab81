"""`POST /v1/embeddings`."""

from typing import Literal

import msgspec

from application.inference.calls import EMBEDDINGS
from domain.embeddings import EmbeddingRequest
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


class Embedding(msgspec.Struct):
    """Numbers, or with `encoding_format: base64` the base64 of little-endian 32-bit floats."""

    index: int
    embedding: list[float] | str
    object: Literal["embedding"] = "embedding"


class EmbeddingUsage(msgspec.Struct):
    prompt_tokens: int
    total_tokens: int


class EmbeddingList(msgspec.Struct):
    """An embedding for each input, in its order."""

    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
    object: Literal["list"] = "list"


create_embeddings = Serving(decode=JsonBody(EmbeddingRequest), answering=EMBEDDINGS)

CREATE_EMBEDDINGS = InferenceRoute(
    path="/v1/embeddings",
    method="POST",
    operation_id="createEmbeddings",
    tag="Embeddings",
    summary="Embed texts",
    description=(
        "OpenAI's embeddings. The answer has the encoding that was asked for, whatever the provider sends; arrays of "
        "token ids (`cl100k_base`) become text for providers that read only text."
    ),
    handler=create_embeddings,
    request=EmbeddingRequest,
    request_example={"model": "text-embedding-3-small", "input": ["a cat", "a dog"]},
    response=EmbeddingList,
    response_example={
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.0123, -0.0456]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    },
)
