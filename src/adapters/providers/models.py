"""Lists an OpenAI-compatible upstream's models; for one that has no list, those it was said to have."""

from collections.abc import Callable, Sequence

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

ReadFailure = Callable[[int, RawHeaders, bytes, Secret | None], UpstreamFailure]


class HttpModels(ModelLister):
    """One GET and one reader. `url` of None: there is no list, `certain` is all that is known."""

    def __init__(
        self,
        upstream: HttpUpstream,
        url: httpx.URL | None,
        headers: HeaderSource,
        read: ReadModels,
        failure: ReadFailure,
        certain: Sequence[str] = (),
    ) -> None:
        self._upstream = upstream
        self._url = url
        self._headers = headers
        self._read = read
        self._failure = failure
        self._certain = certain

    @override
    async def list_models(self, key: ProviderKey | None) -> Sequence[Offering]:
        if self._url is None:
            return tuple(Offering(model) for model in self._certain)
        secret = key.secret if key is not None else None
        status, headers, body = await self._upstream.fetch("GET", self._url, self._headers.of(key), b"", key)
        odd = unexpected_status(status)
        if odd is not None:
            raise odd
        if status >= 400:
            raise self._failure(status, headers.raw, body, secret)
        try:
            return self._read(body)
        except UNDECODABLE:
            raise unreadable(body, secret, "a list of models") from None
