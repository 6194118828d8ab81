"""The simulated providers as an ASGI application: routes, keys, models, and the journal of each request."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from entrypoints.simulator.apis.endpoint import Call, Memory, Refused
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.control import ControlRequest, control
from entrypoints.simulator.delivery import Delivery, Message, Send, deliver, respond_failure, respond_json
from entrypoints.simulator.error_bodies import error_body
from entrypoints.simulator.errors import ScriptInvalid
from entrypoints.simulator.journal import KEPT_BODY_BYTES, Entry, Journal
from entrypoints.simulator.routes import Found, find
from entrypoints.simulator.script import Script, ScriptPlayer

Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

CONTROL_PREFIX = "/__sim__/"

_SIGNED = "AWS4-HMAC-SHA256 Credential="
"""Before the id of the access key that a request is signed with."""


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
        self._memory = Memory()

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
        found = find(scope["method"], path)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        entry = self._journal.open(
            found.persona, scope["method"], path, scope["query_string"].decode("latin-1"), headers
        )
        body = await _body(receive)
        if body is None:
            entry.finish("client_gone")
            return
        entry.raw_body = body[:KEPT_BODY_BYTES]
        answering = asyncio.create_task(self._answer(scope, send, entry, found, body))
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

    async def _answer(self, scope: Message, send: Send, entry: Entry, found: Found, body: bytes) -> None:
        persona = self._player.persona(entry.persona)
        headers = dict(entry.headers)
        query = {name: values[-1] for name, values in parse_qs(entry.query, keep_blank_values=True).items()}
        credential = _credential(headers, query)
        required = persona.require_key
        locked = required is not False and (not credential if required is True else credential != required)
        if found.route is None:
            error = error_body(404, f"Invalid URL ({entry.method} {entry.path})", "not_found")
            await respond_json(send, entry, 401 if locked else 404, error_body(401) if locked else error)
            return
        call = Call(
            number=entry.id,
            method=entry.method,
            path=found.path,
            persona=entry.persona,
            captures=found.captures,
            query=query,
            headers=headers,
            body=body,
            fields=_json_object(body),
            credential=credential,
            listed=persona.listed(),
            memory=self._memory,
        )
        delivery = Delivery(scope, send, entry, found.route.maker()(call))
        if locked:
            await respond_failure(delivery, delivery.endpoint.unauthorized())
            return
        try:
            await deliver(delivery, self._behaviour(delivery))
        except Refused as refused:
            await respond_failure(delivery, refused.failure)

    def _behaviour(self, delivery: Delivery) -> Behaviour:
        """What to do. Raises `Refused` for a request that is not one, and for a model that does not exist."""
        endpoint, entry = delivery.endpoint, delivery.entry
        endpoint.check()
        persona = self._player.persona(entry.persona)
        if not endpoint.needs_model:
            return (
                self._player.next(entry.persona, route)
                if (route := f"/{endpoint.call.path}") in persona.behaviours
                else (Behaviour())
            )
        entry.model = model = endpoint.model
        if not persona.serves(model):
            raise Refused(endpoint.failure(404, f"The model '{model}' does not exist.", "model_not_found"))
        try:
            return self._player.next(entry.persona, model)
        except ScriptInvalid as invalid:
            raise Refused(endpoint.failure(404, str(invalid), "model_not_found")) from invalid


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _credential(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    bearer = headers.get("authorization", "")
    if bearer.startswith("Bearer "):
        return bearer.removeprefix("Bearer ")
    if bearer.startswith(_SIGNED):
        return bearer.removeprefix(_SIGNED).partition("/")[0]
    found = (headers.get(name) for name in ("api-key", "x-api-key", "x-goog-api-key"))
    return next((key for key in found if key), query.get("key", ""))


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
