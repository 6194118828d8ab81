"""The simulated providers as an ASGI application: routes, keys, models, and the journal of each request."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from entrypoints.simulator.control import ControlRequest, control
from entrypoints.simulator.delivery import Exchange, Message, Send, deliver, respond_json
from entrypoints.simulator.error_bodies import error_body
from entrypoints.simulator.errors import ScriptInvalid
from entrypoints.simulator.journal import KEPT_BODY_BYTES, Entry, Journal
from entrypoints.simulator.script import DEFAULT_PERSONA, Script, ScriptPlayer

Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

CONTROL_PREFIX = "/__sim__/"


def create_simulator(script: Script | None = None) -> Application:
    """An ASGI application with its own journal and its own place in the script.

    Faults that break connections need a server set up by `server.configure`.
    """
    simulator = _Simulator(ScriptPlayer(script), Journal())

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        await simulator.handle(scope, receive, send)

    return application


class _Simulator:
    def __init__(self, player: ScriptPlayer, journal: Journal) -> None:
        self._player = player
        self._journal = journal

    async def handle(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path.startswith(CONTROL_PREFIX):
            query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
            route, body = path.removeprefix(CONTROL_PREFIX), await _body(receive)
            request = ControlRequest(scope["method"], route, query, body or b"")
            status, value = control(self._player, self._journal, request)
            await respond_json(send, None, status, value)
            return
        persona, route = _split(path)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        entry = self._journal.open(persona, scope["method"], path, scope["query_string"].decode("latin-1"), headers)
        body = await _body(receive)
        if body is None:
            entry.finish("client_gone")
            return
        entry.raw_body = body[:KEPT_BODY_BYTES]
        answering = asyncio.create_task(self._answer(scope, send, entry, route, body))
        leaving = asyncio.create_task(_client_gone(receive))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            entry.finish("completed" if answering.done() else "client_gone")
        finally:
            leaving.cancel()
            if not answering.done():
                answering.cancel()
                await asyncio.wait((answering,))
        if not answering.cancelled():
            await answering  # a bug in here must be seen

    async def _answer(self, scope: Message, send: Send, entry: Entry, route: str, body: bytes) -> None:
        persona = self._player.persona(entry.persona)
        credential = _credential(entry.headers)
        required = persona.require_key
        if required is not False and (not credential if required is True else credential != required):
            await respond_json(send, entry, 401, error_body(401))
        elif route == "chat/completions" and entry.method == "POST":
            await self._chat(Exchange(scope, send, entry, _json_object(body), credential))
        elif route == "models" and entry.method == "GET":
            await respond_json(send, entry, 200, {"object": "list", "data": [_shown(m) for m in persona.listed()]})
        elif route.startswith("models/") and entry.method == "GET":
            wanted = route.removeprefix("models/")
            found = next((model for model in persona.listed() if model.id == wanted), None)
            missing = error_body(404, f"The model '{wanted}' does not exist.", "model_not_found")
            await respond_json(send, entry, 200 if found else 404, _shown(found) if found else missing)
        else:
            error = error_body(404, f"Invalid URL ({entry.method} {entry.path})", "not_found")
            await respond_json(send, entry, 404, error)

    async def _chat(self, exchange: Exchange) -> None:
        model = exchange.request.get("model")
        if not isinstance(model, str) or not isinstance(exchange.request.get("messages"), list):
            error = error_body(400, "The body needs a 'model' and 'messages'.", "missing_required_parameter")
            await respond_json(exchange.send, exchange.entry, 400, error)
            return
        exchange.entry.model = model
        persona = exchange.entry.persona
        if not self._player.persona(persona).serves(model):
            error = error_body(404, f"The model '{model}' does not exist.", "model_not_found")
            await respond_json(exchange.send, exchange.entry, 404, error)
            return
        try:
            behaviour = self._player.next(persona, model)
        except ScriptInvalid as invalid:
            await respond_json(exchange.send, exchange.entry, 404, error_body(404, str(invalid), "model_not_found"))
            return
        await deliver(exchange, behaviour)


def _split(path: str) -> tuple[str, str]:
    """The persona and the route after `/v1/`; an empty route where there is no `/v1/`."""
    first, _, rest = path.lstrip("/").partition("/")
    if first == "v1":
        return DEFAULT_PERSONA, rest.rstrip("/")
    version, _, route = rest.partition("/")
    return (first, route.rstrip("/")) if version == "v1" else (first, "")


def _shown(model: object) -> dict[str, Any]:
    fields: dict[str, Any] = {"object": "model", "created": 1_700_000_000, "owned_by": "simulator"}
    fields |= msgspec.to_builtins(model)
    return fields


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _credential(headers: list[tuple[str, str]]) -> str:
    for name, value in headers:
        if name == "authorization" and value.startswith("Bearer "):
            return value.removeprefix("Bearer ")
        if name in {"api-key", "x-api-key", "x-goog-api-key"}:
            return value
    return ""


async def _body(receive: Receive) -> bytes | None:
    """The whole request body; None where the client left before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
