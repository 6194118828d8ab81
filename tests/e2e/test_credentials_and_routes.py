"""Every carrier of a key, every way people get the base URL wrong, and the provider-scoped endpoints."""

import json
from typing import Any

import httpx
import openai
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator
from tests.raw_client import open_socket, send_bytes

pytestmark = pytest.mark.process

ASK = [{"role": "user", "content": "hello there"}]
CARRIERS = {
    "authorization": "Bearer {}",
    "x-api-key": "{}",
    "api-key": "{}",
    "x-goog-api-key": "{}",
}


def call(gateway: Gateway, headers: dict[str, str], path: str = "/v1/models", **body: Any) -> httpx.Response:
    """A request that carries these headers and no others of ours."""
    method = "POST" if body else "GET"
    return httpx.request(method, gateway.url + path, headers=headers, json=body or None, timeout=15)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_every_carrier_of_a_key_opens_and_fails_alike(gateway: Gateway, upstream: str, carrier: str) -> None:
    """S-05."""
    good = {carrier: CARRIERS[carrier].format(gateway.key)}
    wrong = {carrier: CARRIERS[carrier].format(gateway.key[:-1] + ("x" if gateway.key[-1] != "x" else "y"))}

    assert call(gateway, good).status_code == 200
    assert call(gateway, good, "/v1/chat/completions", model=f"{upstream}/m", messages=ASK).status_code == 200
    for path, body in (("/v1/models", {}), ("/v1/chat/completions", {"model": f"{upstream}/m", "messages": ASK})):
        refused = call(gateway, wrong, path, **body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_restricted_key_is_restricted_in_every_carrier(gateway: Gateway, upstream: str, carrier: str) -> None:
    """S-05: the restriction belongs to the key, not to the header it came in."""
    made = gateway.admin.post("/keys", json={"name": "narrow", "allowed_models": ["some/other-model"]})
    assert made.status_code == 201, made.text
    headers = {carrier: CARRIERS[carrier].format(made.json()["secret"])}

    refused = call(gateway, headers, "/v1/chat/completions", model=f"{upstream}/m", messages=ASK)

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")


def test_the_same_key_in_several_carriers_is_fine(gateway: Gateway) -> None:
    headers = {name: value.format(gateway.key) for name, value in CARRIERS.items()}

    assert call(gateway, headers).status_code == 200


def test_two_different_keys_in_one_request_are_refused(gateway: Gateway) -> None:
    headers = {"authorization": f"Bearer {gateway.key}", "x-api-key": "sk-omg-another"}

    assert call(gateway, headers).status_code == 400


@pytest.mark.parametrize("name", ["key", "api_key", "api-key", "access_token"])
def test_a_key_in_the_query_string_is_refused(gateway: Gateway, name: str) -> None:
    """S-05: it would land in access logs."""
    answer = call(gateway, {"authorization": f"Bearer {gateway.key}"}, f"/v1/models?{name}={gateway.key}")

    assert answer.status_code == 400
    assert gateway.key not in answer.text


def test_no_key_is_refused_in_openais_words(gateway: Gateway) -> None:
    answer = call(gateway, {})

    assert answer.status_code == 401
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_the_admin_token_is_no_key_and_a_key_is_no_admin_token(gateway: Gateway) -> None:
    assert call(gateway, {"authorization": f"Bearer {gateway.admin_token}"}).status_code == 401
    assert call(gateway, {"authorization": f"Bearer {gateway.key}"}, "/admin/providers").status_code == 401


@pytest.mark.parametrize("base", ["/v1", "", "//v1", "/v1/"])
def test_mistaken_base_urls_are_forgiven(gateway: Gateway, upstream: str, base: str) -> None:
    headers = {"authorization": f"Bearer {gateway.key}"}
    prefix = base.rstrip("/")

    assert call(gateway, headers, f"{prefix}/models").json()["object"] == "list"
    for suffix in ("", "/", "?beta=true"):
        answer = call(gateway, headers, f"{prefix}/chat/completions{suffix}", model=f"{upstream}/m", messages=ASK)
        assert answer.status_code == 200, (base, suffix, answer.text)


@pytest.mark.parametrize("base", ["", "/v1", "/v1/"])
def test_the_official_client_works_with_mistaken_base_urls(gateway: Gateway, upstream: str, base: str) -> None:
    client = gateway.openai(base)

    answer = client.chat.completions.create(model=f"{upstream}/m", messages=[{"role": "user", "content": "hi"}])

    assert answer.choices[0].message.content == "hi"


@pytest.mark.parametrize("path", ["/", "/health", "/api/hello", "/v1/tcp_warming", "/health/live", "/health/ready"])
def test_probes_are_answered_quickly_without_a_key(gateway: Gateway, path: str) -> None:
    assert call(gateway, {}, path).status_code == 200
    if not path.startswith("/health/"):
        assert httpx.head(gateway.url + path, timeout=5).status_code == 200


def test_content_type_and_accept_never_matter(gateway: Gateway, upstream: str) -> None:
    body = json.dumps({"model": f"{upstream}/m", "messages": ASK, "stream": True}).encode()
    for extra in ({}, {"content-type": "text/plain"}, {"accept": "application/json"}, {"accept": "text/html"}):
        answer = gateway.http.post("/v1/chat/completions", content=body, headers=extra)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")


def test_unknown_query_parameters_are_ignored(gateway: Gateway) -> None:
    assert gateway.http.get("/v1/models?limit=1000&beta=true").status_code == 200


def test_a_model_id_may_come_raw_or_percent_encoded(gateway: Gateway, add_upstream: AddUpstream) -> None:
    name = add_upstream(settings={"models": ["family/m:free"]})

    for written in (f"{name}/family/m:free", f"{name}%2Ffamily%2Fm%3Afree"):
        assert gateway.http.get(f"/v1/models/{written}").json()["id"] == f"{name}/family/m:free"


def test_provider_scoped_endpoints_answer_from_that_provider_alone(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    one, other = (add_upstream(settings={"models": ["twin"]}) for _ in range(2))

    for name in (one, other):
        client = gateway.openai(f"/{name}/v1")
        raw = client.chat.completions.with_raw_response.create(
            model="twin", messages=[{"role": "user", "content": "hi"}]
        )
        listed = client.models.list().data
        assert raw.headers["x-omg-provider"] == name
        assert "twin" in {model.id.removeprefix(f"{name}/") for model in listed}
        assert {model.to_dict()["provider"] for model in listed} == {name}
        assert client.models.retrieve("twin").to_dict()["provider"] == name
    assert [len(simulator.calls(name)) for name in (one, other)] == [1, 1]


def test_a_pinned_provider_that_fails_has_no_fallback(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    pinned = add_upstream(behaviours={"twin": "sim-429-retry-30s"}, settings={"models": ["twin"]})
    other = add_upstream(settings={"models": ["twin"]})

    with pytest.raises(openai.RateLimitError):
        gateway.openai(f"/{pinned}/v1").chat.completions.create(
            model="twin", messages=[{"role": "user", "content": "hi"}]
        )

    assert simulator.calls(other) == []


@pytest.mark.parametrize("path", ["chat/completions", "models", "models/x"])
def test_an_unknown_provider_in_the_path_is_not_found(gateway: Gateway, path: str) -> None:
    body: dict[str, Any] = {"model": "m", "messages": ASK} if path == "chat/completions" else {}

    answer = call(gateway, {"authorization": f"Bearer {gateway.key}"}, f"/no-such-provider/v1/{path}", **body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "provider_not_found")


@pytest.mark.parametrize("provider", ["Capital", "a.b", "x" * 80, "v2"])
def test_a_provider_id_that_no_provider_can_have_is_not_found(gateway: Gateway, provider: str) -> None:
    answer = gateway.http.get(f"/{provider}/v1/models")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "provider_not_found")


@pytest.mark.parametrize("name", ["admin", "docs", "health"])
def test_a_reserved_name_is_no_provider(gateway: Gateway, name: str) -> None:
    assert gateway.http.get(f"/{name}/v1/models").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nonsense", 404),
        ("PUT", "/v1/models", 405),
        ("GET", "/v1/chat/completions", 405),
        ("GET", "/x/y/z", 404),
    ],
)
def test_unknown_routes_and_methods_have_the_contracts_body(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    answer = gateway.http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert answer.json()["request_id"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"model": NaN}', b"[" * 100_000, b'{"a":' * 3000]
)
def test_a_body_that_is_no_request_is_a_400(gateway: Gateway, body: bytes) -> None:
    answer = gateway.http.post("/v1/chat/completions", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_body_beyond_the_limit_is_refused(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/chat/completions", content=b" " * (33 * 1024 * 1024))

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    "head",
    [
        "GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: local host/x?\r\nconnection: close\r\n\r\n",
    ],
    ids=["none", "two", "foreign", "odd"],
)
def test_a_host_header_that_is_missing_doubled_foreign_or_odd_is_refused(gateway: Gateway, head: str) -> None:
    with open_socket(gateway.port) as connection:
        send_bytes(connection, head.encode())
        answer = connection.recv(65536)

    assert answer.split(b" ", 2)[1] in {b"400", b"421"}


def test_a_well_formed_request_id_is_kept_and_an_odd_one_replaced(gateway: Gateway) -> None:
    kept = gateway.http.get("/v1/models", headers={"x-request-id": "req-abc.123"})
    replaced = gateway.http.get("/v1/models", headers={"x-request-id": "a b<script>" + "x" * 300})

    assert kept.headers["x-request-id"] == "req-abc.123"
    assert "script" not in replaced.headers["x-request-id"]
