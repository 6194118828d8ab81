"""Whatever calls out by HTTP goes through the one place that knows proxies, authorities and certificates."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.architecture.tree import ROOT

SRC = ROOT / "src"

CLIENTS = frozenset(
    "build_transport HttptoolsTransport AiohttpTransport "  # ours
    "AsyncClient AsyncHTTPTransport HTTPTransport ClientSession TCPConnector "  # httpx, aiohttp
    "HTTPConnection HTTPSConnection PoolManager ProxyManager URLLib3Session urlopen urlretrieve "
    "OTLPSpanExporter OTLPMetricExporter open_connection create_connection sock_connect dial".split()
)
"""What makes a client of HTTP, or a connection to make one of."""

LIBRARIES = frozenset("requests urllib3 http.client urllib.request botocore boto3 aiohttp google.auth pycurl".split())
"""Whose import brings a client."""

MODULE_CALLS = frozenset("httpx.Client httpx.get httpx.post httpx.request httpx.stream botocore.session".split())

MENTIONED = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in (*CLIENTS, *LIBRARIES, *MODULE_CALLS)))
"""In the text of a file that is worth reading as Python."""

THE_PLACE = "entrypoints/ioc/outbound.py"
PARTS = {
    "adapters/transport/client.py": {"HttptoolsTransport", "AiohttpTransport"},
    "adapters/transport/aiohttp_client.py": {"aiohttp", "ClientSession", "TCPConnector"},
    "adapters/transport/httptools_h1.py": {"dial", "create_connection"},
    "adapters/transport/dial.py": {"sock_connect"},
}
"""What that place puts together."""

LIBRARY_ALONE = {
    "adapters/dialects/bedrock/frames.py": {"botocore"},  # cuts a stream into events
    "adapters/providers/bedrock/signer.py": {"botocore"},  # signs
    "adapters/providers/vertex/tokens.py": {"google.auth"},  # calls through the provider's own transport
}
"""Libraries that could call out, used for something else."""

APART = {
    "adapters/providers/bedrock/identity.py": {"botocore"},  # the machine's own AWS identity, by AWS's variables
    "adapters/providers/vertex/google_calls.py": {
        "http.client",
        "HTTPConnection",
        "google.auth",
    },  # of a machine
    "adapters/telemetry/otlp.py": {"OTLPSpanExporter", "OTLPMetricExporter"},  # by OpenTelemetry's own variables
    "entrypoints/cli/gateway_client.py": {"httpx.Client"},  # a command asks its gateway
}
"""What calls out by rules that others have made; docs/networks.md names them."""


def names_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            owner = getattr(getattr(node.func, "value", None), "id", "")
            yield from {name} & CLIENTS
            yield from {f"{owner}.{name}"} & MODULE_CALLS
        elif isinstance(node, ast.Import | ast.ImportFrom):
            of = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from {library for name in of for library in LIBRARIES if f"{name}.".startswith(f"{library}.")}


def test_every_client_of_http_is_made_in_one_place() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(SRC.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for name in names_of(ast.parse(text)) if MENTIONED.search(text) else ():
            found[path.relative_to(SRC).as_posix()].add(name)

    assert dict(found) == {THE_PLACE: {"build_transport"}, **PARTS, **LIBRARY_ALONE, **APART}
