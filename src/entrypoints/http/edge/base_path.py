"""The path of the public URL: every address answers below it too, for proxies in front that do not take it off.

Only there where a path is configured: without one nothing is asked of a request.
"""

from collections.abc import Awaitable
from typing import cast

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send


class BasePathApp:
    """Takes `base_path` (`/llm`) off the addresses below it; every other one is passed on as it is.

    It is looked for in what was sent, before anything is decoded, as whole segments, and taken off once. So what comes
    of it is an address that could as well have been asked for without it.
    """

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self._app = app
        self._raw = base_path.encode("ascii")
        self._length = len(base_path)  # of the decoded path too: none of its characters is ever encoded here
        self._below = self._raw + b"/"

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI 3."""
        if cast(str, scope["type"]) == "http":
            self._strip(cast(HTTPScope, scope))
        return self._app(scope, receive, send)

    def _strip(self, scope: HTTPScope) -> None:
        raw = scope["raw_path"]
        if raw.startswith(self._below) or raw == self._raw:
            scope["raw_path"] = raw[self._length :] or b"/"
            scope["path"] = scope["path"][self._length :] or "/"


def below(app: ASGIApp, base_path: str) -> ASGIApp:
    """`app`, which answers below `base_path` too; `app` itself where there is none."""
    return BasePathApp(app, base_path) if base_path else app
