"""Writes `tests/wire/recorded`: streams of every format that the simulator speaks, as they came over the wire.

Run it after the simulator changed what it says: `uv run python -m tests.contracts.ingress.record`.
"""

import asyncio
from pathlib import Path
from typing import Any, Final

import httpx
from typing_extensions import override

from entrypoints.simulator.app import create_simulator
from tests.contracts.ingress.driving import a_call, a_client

FOLDER: Final = Path(__file__).parents[2] / "wire" / "recorded"

_TEXT: Final = 'Grüße, "wörld" 🌍 — line one\nline two {"a": [1]}'
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}
_TOOLS: Final[list[dict[str, Any]]] = [
    {"type": "function", "function": {"name": name, "description": "d", "parameters": _SCHEMA}}
    for name in ("weather", "clock")
]
_SAID: Final[dict[str, Any]] = {"messages": [{"role": "user", "content": _TEXT}]}
_CHATS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "text": ("sim-echo", _SAID),
    "thinking": ("sim-reasoning", _SAID),
    "tools": ("sim-parallel-tools", _SAID | {"tools": _TOOLS}),
    "thoughtful-tools": ("sim-reasoning+tools", _SAID | {"tools": _TOOLS}),
    "no-usage": ("sim-no-usage", _SAID),
    "limited": ("sim-words-30", _SAID | {"max_tokens": 3}),
}
_OTHERS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("completions", "echo", {"prompt": _TEXT}),
    ("responses", "echo", {"input": _TEXT}),
    ("responses", "reasoning", {"input": _TEXT}),
    ("responses", "parallel-tools", {"input": _TEXT, "tools": [{"type": "function", **_TOOLS[0]["function"]}]}),
)
_FAMILIES: Final = {"anthropic": "claude-opus-5-", "gemini": "gemini-3-pro-", "bedrock": "us.amazon.nova-pro-"}
_KINDS: Final = {
    "openai": "sse",
    "azure": "sse",
    "anthropic": "sse",
    "gemini": "sse",
    "cohere": "sse",
    "bedrock": "bin",
    "ollama": "ndjson",
}


class _Tape(httpx.AsyncBaseTransport):
    """Lets everything through and keeps the last body."""

    def __init__(self) -> None:
        self._simulator = httpx.ASGITransport(create_simulator())
        self.body = b""

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._simulator.handle_async_request(request)
        self.body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=self.body)


async def record() -> None:
    """Every stream, one after the other."""
    for kind, ending in _KINDS.items():
        tape = _Tape()
        own = a_client(kind, tape, "http://127.0.0.1/recorder").capabilities
        (FOLDER / kind).mkdir(parents=True, exist_ok=True)
        for name, (model, fields) in _CHATS.items():
            call = a_call("chat", kind, _FAMILIES.get(kind, "") + model, **fields)
            assert own.chat is not None
            await (await own.chat.stream(call)).aclose()
            (FOLDER / kind / f"{name}.{ending}").write_bytes(tape.body)
    tape = _Tape()
    own = a_client("simulated", tape, "http://127.0.0.1/recorder").capabilities
    for endpoint, model, fields in _OTHERS:
        call = a_call(endpoint, "simulated", f"sim-{model}", **fields)
        await (await getattr(own, endpoint).stream(call)).aclose()
        (FOLDER / endpoint).mkdir(exist_ok=True)
        (FOLDER / endpoint / f"{model}.sse").write_bytes(tape.body)


if __name__ == "__main__":
    asyncio.run(record())
