"""What the pages are served with, from memory (S-17, S-32)."""

import gzip
import json
import re
import struct
from pathlib import Path
from urllib.parse import urljoin

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from entrypoints.web.pages import STATIC, WebPages, web_handlers

FIRST_LOAD_BYTES = 60_000
LATER_BYTES = 15_000
"""Of gzip, as a browser fetches them: goals of the pages."""

built = pytest.mark.skipif(WebPages().missing is not None, reason="the pages are not built here: `omg web build`")


def a_static(folder: Path) -> Path:
    for name in ("chat.html", "admin.html", "me.html", "main-abc.js", "worker.js"):
        content = f"content of {name} " * 20
        (folder / name).write_text(content, encoding="utf-8")
        (folder / f"{name}.gz").write_bytes(gzip.compress(content.encode()))
    (folder / "build.json").write_text('{"digest": "d"}', encoding="utf-8")
    return folder


def a_client(pages: WebPages) -> TestClient[Litestar]:
    return TestClient(Litestar(web_handlers(pages), openapi_config=None))


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/app", "chat.html"),
        ("/app/", "chat.html"),
        ("/app/c/some-id", "chat.html"),
        ("/app/administrator", "chat.html"),
        ("/app/admin", "admin.html"),
        ("/app/admin/requests", "admin.html"),
        ("/app/me/keys", "me.html"),
    ],
)
def test_every_address_has_the_document_of_its_app(tmp_path: Path, path: str, document: str) -> None:
    with a_client(WebPages(a_static(tmp_path))) as client:
        answer = client.get(path)

    assert answer.status_code == 200
    assert document in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert policy.endswith("trusted-types omg" if document == "chat.html" else "trusted-types 'none'")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("identity", False), ("gzip;q=0", False), ("", False)],
)
def test_a_file_goes_out_compressed_to_whoever_takes_that(tmp_path: Path, accepted: str, packed: bool) -> None:
    with a_client(WebPages(a_static(tmp_path))) as client:
        answer = client.get("/assets/web/main-abc.js", headers={"accept-encoding": accepted})

    assert answer.text == "content of main-abc.js " * 20
    assert ("content-encoding" in answer.headers) is packed
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "name", ["nothing.js", "chat.html", "worker.js", "build.json", "main-abc.js.gz", "..%2Fpages.py", "%2e%2e"]
)
def test_what_is_no_asset_is_not_found(tmp_path: Path, name: str) -> None:
    """S-32."""
    with a_client(WebPages(a_static(tmp_path))) as client:
        assert client.get(f"/assets/web/{name}").status_code == 404


def test_the_worker_is_served_under_the_pages_and_may_fetch(tmp_path: Path) -> None:
    with a_client(WebPages(a_static(tmp_path))) as client:
        answer = client.get("/app/worker.js")

    assert answer.headers["content-type"].startswith("text/javascript")
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-cache"


def test_a_rebuild_under_a_running_server_changes_nothing(tmp_path: Path) -> None:
    pages = WebPages(a_static(tmp_path))
    for path in tmp_path.iterdir():
        path.unlink()

    with a_client(pages) as client:
        assert client.get("/app").status_code == 200
        assert client.get("/assets/web/main-abc.js").status_code == 200


def test_without_pages_one_reads_why_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "build.json").write_text(json.dumps({"reason": "npm ci: <b>no registry</b>"}), encoding="utf-8")
    pages = WebPages(tmp_path)

    with a_client(pages) as client:
        answer = client.get("/app")

    assert answer.status_code == 503
    assert "npm ci: &lt;b&gt;no registry&lt;/b&gt;" in answer.text
    assert "uv run omg web build" in answer.text
    assert pages.missing == "npm ci: <b>no registry</b>"
    assert WebPages(tmp_path / "none").missing == "nothing was built yet"


@built
@pytest.mark.parametrize("name", ["chat.html", "admin.html", "me.html"])
def test_the_first_load_of_a_page_is_small_and_has_nothing_inline(name: str) -> None:
    document = (STATIC / name).read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="/assets/web/([^"]+)"', document)

    sent = [packed if (packed := STATIC / f"{one}.gz").exists() else STATIC / one for one in named]
    assert sum(path.stat().st_size for path in sent) <= FIRST_LOAD_BYTES
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=", document)


@built
def test_what_a_page_fetches_later_is_small() -> None:
    first = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.html"))
    later = {path.name: path.stat().st_size for path in STATIC.glob("*.js.gz") if path.stem not in first}

    assert {name: size for name, size in later.items() if size > LATER_BYTES} == {}


@built
def test_below_a_base_path_the_shells_load_their_files_from_there() -> None:
    with a_client(WebPages(base_path="/llm")) as client:
        shells = [client.get(path).text for path in ("/app", "/app/admin", "/app/me")]
        unpacked = client.get("/app", headers={"accept-encoding": "identity"}).text
        worker = client.get("/app/worker.js")

    for shell in shells:
        loaded = re.findall(r'(?:src|href)="([^"]+)"', shell)
        assert len(loaded) > 3
        assert [each for each in loaded if not each.startswith("/llm/assets/web/")] == []
    assert unpacked == shells[0]
    assert worker.headers["service-worker-allowed"] == "/llm/app"


@built
@pytest.mark.parametrize("base_path", ["", "/llm"])
def test_the_chat_is_an_app_that_can_be_installed_below_any_path(base_path: str) -> None:
    """What Chromium asks for: a name, a start, a display of its own, icons of 192 and 512 pixels; and iOS of 180."""
    with a_client(WebPages(base_path=base_path)) as client:
        shell = client.get("/app")
        [link] = re.findall(r'<link rel="manifest" href="([^"]+)">', shell.text)
        [colour] = re.findall(r'<meta name="theme-color" content="([^"]+)"', shell.text)
        [home_screen] = re.findall(r'<link rel="apple-touch-icon" href="([^"]+)"', shell.text)
        answer = client.get(link.removeprefix(base_path))
        manifest = answer.json()
        icons = {urljoin(link, one["src"]): one for one in manifest["icons"]} | {home_screen: {"sizes": "180x180"}}
        drawn = {url: client.get(url.removeprefix(base_path)) for url in icons}

    assert link.startswith(f"{base_path}/assets/web/")
    assert "manifest-src 'self'" in shell.headers["content-security-policy"]
    assert answer.headers["content-type"].startswith("application/manifest+json")
    assert urljoin(link, manifest["start_url"]) == urljoin(link, manifest["scope"]) == f"{base_path}/app"
    assert (manifest["short_name"], manifest["display"]) == ("omg", "standalone")
    assert manifest["theme_color"] == manifest["background_color"] == colour
    assert {one["sizes"] for one in icons.values()} == {"any", "192x192", "512x512", "180x180"}
    assert [one["sizes"] for one in icons.values() if one.get("purpose") == "maskable"] == ["512x512"]
    for url, icon in icons.items():
        assert drawn[url].status_code == 200
        assert icon["sizes"] in {"any", "{}x{}".format(*struct.unpack(">8x4x4xII", drawn[url].content[:24]))}


@built
@pytest.mark.parametrize("address", ["/app/admin", "/app/me"])
def test_console_and_account_are_no_apps_of_their_own(address: str) -> None:
    with a_client(WebPages()) as client:
        assert "manifest" not in client.get(address).text


@built
def test_the_scripts_know_no_address_of_their_own_but_where_they_were_loaded_from() -> None:
    """So that they work below any base path, without a rebuild."""
    scripts = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")}
    loading = re.compile(r"""(?:import\(|from|new URL\()["'`]/""")

    assert [name for name, script in scripts.items() if loading.search(script)] == []
    assert [name for name, script in scripts.items() if re.search(r"""["'`]/assets/web/[^"'`]""", script)] == []


def test_where_nothing_is_built_the_page_leads_to_the_api_below_the_base_path(tmp_path: Path) -> None:
    with a_client(WebPages(tmp_path, "/llm")) as client:
        assert 'href="/llm/docs"' in client.get("/app").text
