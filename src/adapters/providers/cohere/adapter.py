"""Cohere by its own API, version 2. Its imitation of OpenAI's leaves out documents, citations and thinking budgets.

Source: cohere 7.3.1, docs.cohere.com (read 2026-11).
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import httpx
from typing_extensions import override

from adapters.constraints.conform import Conformer
from adapters.dialects.cohere.chat import CohereChat
from adapters.dialects.cohere.embeddings import CohereEmbedding
from adapters.dialects.cohere.errors import failure_from_cohere
from adapters.dialects.cohere.model_list import read_page
from adapters.dialects.cohere.params import COHERE_CHAT_PARAMS, COHERE_EMBEDDING_PARAMS, COHERE_RERANK_PARAMS
from adapters.dialects.cohere.rerank import CohereRerank
from adapters.providers.base_url import endpoint, without_suffix
from adapters.providers.batched_embeddings import BatchedEmbeddings
from adapters.providers.capability import HttpCapability, fixed
from adapters.providers.detokenized import Detokenized
from adapters.providers.kind import BuildContext, Entry
from adapters.providers.upstream import HttpUpstream, KeyHeaders, unexpected_status
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE
from domain.chat import ChatRequest
from domain.fidelity import Fidelity
from domain.keys import ProviderKey
from domain.ports.providers import Capabilities, ModelLister
from domain.providers import Offering

_VERSIONS: Final = ("/compatibility/v1", "/v1", "/v2")
_MAX_PAGES: Final = 20


class CohereModels(ModelLister):
    """Every page of the list; `certain` are the models an operator named."""

    def __init__(self, upstream: HttpUpstream, url: httpx.URL, headers: KeyHeaders, certain: Sequence[str]) -> None:
        self._upstream = upstream
        self._url = url
        self._headers = headers
        self._certain = certain

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        found = {model: Offering(model) for model in self._certain}
        token = ""
        for _ in range(_MAX_PAGES):
            page, token = await self._page(token, key)
            found |= {offering.model: offering for offering in page}
            if not token:
                break
        return tuple(found.values())

    async def _page(self, token: str, key: ProviderKey | None) -> tuple[Sequence[Offering], str]:
        query = "page_size=1000" + (f"&page_token={quote(token, safe='')}" if token else "")
        url = self._url.copy_with(query=query.encode())
        secret = key.secret if key is not None else None
        status, headers, body = await self._upstream.fetch("GET", url, self._headers.of(key), b"", key)
        odd = unexpected_status(status)
        if odd is not None:
            raise odd
        if status >= 400:
            raise failure_from_cohere(status, headers.raw, body, secret=secret, now=self._upstream.now())
        try:
            return read_page(body)
        except UNDECODABLE:
            raise unreadable(body, secret, "a list of models") from None


def build(context: BuildContext) -> Capabilities:
    """Chat, embeddings, ranking and the list of models."""
    settings, base = context.provider.settings, without_suffix(context.base, _VERSIONS)
    upstream = HttpUpstream(context.transport, context.timeouts, context.now)
    headers = KeyHeaders(context.user_agent, context.entry.headers)
    chat: HttpCapability[ChatRequest] = HttpCapability(
        upstream,
        CohereChat(settings.drop_params),
        fixed(endpoint(base, "/v2/chat")),
        headers,
        Conformer(context.entry.target, context.provider.id),
    )
    embeddings = BatchedEmbeddings(upstream, CohereEmbedding(), fixed(endpoint(base, "/v2/embed")), headers)
    return Capabilities(
        chat=chat,
        embeddings=Detokenized(embeddings),
        rerank=HttpCapability(upstream, CohereRerank(), fixed(endpoint(base, "/v2/rerank")), headers),
        models=CohereModels(upstream, endpoint(base, "/v1/models"), headers, settings.models),
    )


def fidelity(entry: Entry) -> dict[str, Fidelity]:  # noqa: ARG001 - one table for all of them
    """The parameter tables, by endpoint."""
    return {
        "chat.completions": COHERE_CHAT_PARAMS,
        "embeddings": COHERE_EMBEDDING_PARAMS,
        "rerank": COHERE_RERANK_PARAMS,
    }
