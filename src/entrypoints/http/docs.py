"""`/openapi.json`, and `/docs`: Swagger UI from a wheel, served by the gateway itself, with no inline script."""

import asyncio
import hashlib
from collections.abc import Callable
from importlib.resources import files

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

_PACKAGE = "swagger_ui_bundle"
_OWN = "entrypoints.http"
_IMMUTABLE = {"cache-control": "public, max-age=31536000, immutable"}

_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".png": "image/png"}
_VENDORED = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
_OURS = ("docs.js", "docs.css")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Open Model Gateway API</title>
<link rel="icon" type="image/png" href="{favicon-32x32.png}">
<link rel="stylesheet" href="{swagger-ui.css}">
<link rel="stylesheet" href="{docs.css}">
</head>
<body>
<div id="docs"><noscript>This page needs JavaScript; the same facts are in \
<a href="{base}/openapi.json">/openapi.json</a>.</noscript></div>
<script src="{swagger-ui-bundle.js}"></script>
<script src="{docs.js}"></script>
</body>
</html>
"""


class DocsAssets:
    """The page and its files, read when first asked for. Names carry a hash, so that they never change."""

    def __init__(self, base_path: str = "") -> None:
        self._base_path = base_path
        self._files: dict[str, tuple[bytes, str]] | None = None
        self._page = b""

    def page(self) -> bytes:
        self._load()
        return self._page

    def file(self, name: str) -> tuple[bytes, str] | None:
        """Content and content type, None for a name that is none of ours."""
        return self._load().get(name)

    def _load(self) -> dict[str, tuple[bytes, str]]:
        if self._files is not None:
            return self._files
        loaded: dict[str, tuple[bytes, str]] = {}
        page = _PAGE.replace("{base}", self._base_path)
        folders = sorted(files(_PACKAGE).joinpath("vendor").iterdir(), key=lambda folder: folder.name)
        own = files(_OWN).joinpath("docs_page")
        for folder, names in ((folders[-1], _VENDORED), (own, _OURS)):
            for name in names:
                content = folder.joinpath(name).read_bytes()
                stem, dot, suffix = name.rpartition(".")
                hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
                loaded[hashed] = (content, _KINDS[dot + suffix])
                page = page.replace("{" + name + "}", f"{self._base_path}/docs/assets/{hashed}")
        self._page = page.encode()
        self._files = loaded
        return loaded


def docs_handlers(document: Callable[[], bytes], base_path: str = "") -> list[HTTPRouteHandler]:
    """`document` makes the OpenAPI document; it is called once, in a thread. Links lead below `base_path`."""
    assets = DocsAssets(base_path)
    made: list[bytes] = []

    @get("/openapi.json", include_in_schema=False, name="openapi")
    async def openapi() -> Response[bytes]:
        if not made:
            made.append(await asyncio.to_thread(document))
        return Response(made[0], media_type="application/json")

    @get("/docs", include_in_schema=False, name="docs")
    async def page() -> Response[bytes]:
        return Response(await asyncio.to_thread(assets.page), media_type="text/html")

    @get("/docs/assets/{name:str}", include_in_schema=False, name="docsAsset")
    async def asset(name: FromPath[str]) -> Response[bytes]:
        found = await asyncio.to_thread(assets.file, name)
        if found is None:
            raise NotFoundException
        return Response(found[0], media_type=found[1], headers=_IMMUTABLE)

    return [openapi, page, asset]
