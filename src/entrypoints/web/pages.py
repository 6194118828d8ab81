"""The routes of the web pages: three documents under `/app`, and their files under `/assets/web`, from memory."""

import gzip
import html
import logging
from pathlib import Path

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_IMMUTABLE = "public, max-age=31536000, immutable"
_SOURCES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
)
_POLICIES = {"admin.html": _SOURCES + "'none'", "me.html": _SOURCES + "'none'", "chat.html": _SOURCES + "omg"}
"""The chat has one Trusted Types policy: it lets the address of the service worker through, and nothing else."""
_WORKER = "worker.js"
_WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
"""Of the service worker: a worker's own answer decides what it may fetch."""
_NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Open Model Gateway</title></head>
<body>
<h1>The web pages are not built</h1>
<p>The gateway runs, and its <a href="{base}/docs">API</a> works. Its pages are made from their sources with Node, and
that failed: {reason}.</p>
<p>To build them, run this where the gateway is installed, with the npm registry in reach, and restart the gateway:</p>
<pre>uv run omg web build</pre>
</body>
</html>
"""


class WebFile(msgspec.Struct, frozen=True):
    """One built file, as it is sent. `compressed` says that `content` is its gzip."""

    content: bytes
    content_type: str
    compressed: bool


class WebPages:
    """Everything in `static`, read once: a rebuild replaces the files, and a running server goes on with its own.

    They are built for a host's root. Below a `base_path` the shells load their files from there, and the scripts
    take it from where they were loaded.
    """

    def __init__(self, static: Path = STATIC, base_path: str = "") -> None:
        self._base_path = base_path
        self._files: dict[str, WebFile] = {}
        for path in sorted(static.iterdir()) if static.is_dir() else ():
            if path.suffix in _TYPES:
                packed = path.with_name(path.name + ".gz")
                compressed = packed.is_file()
                content = (packed if compressed else path).read_bytes()
                if base_path and path.suffix == ".html":
                    content = _below(base_path, gzip.decompress(content) if compressed else content)
                    content = gzip.compress(content, mtime=0) if compressed else content
                self._files[path.name] = WebFile(content, _TYPES[path.suffix], compressed)
        self._reason = "" if "chat.html" in self._files else _reason(static)

    @property
    def missing(self) -> str | None:
        """Why there are no pages; None where there are."""
        return self._reason or None

    def shell(self, path: str, packed: bool) -> Response[bytes]:
        """The document of an address under `/app`; 503 and what to do where nothing is built."""
        if self._reason:
            text = _NOT_BUILT.format(reason=html.escape(self._reason), base=self._base_path)
            return Response(text.encode(), status_code=503, media_type=_TYPES[".html"])
        first = path.strip("/").partition("/")[0]
        name = f"{first}.html" if first in {"admin", "me"} else "chat.html"
        return _answer(self._files[name], packed, {"content-security-policy": _POLICIES[name]})

    def asset(self, name: str, packed: bool) -> Response[bytes]:
        """A file whose name has a hash: it never changes. Raises `NotFoundException`."""
        found = self._files.get(name)
        if found is None or name.endswith(".html") or name == _WORKER:
            raise NotFoundException
        return _answer(found, packed, {"cache-control": _IMMUTABLE})

    def worker(self, packed: bool) -> Response[bytes]:
        """The service worker, under `/app` so that it may serve what is there. Raises `NotFoundException`."""
        found = self._files.get(_WORKER)
        if found is None:
            raise NotFoundException
        return _answer(
            found,
            packed,
            {
                "content-security-policy": _WORKER_POLICY,
                "cache-control": "no-cache",
                "service-worker-allowed": f"{self._base_path}/app",
            },
        )


def web_handlers(pages: WebPages) -> list[HTTPRouteHandler]:
    """The routes. Whether one is signed in the pages find out themselves, from the API they use."""

    @get("/app", include_in_schema=False, name="chatPage")
    async def chat(request: Request[object, object, State]) -> Response[bytes]:
        return pages.shell("", _takes_gzip(request))

    @get("/app/{path:path}", include_in_schema=False, name="webPage")
    async def page(request: Request[object, object, State], path: FromPath[str]) -> Response[bytes]:
        return pages.shell(path, _takes_gzip(request))

    @get("/app/worker.js", include_in_schema=False, name="webWorker")
    async def worker(request: Request[object, object, State]) -> Response[bytes]:
        return pages.worker(_takes_gzip(request))

    @get("/assets/web/{name:str}", include_in_schema=False, name="webAsset")
    async def asset(request: Request[object, object, State], name: FromPath[str]) -> Response[bytes]:
        return pages.asset(name, _takes_gzip(request))

    return [chat, page, worker, asset]


def _answer(file: WebFile, packed: bool, headers: dict[str, str]) -> Response[bytes]:
    content = file.content
    headers = {**headers, "vary": "accept-encoding"}
    if file.compressed and packed:
        headers["content-encoding"] = "gzip"
    elif file.compressed:
        content = gzip.decompress(content)
    return Response(content, media_type=file.content_type, headers=headers)


def _below(base_path: str, shell: bytes) -> bytes:
    return shell.replace(b'="/assets/web/', f'="{base_path}/assets/web/'.encode())


def _takes_gzip(request: Request[object, object, State]) -> bool:
    """Whether the client names gzip and does not weigh it with nothing (`gzip;q=0`)."""
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _reason(static: Path) -> str:
    try:
        left = msgspec.json.decode((static / "build.json").read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        left = {}
    return left.get("reason") or "nothing was built yet"
