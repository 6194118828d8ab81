"""Ranking documents by how well they answer a query, as the gateway reads it.

Source: cohere-python 7.3.1, `v2.rerank`, and Jina's reranker API, whose documents may be objects (November 2026).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta
from typing_extensions import override

from domain.inference import InferenceRequest, Json
from domain.media import text_of

DOCUMENTS_A_SEARCH_UNIT = 100
"""One query with up to so many documents is one search unit. Source: cohere.com/pricing (read 2026-11)."""


class RerankRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/rerank`. A document is a text, or an object with `text`."""

    query: Annotated[str, Meta(min_length=1)]
    documents: Annotated[list[str | dict[str, Json]], Meta(min_length=1)]
    top_n: Annotated[int, Meta(ge=1)] | None = None
    return_documents: bool | None = None
    max_tokens_per_doc: int | None = None

    def texts(self) -> list[str]:
        """The documents as a model reads them: of an object its `text`, else its JSON."""
        return [document if isinstance(document, str) else _text(document) for document in self.documents]

    @property
    @override
    def units(self) -> Mapping[str, int]:
        return {"search_unit": search_units(len(self.documents))}

    @override
    def prompt_texts(self) -> Iterator[str]:
        """The query is read beside each of the documents; it is short, and counted once."""
        yield self.query
        yield from self.texts()


def search_units(documents: int) -> int:
    """What ranking so many documents is charged as."""
    return -(-documents // DOCUMENTS_A_SEARCH_UNIT)


def _text(document: dict[str, Json]) -> str:
    given: object = msgspec.json.decode(document["text"]) if "text" in document else None
    return given if isinstance(given, str) else text_of(Json(msgspec.json.encode(document)))
