"""OpenAI's other endpoints at the wire: where each lies, what it is sent, and how files and events come back."""

import json
from typing import Any

import httpx
import pytest

from adapters.providers.kind import PATHS
from adapters.providers.kinds import OPENAI
from adapters.providers.registry import Registry
from domain.audio import TranscriptionRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.forms import UploadedFile
from domain.payload import Payload
from domain.ports.providers import Capabilities, ProviderCall
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import Timeouts
from domain.usage import BillingFacts, TokenUsage
from tests.builders import a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import ALLOWED_HEADERS, Pieces, Progress
from tests.unit.adapters.providers.calls import a_payload, read_bytes

KEY = a_provider_key(secret=Secret("sk-canary-0123456789abcdef"))
READ_ALOUD = TokenUsage(billing=BillingFacts(units={"character": 2}))
VECTOR = {"data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 2}}
ANSWERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "completions": ("/completions", {"prompt": "hi"}, {"choices": [{"index": 0, "text": "x"}]}),
    "embeddings": ("/embeddings", {"input": "hi"}, VECTOR),
    "images": ("/images/generations", {"prompt": "a cat"}, {"created": 1, "data": [{"url": "u"}]}),
    "moderations": ("/moderations", {"input": "hi"}, {"id": "m", "model": "m", "results": [{}]}),
}


class Upstream:
    """A provider of the registry that answers everything with one response."""

    def __init__(self, provider_id: str, answer: httpx.Response, **fields: Any) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer
        provider = a_provider(provider_id, base_url=None, **fields)
        registry = Registry(
            lambda provider, timeouts: httpx.MockTransport(self._respond), {"CLOUDFLARE_ACCOUNT_ID": "a"}
        )
        self.able: Capabilities = registry.build(provider, Timeouts()).capabilities

    async def ask(self, capability: str, **fields: Any) -> Any:
        call: ProviderCall[Any] = ProviderCall(a_payload(capability, **fields), "wanted", KEY, False, Progress())
        return await getattr(self.able, capability).complete(call)

    async def speak(self, **fields: Any) -> Any:
        assert self.able.speech is not None
        payload = a_payload("speech", **{"input": "hi", "voice": "alloy", **fields})
        return await self.able.speech.stream(ProviderCall(payload, "wanted", KEY, False, Progress()))

    @property
    def sent(self) -> Any:
        return json.loads(self.asked[-1].content)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer


@pytest.mark.parametrize("entry", OPENAI.entries, ids=lambda entry: entry.id)
def test_an_upstream_has_what_its_row_names_and_what_chat_carries(entry: Any) -> None:
    names = {name: name.rpartition(".")[2] for name in PATHS} | {
        "images.generations": "images",
        "images.edits": "image_edits",
        "responses.input_tokens": "response_counts",
    }
    if not entry.preset.base_url:
        pytest.skip("its address is the operator's")

    able = Upstream(entry.id, httpx.Response(500)).able

    carried = {"completions", "responses", "kept_responses", "response_counts", "messages", "token_counts"}
    carried |= {"contents", "content_counts", "content_embeddings"}
    assert (
        set(able.names()) - {"chat", "models"} - carried
        == {names.get(endpoint, endpoint) for endpoint in entry.paths} - carried
    )
    assert (able.completions is None) is (entry.chat_path is None)


@pytest.mark.parametrize("capability", ANSWERS)
async def test_each_endpoint_is_where_openai_has_it(capability: str) -> None:
    """S-24."""
    path, fields, answer = ANSWERS[capability]
    upstream = Upstream("openai", httpx.Response(200, json=answer))

    received = await upstream.ask(capability, **fields)

    request = upstream.asked[-1]
    assert str(request.url) == f"https://api.openai.com/v1{path}"
    assert {name.lower() for name in request.headers} <= ALLOWED_HEADERS
    assert upstream.sent == fields | {"model": "wanted"}
    assert {name: json.loads(received.body)[name] for name in answer if name != "usage"} == {
        name: value for name, value in answer.items() if name != "usage"
    }


async def test_a_row_may_name_another_place_and_other_names() -> None:
    perplexity = Upstream("perplexity", httpx.Response(200, json=VECTOR))
    mistral = Upstream("mistral", httpx.Response(200, json=VECTOR))
    jina = Upstream("jina", httpx.Response(200, json=VECTOR))
    voyage = Upstream("voyage", httpx.Response(200, json=VECTOR))

    await perplexity.ask("embeddings", input="hi")
    received = await mistral.ask("embeddings", input="hi", dimensions=8, user="u")
    await jina.ask("embeddings", input="hi", dimensions=8, encoding_format="base64")
    await voyage.ask("embeddings", input="hi", dimensions=8)

    assert str(perplexity.asked[-1].url) == "https://api.perplexity.ai/v1/embeddings"
    assert mistral.sent == voyage.sent == {"model": "wanted", "input": "hi", "output_dimension": 8}
    assert jina.sent == {"model": "wanted", "input": "hi", "dimensions": 8, "embedding_type": "base64"}
    assert [str(each.asked[-1].url) for each in (jina, voyage)] == [
        "https://api.jina.ai/v1/embeddings", "https://api.voyageai.com/v1/embeddings",
    ]  # fmt: skip
    assert (received.dropped_params, received.usage) == (("user",), TokenUsage(2, 0))


@pytest.mark.parametrize("tokens", [[15339, 1917], [[15339], [1917]]])
async def test_token_ids_become_text_for_those_that_read_only_text(tokens: Any) -> None:
    """As LangChain sends them."""
    text_only = Upstream("together", httpx.Response(200, json=VECTOR))
    knows = Upstream("openai", httpx.Response(200, json=VECTOR))

    await text_only.ask("embeddings", input=tokens)
    await knows.ask("embeddings", input=tokens)

    assert "".join(text_only.sent["input"]) == "hello world"
    assert knows.sent["input"] == tokens


async def test_token_ids_of_no_known_vocabulary_are_refused_by_name() -> None:
    upstream = Upstream("together", httpx.Response(200, json=VECTOR))

    with pytest.raises(UpstreamFailure) as caught:
        await upstream.ask("embeddings", input=[999_999_999])

    assert (caught.value.kind, caught.value.param) == (FailureKind.UNSUPPORTED, "input")
    assert upstream.asked == []


async def test_an_operators_own_drops_hold_everywhere() -> None:
    upstream = Upstream(
        "openai", httpx.Response(200, json=VECTOR), settings=ProviderSettings(drop_params=("dimensions",))
    )

    received = await upstream.ask("embeddings", input="hi", dimensions=8)

    assert received.dropped_params == ("dimensions",)
    assert "dimensions" not in upstream.sent


async def test_speech_comes_in_pieces_as_they_come() -> None:
    body = Pieces(b"ID3", b"\x00\xff")
    upstream = Upstream("openai", httpx.Response(200, stream=body, headers={"content-type": "audio/mpeg"}))

    stream = await upstream.speak(speed=1.25)
    blocks = [block async for block in stream]
    await stream.aclose()

    assert blocks == [b"ID3", b"\x00\xff"]
    assert (stream.content_type, stream.usage, stream.ending) == ("audio/mpeg", READ_ALOUD, b"")
    assert upstream.sent == {"model": "wanted", "input": "hi", "voice": "alloy", "speed": 1.25}
    assert body.closed


async def test_speech_that_breaks_off_is_truncated() -> None:
    """R-08."""
    body = Pieces(b"ID3", httpx.RemoteProtocolError("cut"))
    upstream = Upstream("openai", httpx.Response(200, stream=body, headers={"content-type": "audio/mpeg"}))

    with pytest.raises(UpstreamFailure) as caught:
        await read_bytes(await upstream.speak())

    assert caught.value.kind is FailureKind.TRUNCATED


async def test_an_error_instead_of_speech_is_told_before_anything_is_passed_on() -> None:
    refused = Upstream("openai", httpx.Response(400, json={"error": {"message": "no such voice"}}))
    odd = Upstream("openai", httpx.Response(200, json={"error": {"message": "no such voice"}}))

    with pytest.raises(UpstreamFailure, match="no such voice"):
        await refused.speak()
    with pytest.raises(UpstreamFailure, match="no such voice"):
        await read_bytes(await odd.speak())


async def test_a_recording_is_sent_as_a_form() -> None:
    upstream = Upstream("groq", httpx.Response(200, json={"text": "hi"}))
    assert upstream.able.transcriptions is not None
    request = TranscriptionRequest(
        file=UploadedFile("a.wav", "audio/wav", b"RIFF"), form=(("model", "x"), ("language", "de")), model="x"
    )
    call = ProviderCall(Payload(request, {}), "whisper-large-v3", KEY, False, Progress())

    received = await upstream.able.transcriptions.complete(call)

    sent = upstream.asked[-1]
    assert str(sent.url) == "https://api.groq.com/openai/v1/audio/transcriptions"
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=omg-")
    assert sent.headers["authorization"] == f"Bearer {KEY.secret.reveal()}"
    assert b'name="model"\r\n\r\nwhisper-large-v3\r\n' in sent.content
    assert (received.body, received.output_text) == (b'{"text":"hi"}', "hi")


async def test_an_image_stream_that_is_answered_whole_is_told_as_one() -> None:
    upstream = Upstream("openai", httpx.Response(200, json={"created": 1, "data": [{"b64_json": "eA=="}]}))
    assert upstream.able.images is not None
    call: ProviderCall[Any] = ProviderCall(
        a_payload("images", prompt="a cat", stream=True), "wanted", KEY, False, Progress()
    )

    received = await read_bytes(await upstream.able.images.stream(call))

    assert received.startswith(b"event: image_generation.completed\ndata: {")
    assert upstream.sent["stream"] is True
