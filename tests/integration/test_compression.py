"""JSON of the pages' API is compressed, and no answer with a secret ever is (BREACH)."""

import gzip
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from entrypoints.http.app import api_document
from entrypoints.http.edge.compression import PREFIXES, accepts_gzip
from tests.builders import a_request_record
from tests.integration.admin_app import AdminApp
from tests.integration.people_to_sign_in import furnished

OF_SECRETS = {"secret", "token", "csrf_token", "invite_url", "link", "password", "digest"}
"""Fields of answers that hold a secret."""


@pytest.fixture
async def app() -> AdminApp:
    app = await furnished(await AdminApp.make())
    app.fakes.usage.records += [a_request_record(f"req_{number}") for number in range(50)]
    return app


@pytest.fixture
async def admin(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        client.headers["accept-encoding"] = "gzip"
        yield client


def fields_of(schema: Any, document: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names of all fields of an answer, however deep."""
    if isinstance(schema, list):
        for each in schema:
            yield from fields_of(each, document, seen)
    elif isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            yield from fields_of(document["components"]["schemas"][name], document, seen | {name})
        yield from schema.get("properties", {})
        for key, value in schema.items():
            if key not in ("example", "examples", "$ref"):
                yield from fields_of(value, document, seen)


def answers() -> Iterator[tuple[str, str, set[str]]]:
    """Method, path and the fields of the good answers of every documented route."""
    document = msgspec.json.decode(api_document())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            good = [spec for status, spec in operation.get("responses", {}).items() if status.startswith("2")]
            yield method, path, {field for spec in good for field in fields_of(spec.get("content", {}), document)}


def test_no_answer_to_a_get_of_the_pages_has_a_secret() -> None:
    found = list(answers())

    with_secrets = {(method, path) for method, path, fields in found if fields & OF_SECRETS}
    assert {("post", "/admin/keys"), ("post", "/me/keys/{key_id}/rotate")} <= with_secrets, "it finds none at all"
    assert not [path for method, path in with_secrets if method == "get" and path.startswith(PREFIXES)]


async def test_a_long_list_is_compressed_and_the_same(admin: httpx.AsyncClient) -> None:
    async with admin.stream("GET", "/admin/requests") as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    plain = await admin.get("/admin/requests", headers={"accept-encoding": "identity"})

    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
    assert int(answer.headers["content-length"]) == len(raw) < len(plain.content) / 5
    assert gzip.decompress(raw) == plain.content
    assert "content-encoding" not in plain.headers


async def test_a_file_is_compressed_as_it_is_made(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/admin/requests?format=csv")

    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.text.splitlines()) == 51


async def test_a_short_answer_and_an_error_stay_as_they_are(admin: httpx.AsyncClient) -> None:
    for path in ("/admin/model-groups", "/admin/requests/req_none"):
        assert "content-encoding" not in (await admin.get(path)).headers


async def test_what_mints_a_secret_is_never_compressed_however_long(admin: httpx.AsyncClient) -> None:
    reflected = {f"key_{number}": "x" * 200 for number in range(8)}
    minted = await admin.post("/admin/keys", json={"name": "k", "metadata": reflected})
    rotated = await admin.post(f"/admin/keys/{minted.json()['id']}/rotate")
    token = await admin.post("/admin/tokens", json={"name": "t" * 200, "scopes": ["read"]})

    for answer in (minted, rotated, token):
        assert "secret" in answer.json(), answer.text
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        (b"gzip, deflate, br", True),
        (b"br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        (b"GZIP", True),
        (b"*", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000, *", False),
        (b"identity", False),
        (b"", False),
    ],
)
def test_gzip_is_sent_to_who_takes_it(given: bytes, accepted: bool) -> None:
    assert accepts_gzip([(b"accept-encoding", given)]) is accepted
