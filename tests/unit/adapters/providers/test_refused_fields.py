"""A field the gateway adds and an upstream refuses is left out the next time, and remembered by model (contract 7)."""

import json

import httpx
import pytest

from adapters.providers.capability import MAX_MODELS, RefusedFields
from adapters.providers.openai_compatible.servers import CUSTOM
from adapters.providers.registry import Registry
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.ports.providers import Capabilities, ProviderCall
from domain.timeouts import Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import STREAM, Progress

SENT = b'{"model":"m","stream_options":{"include_usage":true}}'
SSE = {"content-type": "text/event-stream"}

REFUSALS = [
    (400, {"error": {"message": "Unrecognized request argument supplied: stream_options", "code": None}}),
    (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}),
    (400, {"error_code": "BAD_REQUEST", "message": "stream_options: Extra inputs are not permitted"}),
    (400, {"message": "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]", "code": 400}),
    (400, {"error": {"message": "Unknown parameter.", "param": "stream_options.include_usage"}}),
]


class Picky:
    """An upstream that refuses `stream_options`, plainly or as the first event of a stream."""

    def __init__(self, status: int, body: object, *, in_stream: bool = False) -> None:
        self.bodies: list[dict[str, object]] = []
        self._status, self._body, self._in_stream = status, body, in_stream
        made = Registry(lambda provider, timeouts: httpx.MockTransport(self._answer), {}).build(
            a_provider(CUSTOM.id, base_url="https://picky.example/v1"), Timeouts()
        )
        self.able: Capabilities = made.capabilities

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(json.loads(request.content))
        if "stream_options" not in self.bodies[-1]:
            return httpx.Response(200, content=STREAM, headers=SSE)
        if self._in_stream:
            return httpx.Response(200, content=b"data: %s\n\n" % json.dumps(self._body).encode(), headers=SSE)
        return httpx.Response(self._status, json=self._body)


def call(model: str = "m", **fields: object) -> ProviderCall[ChatRequest]:
    return ProviderCall(a_chat_payload(stream=True, **fields), model, a_provider_key(), False, Progress())


async def read(picky: Picky, asked: ProviderCall[ChatRequest]) -> bytes:
    assert picky.able.chat is not None
    stream = await picky.able.chat.stream(asked)
    try:
        return b"".join([block async for block in stream])
    finally:
        await stream.aclose()


@pytest.mark.parametrize("in_stream", [False, True])
@pytest.mark.parametrize(("status", "body"), REFUSALS)
async def test_the_next_call_leaves_the_refused_field_out(status: int, body: object, in_stream: bool) -> None:
    received = body if not in_stream or "error" in body else {"error": body}  # type: ignore[operator]  # an object
    picky = Picky(status, received, in_stream=in_stream)

    with pytest.raises(UpstreamFailure) as caught:
        await read(picky, call())
    assert caught.value.kind is FailureKind.ADDED_FIELD_REFUSED
    for _ in range(2):
        assert b"data: " in await read(picky, call())

    assert ["stream_options" in body for body in picky.bodies] == [True, False, False]


async def test_another_model_is_asked_with_it_first() -> None:
    picky = Picky(*REFUSALS[0])
    for model in ("m", "n"):
        with pytest.raises(UpstreamFailure):
            await read(picky, call(model))
        await read(picky, call(model))

    assert len(picky.bodies) == 4


async def test_a_client_that_sent_it_itself_is_told_that_it_was_dropped() -> None:
    picky = Picky(*REFUSALS[0])
    asked = call(stream_options={"include_usage": True})
    with pytest.raises(UpstreamFailure):
        await read(picky, asked)

    assert picky.able.chat is not None
    stream = await picky.able.chat.stream(asked)

    assert stream.dropped_params == ("stream_options",)
    await stream.aclose()


def test_what_was_not_sent_was_not_ours() -> None:
    fields, refusal = RefusedFields(), UpstreamFailure(FailureKind.ADDED_FIELD_REFUSED, "no")

    fields.learn("m", b'{"model":"m","messages":[{"content":"\\"stream_options\\":"}]}', refusal)

    assert refusal.kind is FailureKind.FEATURE_REFUSED
    assert fields.of("m") == frozenset()


def test_other_failures_teach_nothing() -> None:
    fields = RefusedFields()

    fields.learn("m", SENT, UpstreamFailure(FailureKind.CLIENT_FAULT, "no"))

    assert fields.of("m") == frozenset()


def test_the_memory_is_bounded() -> None:
    """R-32."""
    fields = RefusedFields()
    for number in range(MAX_MODELS + 10):
        fields.learn(f"m{number}", SENT, UpstreamFailure(FailureKind.ADDED_FIELD_REFUSED, "no"))

    assert fields.of("m0") == frozenset()
    assert fields.of(f"m{MAX_MODELS}") == {"stream_options"}
