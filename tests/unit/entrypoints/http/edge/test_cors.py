"""CORS: off unless configured, and then with what browser clients send and read."""

from entrypoints.http.edge.config import EdgeConfig
from tests.unit.entrypoints.http.harness import Harness

ORIGIN = (b"origin", b"https://chat.example")
ASKING = (
    ORIGIN,
    (b"access-control-request-method", b"POST"),
    (b"access-control-request-headers", b"authorization, content-type, x-stainless-os,anthropic-version, cookie"),
)
CONFIGURED = EdgeConfig(allowed_hosts=("localhost",), cors_origins=("https://chat.example",))


async def test_it_is_off_by_default() -> None:
    http = await Harness.make()

    answer = await http.client().request("OPTIONS", "/v1/chat/completions", ASKING)
    chat = await http.chat(ORIGIN)

    assert (answer.status, answer.headers["allow"]) == (204, "POST")
    assert not [name for name in (*answer.headers, *chat.headers) if name.startswith("access-control")]


async def test_a_preflight_from_a_listed_origin_is_granted_what_clients_send() -> None:
    answer = await (await Harness.make(CONFIGURED)).client().request("OPTIONS", "/v1/chat/completions", ASKING)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "https://chat.example"
    assert answer.headers["access-control-allow-methods"] == "POST"
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert allowed == ["anthropic-version", "authorization", "content-type", "x-stainless-os"]


async def test_answers_and_errors_can_be_read_by_that_origin() -> None:
    http = await Harness.make(CONFIGURED)

    for answer in (await http.chat(ORIGIN), await http.chat(ORIGIN, model=1), await http.get("/v1/models", ORIGIN)):
        assert answer.headers["access-control-allow-origin"] == "https://chat.example"
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "origin"


async def test_another_origin_gets_nothing_and_neither_does_the_admin_api() -> None:
    http = await Harness.make(CONFIGURED)

    stranger = await http.chat((b"origin", b"https://evil.example"))
    admin = await http.get("/page", ORIGIN)

    assert "access-control-allow-origin" not in {**stranger.headers, **admin.headers}


async def test_a_star_lets_every_origin_in() -> None:
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), cors_origins=("*",)))

    assert (await http.chat(ORIGIN)).headers["access-control-allow-origin"] == "*"
