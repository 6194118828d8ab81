"""Prints what each upstream transport costs: CPU microseconds a request, in interleaved rounds of one run.

    uv run python -m bench.transports [--rounds 5] [--requests 3000] [--concurrency 32]

Plain: a small JSON answer. Stream: 60 server-sent events as 60 chunks. Each over HTTP and over TLS, on uvloop,
as the adapters call them: a lean `httpx.Request` given to the transport, the body read from the response. The
upstream is a child process of its own, so only the client's CPU is counted (threads included).
"""

import argparse
import asyncio
import multiprocessing
import resource
import ssl
import statistics
import tempfile
from multiprocessing.connection import Connection

import httpx
import trustme
import uvloop
from tests.contracts.pyreqwest_transport import PyreqwestTransport

from adapters.transport.client import build_transport
from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from adapters.transport.tls import NO_FILES, TlsFiles

BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 300 + b'"}]}'
ANSWER = b'{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"message":"' + b"y" * 700 + b'"}]}'
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
EVENT = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"delta":"' + b"z" * 220 + b'"}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
HEADERS = httpx.Headers(
    {"content-type": "application/json", "authorization": "Bearer sk-up", "accept": "application/json"}
)
NAMES = ("httptools", "aiohttp", "pyreqwest")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(BODY))
            if b"/stream " not in head:
                writer.write(PLAIN)
                continue
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(60):
                writer.write(CHUNK)
                await asyncio.sleep(0)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def upstream(certificate: bytes, answer: "Connection[list[int], None]") -> None:
    """The child process: one plain port, one with TLS."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate)
        file.flush()
        context.load_cert_chain(file.name)

    async def run() -> None:
        servers = [await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) for tls in (None, context)]
        answer.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    uvloop.run(run())


def make(name: str, base_url: str, ca_file: str) -> httpx.AsyncBaseTransport:
    limits, guard = TransportLimits(), EgressGuard.for_provider(base_url)
    if name == "pyreqwest":
        return PyreqwestTransport(limits, guard, ca_file=ca_file)
    return build_transport(name, limits, guard, tls=TlsFiles((ca_file,)) if ca_file else NO_FILES)


async def call(transport: httpx.AsyncBaseTransport, url: httpx.URL) -> int:
    request = httpx.Request("POST", url, headers=HEADERS, stream=httpx.ByteStream(BODY))
    response = await transport.handle_async_request(request)
    body = response.extensions.get("body")
    if body is not None:
        return len(body)
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        return sum([len(piece) async for piece in stream])
    finally:
        await stream.aclose()


async def measure(transport: httpx.AsyncBaseTransport, url: httpx.URL, requests: int, concurrency: int) -> float:
    """CPU microseconds a request."""
    expected = 60 * len(EVENT) if url.path == "/stream" else len(ANSWER)
    left = iter(range(requests))

    async def caller() -> None:
        for _ in left:
            size = await call(transport, url)
            assert size == expected, f"{size} bytes instead of {expected}"

    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent / requests * 1e6


async def compare(ports: list[int], ca_file: str, rounds: int, requests: int, concurrency: int) -> None:
    bases = dict(zip(("http", "https"), ports, strict=True))
    transports = {
        (name, scheme): make(name, f"{scheme}://127.0.0.1:{port}", ca_file)
        for name in NAMES
        for scheme, port in bases.items()
    }
    urls = {
        (s, kind): httpx.URL(f"{s}://127.0.0.1:{p}/{kind}") for s, p in bases.items() for kind in ("plain", "stream")
    }
    figures: dict[tuple[str, str, str], list[float]] = {}
    for number in range(rounds + 1):  # the first warms up
        for (scheme, kind), url in urls.items():
            count = requests if kind == "plain" else requests // 5
            for name in NAMES:
                cost = await measure(transports[name, scheme], url, count, concurrency)
                if number:
                    figures.setdefault((name, scheme, kind), []).append(cost)
    for transport in transports.values():
        await transport.aclose()

    columns = list(urls)
    print("| transport | " + " | ".join(f"{kind}, {scheme}" for scheme, kind in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name in NAMES:
        cells = []
        for scheme, kind in columns:
            own, best = (statistics.median(figures[n, scheme, kind]) for n in (name, NAMES[0]))
            cells.append(f"{own:.0f} µs ({own / best:.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--concurrency", type=int, default=32)
    options = parser.parse_args()
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    certificate = leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    mine, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=upstream, args=(certificate, theirs), daemon=True)
    child.start()
    try:
        ports: list[int] = mine.recv()
        with authority.cert_pem.tempfile() as ca_file:
            uvloop.run(compare(ports, ca_file, options.rounds, options.requests, options.concurrency))
    finally:
        child.terminate()


if __name__ == "__main__":
    main()
