"""Asks an upstream of OpenAI's Responses for what it keeps: its address and method say what is wanted."""

from collections.abc import Awaitable
from typing import Final
from urllib.parse import quote, urlencode

import httpx
from typing_extensions import override

from adapters.providers.capability import HttpCapability
from adapters.transport.response_stream import UpstreamResponse
from adapters.wire.call import Encoded
from domain.kept_responses import KeptAction, KeptResponseRequest
from domain.ports.providers import KeptResponsesProvider, ProviderCall

_ASKED: Final[dict[KeptAction, tuple[str, str]]] = {
    "retrieve": ("GET", ""),
    "delete": ("DELETE", ""),
    "cancel": ("POST", "/cancel"),
    "input_items": ("GET", "/input_items"),
}


class HttpKeptResponses(HttpCapability[KeptResponseRequest], KeptResponsesProvider):
    """The same way to ask and to read as every endpoint's, without a body."""

    @override
    def _send(
        self, call: ProviderCall[KeptResponseRequest], encoded: Encoded, *, stream: bool
    ) -> Awaitable[UpstreamResponse]:
        request = call.payload.value
        method, ending = _ASKED[request.action]
        url = _at(self._address(call.model, stream), f"/{quote(request.upstream_id, safe='')}{ending}", request.query)
        return self._upstream.send(method, url, self._headers.of(call.key), encoded.body, call.key)


def _at(responses: httpx.URL, path: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Below the address of the responses, whose own query (Azure's version) stays."""
    target, _, own = responses.raw_path.decode("ascii").partition("?")
    whole = "&".join(filter(None, (own, urlencode(query))))
    return responses.copy_with(raw_path=f"{target}{path}{'?' if whole else ''}{whole}".encode("ascii"))
