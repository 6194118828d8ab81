"""How many of our files one request passes, and how many functions it calls: `uv run python -m bench.walks`.

Every file is a place that a reader of the way must open. The gateway runs in this process under its own server, the
providers are simulated in another one, and a profiler notes each file of `src` in which a function is called between
a request's first byte and its answer's last. Each walk is taken several times after a first one that warms up, and
only what every time passed counts: what the process does beside it is no part of the way.

Of each function, in Python or in C, the fewest calls count too. Such a count is the same on a busy machine as on a
quiet one, so it shows the tenth that no clock shows. What a request adds later, when it is carried over to the database
and summed up, is in neither.
"""

import asyncio
import http.client
import json
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import and_
from pathlib import Path
from types import FrameType

import msgspec
import uvicorn
from typing_extensions import override

from entrypoints.app import GatewayProcess, create_app
from entrypoints.http.edge.protocol import protocol_class
from entrypoints.settings.loading import load_settings

_SOURCES = str(Path(__file__).parents[1] / "src") + "/"
_EVENT_LOOP = (str(Path(asyncio.__file__).parent), selectors.__file__)
_TIMES = 8
_MESSAGES = [{"role": "user", "content": "hello there"}]

BEFORE = {"plain chat": 59, "stream": 67, "messages over Gemini": 82, "adding a provider": 66}
"""Files passed in November 2026, when it was decided to pass a quarter fewer."""

BOUNDS = {"plain chat": 47, "stream": 53, "messages over Gemini": 64, "adding a provider": 69}
"""What may be passed: three quarters of that, one more for the look at what the target takes, one for the look whether
a model was named at all, and one for what a call used and cost, which the books had in their own file until they were
too long. Lower one where a walk becomes shorter. Adding a provider passes four more for its
audit entry: what differs, the row, its signature, and what masks a credential that was pasted into it; and two more for
what the provider gives away, which the answer shows; three more for the version a change is bound to, what packs an
answer, and the quotas that are planned anew; and three more for what processes share of its health, and whose it is;
and five for the one place where calls to others are put together, the settings that it asks for proxies, and the work
beside requests that a new provider wakes."""

CALLS = {"plain chat": 630, "stream": 1_110, "messages over Gemini": 1_635, "adding a provider": 18_500}
"""The calls that a walk may make: what was counted in November 2026, and two in a hundred, for bytes that come in other
pieces."""


class Walked(msgspec.Struct, frozen=True):
    """`calls` by the function that is called; of one in C, by the one that calls it too."""

    files: frozenset[str]
    calls: Counter[str]


class Walk(msgspec.Struct, frozen=True):
    """One way through the gateway: the request that is sent, with a fresh number in it where one is needed."""

    name: str
    path: str
    body: dict[str, object]
    status: int = 200
    admin: bool = False


WALKS = (
    Walk("plain chat", "/v1/chat/completions", {"model": "up/m", "messages": _MESSAGES}),
    Walk("stream", "/v1/chat/completions", {"model": "up/m", "messages": _MESSAGES, "stream": True}),
    Walk(
        "messages over Gemini",
        "/v1/messages",
        {"model": "google/m", "max_tokens": 64, "messages": _MESSAGES, "stream": True},
    ),
    Walk("adding a provider", "/admin/providers", {"id": "p%d", "base_url": "http://127.0.0.1:9/v1"}, 201, True),
)


class Passed:
    """The files in which the event loop's thread calls a function, and what it calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._seen: set[str] = set()
        self._calls: Counter[str] = Counter()

    def during(self, act: Callable[[], None]) -> Walked:
        """Called from another thread than the loop's."""
        self._seen, self._calls = set(), Counter()
        self._in_loop(lambda: sys.setprofile(self._note))
        try:
            act()
        finally:
            self._in_loop(lambda: sys.setprofile(None))
        files = frozenset(name.removeprefix(_SOURCES) for name in self._seen if name.startswith(_SOURCES))
        return Walked(files, self._calls)

    def _in_loop(self, act: Callable[[], None]) -> None:
        done = threading.Event()

        def then() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(then)
        done.wait()

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code.co_filename.startswith(_EVENT_LOOP):  # how often it turns depends on what else the machine does
            return
        if event == "call":
            self._seen.add(code.co_filename)
            self._calls[code.co_qualname] += 1
        elif event == "c_call":
            self._calls[f"{code.co_qualname} > {getattr(argument, '__qualname__', '?')}"] += 1


class Client:
    """One kept connection to the gateway, with a client's key and the admin's token."""

    def __init__(self, port: int, key: str, admin_token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._tokens = {False: key, True: admin_token}
        self._number = 0

    def post(self, path: str, body: dict[str, object], *, admin: bool, status: int) -> None:
        """Raises `AssertionError` for another status."""
        self._number += 1
        text = re.sub(r"%d", str(self._number), json.dumps(body))
        headers = {"authorization": f"Bearer {self._tokens[admin]}", "content-type": "application/json"}
        self._connection.request("POST", path, text.encode(), headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status != status:
            raise AssertionError(f"{path}: {answer.status} {read[:300]!r}")

    def take(self, walk: Walk) -> None:
        self.post(walk.path, walk.body, admin=walk.admin, status=walk.status)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def measure() -> dict[str, Walked]:
    """Each walk, by its name."""
    with tempfile.TemporaryDirectory() as folder, _simulator() as upstream:
        settings = load_settings(environ={"OMG_DATA_DIR": f"{folder}/data"}, folder=Path(folder))
        return asyncio.run(_measure(create_app(settings), upstream))


async def _measure(app: GatewayProcess, upstream: str) -> dict[str, Walked]:
    protocol = protocol_class(app.connection_limits(), ())
    config = uvicorn.Config(app, interface="asgi3", http=protocol, ws="none", log_config=None, access_log=False)
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.ensure_future(server.serve([listener]))
        await server.listening.wait()
        loop, port = asyncio.get_running_loop(), listener.getsockname()[1]
        try:
            return await asyncio.to_thread(lambda: dict(_walks(app, port, upstream, loop)))
        finally:
            server.should_exit = True
            await serving


def _walks(
    app: GatewayProcess, port: int, upstream: str, loop: asyncio.AbstractEventLoop
) -> Iterator[tuple[str, Walked]]:
    made = app.first_start
    assert made is not None
    assert made.virtual_key is not None
    assert made.admin_token is not None
    client = Client(port, made.virtual_key.reveal(), made.admin_token.reveal())
    providers: tuple[dict[str, object], ...] = (
        {"id": "up", "kind": "openai", "base_url": f"{upstream}/v1"},
        {"id": "google", "kind": "gemini", "base_url": upstream},
    )
    for provider in providers:
        client.post("/admin/providers", provider, admin=True, status=201)
        client.post(f"/admin/providers/{provider['id']}/keys", {"secret": "sk-up"}, admin=True, status=201)
    passed = Passed(loop)
    for walk in WALKS:
        client.take(walk)
        times = [passed.during(lambda walk=walk: client.take(walk)) for _ in range(_TIMES)]  # type: ignore[misc]  # bound now
        files = frozenset.intersection(*(walked.files for walked in times))
        yield walk.name, Walked(files, reduce(and_, (walked.calls for walked in times)))  # the fewest of each


@contextmanager
def _simulator() -> Iterator[str]:
    command = [sys.executable, "-c", "from entrypoints.cli.main import main; main()", "simulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if address := re.search(r"http://[\d.:]+", line):
                    yield address[0]
                    return
        finally:
            process.terminate()


def main() -> int:
    """Prints each walk's numbers beside their bounds; with `--files` and `--calls` what they are. 1 where one is over
    its bound."""
    over = False
    for name, walked in measure().items():
        files, calls = walked.files, walked.calls.total()
        over = over or len(files) > BOUNDS[name] or calls > CALLS[name]
        sys.stdout.write(f"{name:24}{len(files):4} files  (bound {BOUNDS[name]}, before {BEFORE[name]})")
        sys.stdout.write(f"{calls:6} calls  (bound {CALLS[name]})\n")
        if "--files" in sys.argv:
            sys.stdout.write("".join(f"    {file}\n" for file in sorted(files)))
        if "--calls" in sys.argv:
            sys.stdout.write("".join(f"    {count:4} {call}\n" for call, count in walked.calls.most_common()))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
