"""The edge around a fake pipeline, and a client that speaks ASGI to it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from dishka import Provider, Scope, make_async_container
from litestar import Litestar, get, post
from litestar.params import JSONBody
from litestar.types import ASGIApp, Message
from typing_extensions import override

from application.admission.authentication import Authenticator
from application.admission.last_used import LastUsed
from application.audit.refusals import RefusalLog
from application.catalog import ModelDirectory
from application.idempotency import IdempotentRequests
from application.inference.background import BackgroundResponses
from application.inference.response_owners import ResponseOwners
from application.snapshot import GatewayState, LiveProvider, Snapshot
from application.usage.report import UsageReport
from domain.errors import NotFound
from domain.keys import Principal
from domain.lifecycle import Retirement
from domain.models import Model
from domain.ports.policies import AvailabilityPolicy
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.cycle import CONNECTION_EXTENSION, ClientConnection
from entrypoints.http.edge.drain import DrainState
from entrypoints.http.edge.gateway import GatewayApp
from entrypoints.http.error_styles import answer_error
from entrypoints.http.inference.routes import INFERENCE_ROUTES
from entrypoints.http.services import HttpServices
from tests.builders import a_provider, a_tenant, a_virtual_key
from tests.fakes.clock import FakeClock
from tests.fakes.idempotency import MemoryIdempotency
from tests.fakes.ids import CountingIds
from tests.fakes.names import a_naming
from tests.fakes.pipeline import FakePipeline
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore
from tests.fakes.usage_reader import MemoryUsage

KEY = "operator-chosen-key-1"
AUTH = (b"authorization", b"Bearer " + KEY.encode())
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
EDGE = EdgeConfig(allowed_hosts=("localhost",))


class FakeDirectory(ModelDirectory):
    def __init__(self) -> None:
        self.models = [Model("m"), Model("openai/gpt-x"), Model("a/b:free")]
        self.reads = 0
        self.ends: dict[tuple[str, str], Retirement] = {}

    @override
    def retirement(self, provider_id: str, model: str) -> Retirement | None:
        return self.ends.get((provider_id, model))

    @override
    async def read_awaited(self) -> None:
        self.reads += 1

    @override
    def visible_to(self, principal: Principal, provider_id: str | None) -> list[Model]:
        return self.models

    @override
    def find(self, principal: Principal, model_id: str, provider_id: str | None) -> Model:
        for model in self.models:
            if model.id == model_id:
                return model
        raise NotFound(f"The model '{model_id}' does not exist.", code="model_not_found")


class FakeState(GatewayState):
    def __init__(self, *provider_ids: str) -> None:
        live = {name: LiveProvider(a_provider(name), (), None, False, None) for name in provider_ids}
        self.current = Snapshot((), live)


class Harness:
    """The application with its parts at hand. Make it with `await Harness.make()`."""

    def __init__(self, services: HttpServices, pipeline: FakePipeline, app: GatewayApp) -> None:
        self.services = services
        self.directory = cast(FakeDirectory, services.directory)
        self.pipeline = pipeline
        self.app = app

    @classmethod
    async def make(
        cls,
        edge: EdgeConfig = EDGE,
        *,
        framework: ASGIApp | None = None,
        authenticator: Authenticator | None = None,
        drain: DrainState | None = None,
    ) -> "Harness":
        store, hasher, clock = MemoryStore(), FakeHasher(), FakeClock()
        async with store.write() as unit:
            await unit.tenants.add(a_tenant())
            await unit.virtual_keys.add(a_virtual_key(digest=hasher.digest(KEY)))
        pipeline = FakePipeline()
        services = HttpServices(
            authenticator=authenticator or Authenticator(store, hasher, clock, LastUsed(store)),
            pipeline=pipeline,
            directory=FakeDirectory(),
            state=FakeState("alpha"),
            usage=UsageReport(MemoryUsage(), a_naming(), clock),
            refusals=RefusalLog(store, clock),
            idempotent=IdempotentRequests(MemoryIdempotency(clock)),
            availability=cast(AvailabilityPolicy, None),  # the edge never asks it
            response_owners=ResponseOwners(hasher),
            background=cast(BackgroundResponses, None),  # nothing is kept here
            clock=clock,
            ids=CountingIds(),
            edge=edge,
            drain=drain or DrainState(),
            container=make_async_container(Provider(scope=Scope.APP)),
        )
        return cls(services, pipeline, GatewayApp(services, INFERENCE_ROUTES, framework or a_framework()))

    def client(self) -> "Client":
        return Client(self.app)

    async def chat(self, *headers: tuple[bytes, bytes], path: str = "/v1/chat/completions", **fields: Any) -> "Answer":
        body = json.dumps(CHAT | fields).encode()
        return await self.client().request("POST", path, (AUTH, *headers), body)

    async def get(self, path: str, *headers: tuple[bytes, bytes]) -> "Answer":
        return await self.client().request("GET", path, (AUTH, *headers))


def a_framework() -> Litestar:
    """Litestar with routes that do what can go wrong in it."""

    @get("/crash")
    async def crash() -> None:
        raise RuntimeError("secret detail")

    @get("/page", media_type="text/html")
    async def page() -> str:
        return "<p>hello</p>"

    @post("/admin/things", status_code=201)
    async def things(data: JSONBody[dict[str, int]]) -> dict[str, int]:
        return data

    @get("/health/live")
    async def live() -> str:
        return "ok"

    return Litestar(
        [crash, page, things, live],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: answer_error},
    )


class Answer:
    """A whole response."""

    def __init__(self, messages: Sequence[Message]) -> None:
        start = cast(dict[str, Any], messages[0])
        self.status: int = start["status"]
        self.raw_headers: list[tuple[bytes, bytes]] = list(start["headers"])
        self.headers = {name.decode(): value.decode() for name, value in self.raw_headers}
        self.blocks = [cast(dict[str, Any], message).get("body", b"") for message in messages[1:]]
        self.body = b"".join(self.blocks)
        self.complete = len(messages) > 1 and not cast(dict[str, Any], messages[-1]).get("more_body", False)

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        body = self.json()
        assert set(body) == {"error", "request_id"}, body
        assert set(body["error"]) == {"message", "type", "param", "code"}, body
        assert body["request_id"] == self.headers["x-request-id"]
        return dict(body["error"])

    @property
    def code(self) -> str:
        return str(self.error["code"])


class Client(ClientConnection):
    """One connection: what it sends can be scripted, and it can leave at any moment."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._incoming: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.messages: list[Message] = []
        self.reads = 0
        self.first_block = asyncio.Event()
        self.blocked: asyncio.Event | None = None  # set it to make the client stop taking its answer
        self.aborted = False
        self.own_server = True  # False: a server that knows ASGI and nothing more
        self._on_gone: Callable[[], None] | None = None
        self._gone = False

    async def request(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes | Iterable[bytes] = b"",
        *,
        host: bytes | None = b"localhost",
        query: bytes = b"",
        peer: str = "203.0.113.9",
    ) -> Answer:
        await self.start(method, path, headers, body, host=host, query=query, peer=peer)
        return Answer(self.messages)

    async def start(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes | Iterable[bytes] = b"",
        *,
        host: bytes | None = b"localhost",
        query: bytes = b"",
        peer: str = "203.0.113.9",
        ends: bool = True,
    ) -> None:
        """Run the application to its end. With `ends` False the body never does."""
        chunks = [body] if isinstance(body, bytes) else list(body)
        for number, chunk in enumerate(chunks, start=1):
            more = number < len(chunks) or not ends
            self._incoming.put_nowait({"type": "http.request", "body": chunk, "more_body": more})
        hosts = [] if host is None else [(b"host", host)]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [*hosts, *headers],
            "client": (peer, 12345),
            "scheme": "http",
            "http_version": "1.1",
            "server": ("localhost", 8000),
            "root_path": "",
            "extensions": {CONNECTION_EXTENSION: self} if self.own_server else {},
        }
        await self._app(cast(Any, scope), self._receive, self._send)

    def leave(self) -> None:
        """Close the connection."""
        self._gone = True
        self._incoming.put_nowait({"type": "http.disconnect"})
        if self._on_gone is not None:
            self._on_gone()

    @property
    @override
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    @override
    def watch(self, on_gone: Callable[[], None] | None) -> None:
        self._on_gone = on_gone
        if self._gone and on_gone is not None:
            asyncio.get_running_loop().call_soon(on_gone)

    @override
    def whole_body(self) -> bytes | None:
        return None

    @override
    def abort(self) -> None:
        self.aborted = True
        if self.blocked is not None:
            self.blocked.clear()

    async def _receive(self) -> Any:
        self.reads += 1
        return await self._incoming.get()

    async def _send(self, message: Message) -> None:
        if self.blocked is not None and self.blocked.is_set():
            await asyncio.Event().wait()
        self.messages.append(message)
        if message["type"] == "http.response.body" and message["body"]:
            self.first_block.set()
