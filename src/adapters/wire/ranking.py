"""Answers of rerankers, whoever gave them, as Cohere's v2 writes them.

    Cohere   {"results": [{"index": 3, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 1}}}
    Jina     {"results": [{"index": 3, "relevance_score": 0.9, "document": {…}}], "usage": {"total_tokens": 8}}
    Voyage   {"data": [{"index": 3, "relevance_score": 0.9}], "usage": {"total_tokens": 8}}
    TEI      [{"index": 3, "score": 0.9}]

Source: cohere-python 7.3.1; docs.voyageai.com reranker; vLLM, llama.cpp and text-embeddings-inference servers (read
2026-11). Scores of different models do not compare, and go on as they come.
"""

from typing import Final

import msgspec

from adapters.wire.call import DialectCall, PlainAnswer
from adapters.wire.charges import with_units
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from domain.rerank import RerankRequest, search_units
from domain.usage import TokenUsage

_WHAT: Final = "a ranking"
_NULL: Final = msgspec.Raw(b"null")


class _Ranked(msgspec.Struct):
    index: int
    relevance_score: float | None = None
    score: float | None = None


class _Billed(msgspec.Struct):
    search_units: float | None = None


class _Tokens(msgspec.Struct):
    input_tokens: float | None = None


class _Meta(msgspec.Struct):
    billed_units: _Billed | None = None
    tokens: _Tokens | None = None


class _Usage(msgspec.Struct):
    total_tokens: int | None = None
    prompt_tokens: int | None = None


class _Ranking(msgspec.Struct):
    results: msgspec.Raw = _NULL
    data: msgspec.Raw = _NULL
    meta: _Meta | None = None
    usage: _Usage | None = None
    id: str | None = None


_decode = TolerantDecoder(_Ranking)
_decode_results = msgspec.json.Decoder(list[_Ranked]).decode
_encode = msgspec.json.Encoder().encode


def ranking(body: bytes, call: DialectCall[RerankRequest]) -> PlainAnswer:
    """The best first, and no more than were asked for. Raises `UpstreamFailure` for what is no ranking."""
    request = call.payload.value
    try:
        answer = _Ranking(results=msgspec.Raw(body)) if body.lstrip().startswith(b"[") else _decode(body)
        found = _decode_results(answer.results if answer.results != _NULL else answer.data)
    except UNDECODABLE:
        raise unreadable(body[:200], call.secret, _WHAT) from None
    texts = request.texts()
    results: list[dict[str, object]] = []
    for one in sorted(found, key=_score, reverse=True)[: request.top_n]:
        if not 0 <= one.index < len(texts):
            raise unreadable(body[:200], call.secret, _WHAT)
        shown: dict[str, object] = {"index": one.index, "relevance_score": _score(one)}
        results.append(shown | ({"document": {"text": texts[one.index]}} if request.return_documents else {}))
    tokens, units = _tokens(answer), _units(answer) or search_units(len(texts))
    usage = TokenUsage(tokens) if tokens is not None else None
    meta: dict[str, object] = {"api_version": {"version": "2"}, "billed_units": {"search_units": units}}
    written: dict[str, object] = {
        "id": answer.id or call.answer_id.replace("chatcmpl-", "rerank-"),
        "model": call.model,
        "results": results,
        "meta": meta,
    }
    if tokens is not None:
        meta["tokens"] = {"input_tokens": tokens}
        written["usage"] = {"total_tokens": tokens}
    return PlainAnswer(_encode(written), call.model, with_units(usage, {"search_unit": units}))


def _score(one: _Ranked) -> float:
    return one.relevance_score if one.relevance_score is not None else one.score or 0.0


def _units(answer: _Ranking) -> int:
    billed = answer.meta.billed_units if answer.meta is not None else None
    return int(billed.search_units or 0) if billed is not None else 0


def _tokens(answer: _Ranking) -> int | None:
    """None where nobody has counted."""
    if answer.usage is not None:
        counted = answer.usage.total_tokens
        return counted if counted is not None else answer.usage.prompt_tokens
    told = answer.meta.tokens if answer.meta is not None else None
    return int(told.input_tokens) if told is not None and told.input_tokens is not None else None
