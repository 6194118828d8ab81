"""Adding a provider takes one row, and every endpoint it declares works."""

import json
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from adapters.providers.kind import PATHS
from adapters.providers.kinds import KINDS, OPENAI
from adapters.providers.registry import Registry
from domain.audio import TranscriptionRequest, TranslationRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.forms import UploadedFile
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.timeouts import Timeouts
from domain.usage import TokenUsage
from tests.builders import a_provider
from tests.contracts.providers.made_up import KIND, ROW
from tests.contracts.providers.parameters import REQUESTS
from tests.contracts.providers.parrot import PARAMS
from tests.contracts.providers.test_chat_providers import ANSWER, KEY, Pieces, Progress

KINDS_AND_MORE = (replace(OPENAI, entries=(*OPENAI.entries, ROW)), *KINDS[1:], KIND)
"""The registry with its one line more, for each of the two."""

CAPABILITIES = {
    "chat.completions": "chat",
    "images.generations": "images",
    "images.edits": "image_edits",
    "audio.speech": "speech",
    "audio.transcriptions": "transcriptions",
    "audio.translations": "translations",
    "messages.count_tokens": "token_counts",
    "responses.input_tokens": "response_counts",
}
FORMS = {"audio.transcriptions": TranscriptionRequest, "audio.translations": TranslationRequest}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": ANSWER,
    "/v1/completions": {"id": "c", "object": "text_completion", "choices": [{"index": 0, "text": "x"}]},
    "/v1/embeddings": {
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
        "usage": {"prompt_tokens": 2},
    },
    "/v1/images/generations": {"created": 1, "data": [{"url": "u"}]},
    "/v1/images/edits": {"created": 1, "data": [{"url": "u"}]},
    "/v1/audio/transcriptions": {"text": "hi"},
    "/v1/audio/translations": {"text": "hi"},
    "/v1/moderations": {"id": "m", "model": "m", "results": [{"flagged": False, "categories": {}}]},
    "/v1/rerank": {"results": [{"index": 0, "relevance_score": 0.5}]},
    "/v1/responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "rocket-1",
        "output": [],
        "usage": USAGE,
    },
    "/v1/responses/input_tokens": {"object": "response.input_tokens", "input_tokens": 3},
}
SAID = b'data: {"said": "pret"}\n\ndata: {"said": "ty"}\n\ndata: {"over": true, "read": 3, "wrote": 2}\n\n'


class Wire:
    """The made-up servers. Both answer what they are asked for, and keep it."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        if path == "/v1/audio/speech":
            return httpx.Response(200, stream=Pieces(b"ID3", b"..."), headers={"content-type": "audio/mpeg"})
        if path != "/talk":
            return httpx.Response(200, json=ANSWERS[path])
        if json.loads(request.content)["live"]:
            return httpx.Response(
                200, stream=Pieces(SAID[:30], SAID[30:]), headers={"content-type": "text/event-stream"}
            )
        return httpx.Response(200, json={"said": "pretty", "read": 3, "wrote": 2})

    def able(self, provider_id: str, kind: str) -> Capabilities:
        registry = Registry(lambda provider, timeouts: httpx.MockTransport(self.answer), {}, kinds=KINDS_AND_MORE)
        provider = a_provider(provider_id, kind=kind, base_url=None)
        return registry.build(provider, Timeouts()).capabilities


def call(endpoint: str, **fields: Any) -> ProviderCall[Any]:
    return ProviderCall(payload(endpoint, **fields), "rocket-1", KEY, True, Progress())


def payload(endpoint: str, **fields: Any) -> Payload[Any]:
    if endpoint in FORMS:
        recording = UploadedFile("a.wav", "audio/wav", b"RIFF")
        return Payload(FORMS[endpoint](file=recording, form=(("model", "x"),), model="x"), {})
    kind, minimal = REQUESTS["messages" if endpoint == "messages.count_tokens" else endpoint]
    body = msgspec.json.encode({"model": "m"} | minimal | fields)
    return Payload(msgspec.json.decode(body, type=kind), msgspec.json.decode(body, type=dict[str, msgspec.Raw]))


def serving(able: Capabilities, endpoint: str) -> Any:
    found = getattr(able, CAPABILITIES.get(endpoint, endpoint))
    assert found is not None
    return found


async def received(capability: Any, asked: ProviderCall[Any]) -> bytes:
    stream = await capability.stream(asked)
    try:
        blocks = [block async for block in stream]
        assert stream.usage == TokenUsage(input_tokens=3, output_tokens=2)
        return b"".join([*blocks, stream.ending])
    finally:
        await stream.aclose()


@pytest.mark.parametrize("endpoint", ["chat.completions", *PATHS])
async def test_every_endpoint_a_row_declares_answers(endpoint: str) -> None:
    wire = Wire()
    capability = serving(wire.able("rockets", "openai"), endpoint)
    asked = call(endpoint)

    if endpoint == "audio.speech":
        stream = await capability.stream(asked)
        answer = b"".join([block async for block in stream])
        await stream.aclose()
        assert answer == b"ID3..."
    else:
        assert json.loads((await capability.complete(asked)).body)

    assert (
        wire.asked[-1].url
        == f"https://llm.rockets.example/v1{ {'chat.completions': '/chat/completions', **PATHS}[endpoint] }"
    )
    assert wire.asked[-1].headers["authorization"] == f"Bearer {KEY.secret.reveal()}"
    assert len(wire.asked) == 1


async def test_messages_and_counts_come_over_a_rows_chat() -> None:
    wire = Wire()
    able = wire.able("rockets", "openai")

    message = json.loads((await serving(able, "messages").complete(call("messages"))).body)
    count = json.loads((await serving(able, "messages.count_tokens").complete(call("messages.count_tokens"))).body)

    assert message["content"] == [{"type": "text", "text": "hi"}]
    assert count["input_tokens"] > 0
    assert [request.url.path for request in wire.asked] == ["/v1/chat/completions"]


async def test_a_kind_of_its_own_chats() -> None:
    wire = Wire()
    chat = serving(wire.able("parrot", "parrot"), "chat.completions")
    fields = {"max_completion_tokens": 9, "temperature": 0.5, "seed": 4}

    answer = await chat.complete(call("chat.completions", **fields))
    events = await received(chat, call("chat.completions", **fields))

    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "pretty"
    assert answer.usage == TokenUsage(input_tokens=3, output_tokens=2)
    assert answer.dropped_params == ("seed",)
    assert json.loads(wire.asked[0].content) == {
        "bird": "rocket-1",
        "talk": [{"who": "user", "said": "hi"}],
        "live": False,
        "temperature": 0.5,
        "limit": 9,
    }
    assert wire.asked[0].headers["x-seed"] == KEY.secret.reveal()
    assert b'"content":"pret"' in events
    assert events.endswith(b"data: [DONE]\n\n")


async def test_a_kind_of_its_own_refuses_what_its_table_refuses() -> None:
    chat = serving(Wire().able("parrot", "parrot"), "chat.completions")

    with pytest.raises(UpstreamFailure) as caught:
        await chat.complete(call("chat.completions", n=2))

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "n")


@pytest.mark.parametrize(
    ("endpoint", "where", "end"),
    [
        ("completions", ("choices", 0, "text"), b"data: [DONE]\n\n"),
        ("responses", ("output", 0, "content", 0, "text"), b"response.completed"),
        ("messages", ("content", 0, "text"), b"event: message_stop"),
    ],
)
async def test_the_other_apis_of_text_come_over_its_chat(
    endpoint: str, where: tuple[str | int, ...], end: bytes
) -> None:
    wire = Wire()
    capability = serving(wire.able("parrot", "parrot"), endpoint)

    found: Any = json.loads((await capability.complete(call(endpoint))).body)
    events = await received(capability, call(endpoint, stream=True))

    for step in where:
        found = found[step]
    assert found == "pretty"
    assert b"pret" in events
    assert end in events
    assert {request.url.path for request in wire.asked} == {"/talk"}


async def test_its_tokens_are_counted_by_estimate() -> None:
    wire = Wire()
    counts = serving(wire.able("parrot", "parrot"), "messages.count_tokens")

    count = await counts.complete(call("messages.count_tokens"))

    assert json.loads(count.body)["input_tokens"] > 0
    assert wire.asked == []


def test_both_are_described_with_what_becomes_of_each_parameter() -> None:
    registry = Registry(lambda provider, timeouts: httpx.MockTransport(Wire().answer), {}, kinds=KINDS_AND_MORE)
    kinds = {kind.kind: kind for kind in registry.kinds()}

    assert kinds["openai"].preset_params["rockets"]["logit_bias"] == "dropped"
    parrot = kinds["parrot"]
    assert parrot.fidelity["chat.completions"] == PARAMS
    assert set(parrot.endpoints) == {
        "chat.completions",
        "completions",
        "responses",
        "messages",
        "messages.count_tokens",
        "responses.input_tokens",
        "models.generate_content",
        "models.count_tokens",
    }
    assert {"rockets", "parrot"} <= {preset.id for preset in registry.presets()}
