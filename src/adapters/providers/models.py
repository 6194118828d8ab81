"""Lists an OpenAI-compatible upstream's models; for one that has no list, those it was said to have."""

from collections.abc import Callable, Sequence
from typing import Final

import httpx
from typing_extensions import override

from adapters.providers.capability import HeaderSource
from adapters.providers.upstream import HttpUpstream, unexpected_status
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.undecodable import UNDECODABLE
from domain.errors import UpstreamFailure
from domain.keys import ProviderKey
from domain.ports.providers import ModelLister
from domain.providers import Offering
from domain.secrets import Secret

ReadModels = Callable[[bytes], Sequence[Offering]]
"""Raises one of `UNDECODABLE` for what is no list of models."""

NextPage = Callable[[httpx.URL, bytes], httpx.URL | None]
"""From a page and its body to the page after it; None at the end."""

ReadFailure = Callable[[int, RawHeaders, bytes, Secret | None], UpstreamFailure]


MAX_PAGES: Final = 50
"""Of a list; one that goes on beyond is going round in a circle."""


class HttpModels(ModelLister):
    """One GET and one reader, or a GET a page. `url` of None: there is no list, `certain` is all that is known."""

    def __init__(
        self,
        upstream: HttpUpstream,
        url: httpx.URL | None,
        headers: HeaderSource,
        read: ReadModels,
        failure: ReadFailure,
        certain: Sequence[str] = (),
        next_page: NextPage | None = None,
    ) -> None:
        self._upstream = upstream
        self._url = url
        self._headers = headers
        self._read = read
        self._failure = failure
        self._certain = certain
        self._next_page = next_page

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        url = self._url
        if url is None:
            return tuple(Offering(model) for model in self._certain)
        found: list[Offering] = []
        for _ in range(MAX_PAGES):
            body = await self._page(url, key)
            try:
                found.extend(self._read(body))
                following = self._next_page(url, body) if self._next_page is not None else None
            except UNDECODABLE:
                raise unreadable(body, key.secret if key is not None else None, "a list of models") from None
            if following is None:
                break
            url = following
        return tuple(found)

    async def _page(self, url: httpx.URL, key: ProviderKey | None) -> bytes:
        status, headers, body = await self._upstream.fetch("GET", url, self._headers.of(key), b"", key)
        odd = unexpected_status(status)
        if odd is not None:
            raise odd
        if status >= 400:
            raise self._failure(status, headers.raw, body, key.secret if key is not None else None)
        return body
