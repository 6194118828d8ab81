"""Takes a request's place in its caller's trace from its head, where traces are collected."""

import time
from collections.abc import Awaitable, Callable
from typing import cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from domain.tracing import RequestTrace, current_trace, kept_state, new_trace_id, parse_traceparent


class TracedApp:
    """Stands before the application. `sampled` says of the id of a new trace whether it is collected."""

    def __init__(self, app: ASGIApp, sampled: Callable[[str], bool]) -> None:
        self._app = app
        self._sampled = sampled

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI 3."""
        if cast(str, scope["type"]) == "http":
            current_trace.set(self._trace_of(cast(HTTPScope, scope)))
        return self._app(scope, receive, send)

    def _trace_of(self, scope: HTTPScope) -> RequestTrace:
        parents: list[str] = []
        states: list[str] = []
        for name, value in scope["headers"]:
            if name == b"traceparent":
                parents.append(value.decode("latin-1"))
            elif name == b"tracestate":
                states.append(value.decode("latin-1"))
        parent = parse_traceparent(parents[0]) if len(parents) == 1 else None
        now = time.time_ns()
        if parent is None:
            trace_id = new_trace_id()
            return RequestTrace(trace_id, "", "", now, sampled=self._sampled(trace_id))
        trace_id, parent_id, sampled = parent
        return RequestTrace(trace_id, parent_id, kept_state(states), now, sampled=sampled)
