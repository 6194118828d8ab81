"""Asks an ASGI application one request, with next to nothing in between: for tests that ask thousands."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_LEFT_OUT = frozenset({b"x-request-id", b"x-omg-overhead-ms"})


class Answer(NamedTuple):
    """What came back. `headers` are in the order in which they were sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def code(self) -> str:
        """Of an error of the contract, its code."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        if "status" in error:
            return str(error["details"][0]["reason"]).lower()  # Google's shape
        return str(error.get("code") or error["details"]["error_code"])  # Anthropic's shape

    def without(self, id_: str) -> tuple[int, tuple[tuple[bytes, bytes], ...], bytes]:
        """All of it but what each request has of its own, and the id that it asked for."""
        headers = {name: value for name, value in self.headers if name in _LEFT_OUT}
        body = self.body.replace(headers.get(b"x-request-id", b"\0"), b"REQUEST").replace(id_.encode(), b"ID")
        return self.status, tuple(header for header in self.headers if header[0] not in _LEFT_OUT), body


async def ask(
    app: Any, method: str, address: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Answer:
    """One request from 127.0.0.1 to `localhost`, and its whole answer."""
    path, _, query = address.partition("?")
    given: Iterable[tuple[str, str]] = (headers or {}).items()
    raw = [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in given)]
    if body:
        raw += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": raw,
        "client": ("127.0.0.1", 50_000),
        "server": ("localhost", 80),
    }
    answered = asyncio.Event()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])
    status, sent = 0, []
    got: tuple[tuple[bytes, bytes], ...] = ()

    async def receive() -> dict[str, Any]:
        message = next(messages, None)
        if message is not None:
            return message
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, got
        if message["type"] == "http.response.start":
            status, got = message["status"], tuple((bytes(n), bytes(v)) for n, v in message["headers"])
        elif message["type"] == "http.response.body":
            sent.append(message.get("body", b""))
            if not message.get("more_body", False):
                answered.set()

    await app(scope, receive, send)
    return Answer(status, got, b"".join(sent))
