"""A small server of Vault's KV engine, version 2: what is asked, by whom, and answers as Vault gives them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TOKEN = "hvs.test-token"


class VaultServer:
    """`secrets` by `mount/path`; None is a deleted version. `sealed` answers 503. Counts what was `asked`."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, object] | None] = {}
        self.tokens = {TOKEN}
        self.sealed = False
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.address = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["VaultServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.address = f"http://{host}:{port}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        path = request.split(" ")[1]
        self.asked.append((path, headers))
        status, body = self._answer(path, headers)
        data = json.dumps(body).encode()
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\nconnection: close\r\n\r\n".encode() + data)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def _answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers.get("x-vault-token") not in self.tokens:
            return 403, {"errors": ["permission denied"]}
        mount, _, rest = path.removeprefix("/v1/").partition("/data/")
        found = self.secrets.get(f"{mount}/{rest}")
        if found is None:
            return 404, {"errors": [], "data": {"data": None, "metadata": {"deletion_time": "2026-11-30T00:00:00Z"}}}
        return 200, {"request_id": "r", "data": {"data": found, "metadata": {"version": 1}}}
