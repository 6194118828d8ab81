"""Tells providers of which trace a call is part (`traceparent`), where traces are collected."""

import httpx
from typing_extensions import override

from adapters.transport.direct import DirectTransport, direct
from adapters.transport.response_stream import UpstreamResponse
from domain.timeouts import Timeouts
from domain.tracing import current_trace


class TracedTransport(DirectTransport):
    """Any transport; a call that is no request's, such as a health check, goes as it is."""

    def __init__(self, transport: httpx.AsyncBaseTransport, timeouts: Timeouts) -> None:
        self._transport = transport
        self._direct = direct(transport, timeouts)

    @override
    async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> UpstreamResponse:
        trace = current_trace.get()
        if trace is not None and trace.traceparent:
            headers = headers.copy()
            headers["traceparent"] = trace.traceparent
            if trace.state:
                headers["tracestate"] = trace.state
        return await self._direct.ask(method, url, headers, body)

    @override
    async def aclose(self) -> None:
        await self._transport.aclose()
