"""`POST /rerank` as servers have it: Jina's form (vLLM, llama.cpp), Voyage's by `top_k`, and TEI's by `texts`.

Source: vLLM and text-embeddings-inference servers, docs.voyageai.com (read 2026-11).
"""

from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import words_of
from entrypoints.simulator.apis.endpoint import Body, encoded
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.rankings import ranked_texts


class Rerank(OpenAIEndpoint):
    """Answers in the form in which it is asked."""

    @override
    def check(self) -> None:
        self.need("query", "texts" if "texts" in self.fields else "documents")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        query, fields = str(self.fields["query"]), self.fields
        if "texts" in fields:
            return Body(encoded([{"index": at, "score": score} for at, score in ranked_texts(query, fields["texts"])]))
        results: list[dict[str, Any]] = [
            {"index": at, "relevance_score": score} for at, score in ranked_texts(query, fields["documents"])
        ]
        read = sum(len(words_of(text)) for text in (query, *fields["documents"]))
        usage = {} if behaviour.usage is False else {"usage": {"total_tokens": read}}
        name, most = ("data", fields["top_k"]) if "top_k" in fields else ("results", fields.get("top_n"))
        return Body(encoded({"model": self.model, name: results[: most or len(results)], **usage}))
