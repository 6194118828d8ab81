"""What every request passes before its handler, and the shape of every error (contract 4, 5, 6)."""

import json

import pytest
from typing_extensions import override

from application.admission.authentication import Authenticator
from application.admission.last_used import LastUsed
from domain.keys import Principal
from entrypoints.http.edge.config import EdgeConfig
from entrypoints.http.edge.drain import DrainState
from tests.fakes.clock import FakeClock
from tests.fakes.security import FakeHasher
from tests.fakes.store import MemoryStore
from tests.unit.entrypoints.http.harness import AUTH, CHAT, EDGE, KEY, Answer, Harness, a_framework

CHAT_BODY = json.dumps(CHAT).encode()


@pytest.fixture
async def http() -> Harness:
    return await Harness.make()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/health", "/api/hello", "/v1/tcp_warming"])
async def test_probes_are_answered_at_once(http: Harness, method: str, path: str) -> None:
    answer = await http.client().request(method, path)

    assert answer.status == 200


async def test_a_browser_at_the_root_is_sent_to_the_pages_and_a_client_is_not(http: Harness) -> None:
    browser = await http.get("/", (b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8"))
    client = await http.get("/", (b"accept", b"*/*"))

    assert (browser.status, browser.headers["location"]) == (303, "/app")
    assert client.status == 200
    assert (await http.get("/health", (b"accept", b"text/html"))).body == b'{"status":"ok"}'


async def test_head_is_answered_as_get_is(http: Harness) -> None:
    for path in ("/v1/models", "/page", "/health/live"):
        assert (await http.client().request("HEAD", path, (AUTH,))).status == 200


async def test_a_well_formed_request_id_is_kept_and_another_is_replaced(http: Harness) -> None:
    kept = await http.get("/v1/models", (b"x-request-id", b"trace-1.a_B"))
    assert kept.headers["x-request-id"] == "trace-1.a_B"

    for bad in (b"a b", b"", b"a" * 129, b"a\r\nset-cookie: e=1", b"\xff"):
        replaced = await http.get("/v1/models", (b"x-request-id", bad))
        assert replaced.headers["x-request-id"].startswith("req_")


async def test_json_answers_carry_security_headers(http: Harness) -> None:
    for path in ("/v1/models", "/crash", "/nothing"):
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_pages_carry_the_strict_policy_and_hsts_only_on_https() -> None:
    plain = (await (await Harness.make()).get("/page")).headers
    secure = (await (await Harness.make(EdgeConfig(allowed_hosts=("localhost",), https=True))).get("/page")).headers

    assert "script-src 'self'" in plain["content-security-policy"]
    assert "unsafe" not in plain["content-security-policy"]
    assert plain["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in plain
    assert secure["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("POST", "/alpha/v1/nothing", 404, "not_found"),
        ("GET", "/v1/chat/completions", 405, "method_not_supported"),
        ("DELETE", "/v1/models", 405, "method_not_supported"),
        ("DELETE", "/crash", 405, "method_not_supported"),
        ("BREW", "/crash", 405, "method_not_supported"),
        ("GET", "/crash", 500, "internal_error"),
        ("GET", "/admin/v1/models", 404, "not_found"),
    ],
)
async def test_every_error_has_the_one_body(http: Harness, method: str, path: str, status: int, code: str) -> None:
    answer = await http.client().request(method, path, (AUTH,))

    assert (answer.status, answer.code) == (status, code)
    assert "secret detail" not in answer.body.decode()


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing", 404, "not_found_error"),
        ("POST", "/v1/messages/batches", 404, "not_found_error"),
        ("GET", "/v1/files", 404, "not_found_error"),
        ("POST", "/alpha/v1/nothing", 404, "not_found_error"),
        ("POST", "/nobody/v1/messages", 404, "not_found_error"),
        ("POST", "/nobody/v1/chat/completions", 404, "not_found_error"),
        ("DELETE", "/v1/models", 405, "invalid_request_error"),
        ("GET", "/crash", 500, "api_error"),
    ],
)
async def test_every_error_to_anthropics_clients_has_their_shape(
    http: Harness, method: str, path: str, status: int, kind: str
) -> None:
    version = (b"anthropic-version", b"2023-06-01")

    answer = await http.client().request(method, path, (AUTH, version))

    body = answer.json()
    assert (answer.status, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["request_id"] == answer.headers["x-request-id"]


async def test_a_crash_of_an_inference_handler_is_500_without_detail(
    http: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    http.pipeline.error = RuntimeError("secret detail")

    answer = await http.chat()

    assert (answer.status, answer.code) == (500, "internal_error")
    assert "secret detail" not in answer.body.decode()
    assert caplog.records[0].exc_info
    assert caplog.records[0].__dict__["request_id"] == answer.headers["x-request-id"]


async def test_a_framework_that_breaks_is_answered_for() -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("no")

    answer = await (await Harness.make(framework=broken)).get("/whatever")

    assert (answer.status, answer.code) == (500, "internal_error")


@pytest.mark.parametrize("host", [None, b"evil.example", b"localhost/..", b"a?b"])
async def test_a_strange_host_is_refused_before_anything_else(http: Harness, host: bytes | None) -> None:
    probes = () if host == b"evil.example" else ("/health/live",)  # which is asked by whatever address
    for path in ("/", "/v1/models", "/nothing", *probes):
        answer = await http.client().request("GET", path, (AUTH,), host=host)
        assert (answer.status, answer.code) == (400, "invalid_host")


@pytest.mark.parametrize(
    "headers",
    [[(b"x-h", b"v")] * 101, [(b"x-h", b"v" * 33_000)]],
    ids=["too many", "too large"],
)
async def test_header_blocks_are_bounded(http: Harness, headers: list[tuple[bytes, bytes]]) -> None:
    answer = await http.get("/v1/models", *headers)

    assert (answer.status, answer.code) == (431, "headers_too_large")


async def test_addresses_are_bounded(http: Harness) -> None:
    answer = await http.get("/v1/models/" + "m" * 4096)

    assert (answer.status, answer.code) == (414, "url_too_long")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/admin/things", "/page"])
async def test_a_key_in_the_query_is_refused_on_every_path(http: Harness, path: str) -> None:
    answer = await http.client().request("GET", path, (AUTH,), query=b"key=" + KEY.encode())

    assert (answer.status, answer.code) == (400, "api_key_in_query")


async def test_unknown_query_parameters_are_ignored(http: Harness) -> None:
    answer = await http.client().request("GET", "/v1/models", (AUTH,), query=b"limit=1000&beta=true")

    assert answer.status == 200


@pytest.mark.parametrize("carrier", [b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"])
async def test_each_carrier_is_authenticated_alike(http: Harness, carrier: bytes) -> None:
    good = await http.client().request("GET", "/v1/models", ((carrier, KEY.encode()),))
    bad = await http.client().request("GET", "/v1/models", ((carrier, b"wrong-wrong-wrong-wrong"),))

    assert good.status == 200
    assert (bad.status, bad.code, bad.error["type"]) == (401, "invalid_api_key", "invalid_request_error")


async def test_two_different_keys_are_refused(http: Harness) -> None:
    answer = await http.get("/v1/models", (b"x-api-key", b"another-key-entirely"))

    assert (answer.status, answer.code) == (400, "conflicting_api_keys")


async def test_whatever_breaks_in_authentication_is_a_refusal_and_the_handler_is_not_entered() -> None:
    class Broken(Authenticator):
        @override
        async def authenticate(self, token: str | None) -> Principal:
            raise LookupError("bug")

    http = await Harness.make(authenticator=Broken(MemoryStore(), FakeHasher(), FakeClock(), LastUsed(MemoryStore())))

    answer = await http.chat()

    assert (answer.status, answer.code) == (503, "store_unavailable")
    assert http.pipeline.calls == []


async def test_a_full_process_says_when_to_come_back() -> None:
    http = await Harness.make(drain=DrainState(max_in_flight=0))

    for answer in (await http.get("/v1/models"), await http.get("/page"), await http.chat()):
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "overloaded", "1")
    assert (await http.get("/health/live")).status == 200


async def test_while_shutting_down_only_health_answers(http: Harness) -> None:
    http.services.drain.refuse()

    assert (await http.get("/v1/models")).code == "shutting_down"
    assert (await http.get("/health/live")).status == 200


async def test_requests_are_counted_out_again_however_they_end(http: Harness) -> None:
    http.pipeline.error = RuntimeError("x")
    await http.chat()
    await http.get("/crash")
    await http.client().request("POST", "/v1/chat/completions", ())

    assert http.services.drain.in_flight == 0


async def test_the_framework_sees_the_client_behind_trusted_proxies() -> None:
    seen: list[object] = []
    litestar = a_framework()

    async def framework(scope: object, receive: object, send: object) -> None:
        seen.append(scope["client"][0])  # type: ignore[index]  # an ASGI scope
        await litestar(scope, receive, send)  # type: ignore[arg-type]  # passed on as it came

    http = await Harness.make(
        EdgeConfig(allowed_hosts=("localhost",), trusted_proxies=("203.0.113.0/24",)), framework=framework
    )
    await http.get("/page", (b"x-forwarded-for", b"1.2.3.4, 198.51.100.1"), (b"x-forwarded-for", b"203.0.113.77"))

    assert seen == ["198.51.100.1"]


async def test_a_framework_body_is_checked_before_it_is_parsed() -> None:
    """F3: Litestar alone answers 500 to several of these."""
    http = await Harness.make()
    bad = {
        b'{"a": "\xff"}': (400, "invalid_json"),
        b'{"a":' * 2000 + b"1" + b"}" * 2000: (400, "invalid_json"),
        b'{"a": 1': (400, None),
        b'{"a": "x"}': (400, "invalid_value"),
        b'{"a": 1e999}': (400, None),
        b"[" + b"1," * 200_000 + b"1]": (413, "request_too_large"),
    }

    for body, (status, code) in bad.items():
        answer = await http.client().request("POST", "/admin/things", (AUTH,), body)
        assert answer.status == status, (body[:40], answer.body)
        assert code is None or answer.code == code
    good = await http.client().request("POST", "/admin/things", (AUTH,), [b'{"a":', b" 1}"])
    assert (good.status, good.json()) == (201, {"a": 1})


async def test_websockets_are_closed() -> None:
    http = await Harness.make()
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    await http.app({"type": "websocket", "headers": [], "path": "/v1/responses"}, None, send)  # type: ignore[arg-type]  # as little as a server may send

    assert sent[0]["type"] == "websocket.close"  # type: ignore[index]  # an ASGI message


async def test_the_lifespan_is_the_frameworks(http: Harness) -> None:
    seen: list[str] = []

    async def framework(scope: dict[str, str], receive: object, send: object) -> None:
        seen.append(scope["type"])

    app = (await Harness.make(EDGE, framework=framework)).app  # type: ignore[arg-type]  # a narrower scope will do
    await app({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # nothing more is read

    assert seen == ["lifespan"]


def test_an_answer_of_the_harness_knows_whether_it_was_whole() -> None:
    start = {"type": "http.response.start", "status": 200, "headers": []}
    cut = Answer([start, {"type": "http.response.body", "body": b"x", "more_body": True}])  # type: ignore[list-item]  # plain dicts

    assert not cut.complete


@pytest.mark.parametrize(
    ("origin", "status"), [(b"https://evil.example", 403), (b"null", 403), (b"http://localhost", 200), (b"", 200)]
)
async def test_open_access_is_not_open_to_web_pages_of_other_origins(origin: bytes, status: int) -> None:
    """A page that a local user opens must not spend: it needs no key, but its browser says where it comes from."""
    authenticator = Authenticator(MemoryStore(), FakeHasher(), FakeClock(), LastUsed(MemoryStore()), open_access=True)
    http = await Harness.make(authenticator=authenticator)
    headers = ((b"origin", origin),) if origin else ()

    answer = await http.client().request("POST", "/v1/chat/completions", headers, CHAT_BODY)

    assert answer.status == status


async def test_open_access_serves_the_origins_that_are_listed() -> None:
    authenticator = Authenticator(MemoryStore(), FakeHasher(), FakeClock(), LastUsed(MemoryStore()), open_access=True)
    edge = EdgeConfig(allowed_hosts=("localhost",), cors_origins=("https://mine.example",))
    http = await Harness.make(edge, authenticator=authenticator)

    answer = await http.client().request(
        "POST", "/v1/chat/completions", ((b"origin", b"https://mine.example"),), CHAT_BODY
    )

    assert answer.status == 200
