"""The official openai client works unmodified with every other endpoint: completions to moderations (E1).

The same calls over an OpenAI-compatible provider, over Azure by deployments and by its v1 endpoint, and legacy
completions over a provider that has chat alone.
"""

import base64
import json
import struct
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

SOUND = bytes(range(256)) * 300
Kind = Callable[[AddUpstream, Simulator], str]


def _openai(add: AddUpstream, simulator: Simulator) -> str:
    return add()


def _azure(**settings: Any) -> Kind:
    def made(add: AddUpstream, simulator: Simulator) -> str:
        return add("az", kind="azure", secret="azure-key-0123456789", settings=settings)

    return made


KINDS = {
    "openai": _openai,
    "azure deployments": _azure(api_version="2024-10-21"),
    "azure v1": _azure(),
}


@pytest.fixture(params=KINDS)
def upstream(request: pytest.FixtureRequest, add_upstream: AddUpstream, simulator: Simulator) -> str:
    """A provider of each kind that has all the endpoints."""
    return KINDS[request.param](add_upstream, simulator)


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    return gateway.openai()


@pytest.fixture
def compatible(add_upstream: AddUpstream) -> str:
    return add_upstream()


def test_a_completion_has_a_choice_for_each_prompt(client: openai.OpenAI, upstream: str) -> None:
    answer = client.completions.create(model=f"{upstream}/sim-echo", prompt=["a b", "c"], n=2, echo=True)

    assert [choice.text for choice in answer.choices] == ["a ba b", "a ba b", "cc", "cc"]
    assert answer.usage is not None
    assert answer.usage.total_tokens == 9


def test_a_completion_streams_and_tells_usage_only_when_asked(client: openai.OpenAI, upstream: str) -> None:
    """R-22."""
    quiet = list(client.completions.create(model=f"{upstream}/sim-echo", prompt="grüß dich", stream=True))
    received = list(
        client.completions.create(
            model=f"{upstream}/sim-echo", prompt="grüß dich", stream=True, stream_options={"include_usage": True}
        )
    )

    assert "".join(chunk.choices[0].text for chunk in quiet) == "grüß dich"
    assert all(chunk.usage is None for chunk in quiet)
    assert received[-1].usage is not None
    assert received[-1].usage.total_tokens == 4


def test_a_completion_over_chat_is_the_same(client: openai.OpenAI, add_upstream: AddUpstream) -> None:
    """A Moonshot has chat alone."""
    chat_only = add_upstream("moon", settings={"preset": "moonshot"}, secret="key-0123456789")

    answer = client.completions.create(model=f"{chat_only}/sim-echo", prompt=["a b", "c"], n=2, echo=True)
    stream = list(
        client.completions.create(
            model=f"{chat_only}/sim-echo", prompt=["a b", "c"], stream=True, stream_options={"include_usage": True}
        )
    )

    assert [choice.text for choice in answer.choices] == ["a ba b", "a ba b", "cc", "cc"]
    texts = ["".join(c.text for chunk in stream for c in chunk.choices if c.index == place) for place in (0, 1)]
    assert texts == ["a b", "c"]
    assert stream[-1].usage is not None
    assert answer.usage is not None
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model=f"{chat_only}/sim-echo", prompt="a", suffix="b")
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "suffix")


def test_an_embedding_is_the_same_as_numbers_and_as_base64(client: openai.OpenAI, upstream: str) -> None:
    """Clients ask for base64 where nothing was said."""
    packed = client.embeddings.create(model=f"{upstream}/m", input=["one", "two"], dimensions=16)
    plain = client.embeddings.create(
        model=f"{upstream}/m", input=["one", "two"], dimensions=16, encoding_format="float"
    )

    assert [item.embedding for item in packed.data] == [item.embedding for item in plain.data]
    assert [len(item.embedding) for item in packed.data] == [16, 16]
    assert packed.usage.total_tokens == 2


def test_an_upstream_that_knows_only_numbers_answers_in_base64_all_the_same(
    client: openai.OpenAI, compatible: str
) -> None:
    """openai-node makes an empty list of anything else."""
    raw = client.embeddings.with_raw_response.create(
        model=f"{compatible}/sim-floats", input="one", encoding_format="base64"
    )

    vector = json.loads(raw.content)["data"][0]["embedding"]
    assert isinstance(vector, str)
    numbers = struct.unpack(f"<{len(base64.b64decode(vector)) // 4}f", base64.b64decode(vector))
    again = client.embeddings.create(model=f"{compatible}/sim-floats", input="one", encoding_format="float")
    assert list(numbers) == pytest.approx(again.data[0].embedding)


def test_token_ids_become_text_where_the_provider_reads_only_text(
    client: openai.OpenAI, add_upstream: AddUpstream, simulator: Simulator
) -> None:
    """As LangChain sends them."""
    together = add_upstream("tog", settings={"preset": "together"}, secret="key-0123456789")

    client.embeddings.create(model=f"{together}/m", input=[[15339, 1917]])

    assert simulator.requests(together)[-1]["body"]["input"] == ["hello world"]


def test_images_come_whole_and_as_a_stream(client: openai.OpenAI, upstream: str) -> None:
    whole = client.images.generate(model=f"{upstream}/m", prompt="a cat", n=2)
    stream = client.images.generate(model=f"{upstream}/m", prompt="a cat", stream=True, partial_images=2)

    assert whole.data is not None
    assert len(whole.data) == 2
    kinds = [event.type for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


@pytest.mark.parametrize(("wanted", "kind"), [("mp3", "audio/mpeg"), ("wav", "audio/wav")])
def test_speech_is_the_file_the_provider_made(client: openai.OpenAI, upstream: str, wanted: Any, kind: str) -> None:
    with client.audio.speech.with_streaming_response.create(
        model=f"{upstream}/m", voice="alloy", input="one two three", response_format=wanted
    ) as spoken:
        content = b"".join(spoken.iter_bytes())

        assert spoken.headers["content-type"] == kind
        assert spoken.headers["x-omg-provider"] == upstream
    assert len(content) >= 3 * 1024


def test_a_recording_is_written_down_in_every_format(
    client: openai.OpenAI, upstream: str, simulator: Simulator
) -> None:
    model = f"{upstream}/m"
    as_json = client.audio.transcriptions.create(model=model, file=("a.wav", SOUND, "audio/wav"), language="de")
    as_srt = client.audio.transcriptions.create(model=model, file=("a.wav", SOUND), response_format="srt")
    verbose = client.audio.transcriptions.create(
        model=model, file=("a.wav", SOUND), response_format="verbose_json", timestamp_granularities=["word"]
    )
    with openai.OpenAI(base_url=simulator.base_url("direct"), api_key="k") as past_the_gateway:
        direct = past_the_gateway.audio.transcriptions.create(
            model="m", file=("a.wav", SOUND, "audio/wav"), language="de"
        )

    assert as_json.text == direct.text  # it tells name, size and checksum of the file that came
    assert "-->" in as_srt
    assert verbose.text


def test_a_transcription_streams(client: openai.OpenAI, upstream: str) -> None:
    stream = client.audio.transcriptions.create(model=f"{upstream}/m", file=("a.wav", SOUND), stream=True)

    events = list(stream)

    assert events[-1].type == "transcript.text.done"
    assert {event.type for event in events[:-1]} == {"transcript.text.delta"}


@pytest.mark.parametrize("kind", ["azure deployments", "azure v1"])
def test_azure_answers_responses_itself(
    client: openai.OpenAI, add_upstream: AddUpstream, simulator: Simulator, kind: str
) -> None:
    azure = KINDS[kind](add_upstream, simulator)

    answer = client.responses.create(model=f"{azure}/sim-echo", input="hello there")

    assert answer.output_text == "hello there"
    asked = simulator.requests(azure)[-1]
    assert asked["path"].endswith("/openai/responses" if kind == "azure deployments" else "/openai/v1/responses")


@pytest.mark.parametrize("kind", ["azure deployments", "azure v1"])
def test_azure_chats_plain_and_streamed(
    client: openai.OpenAI, add_upstream: AddUpstream, simulator: Simulator, kind: str
) -> None:
    azure = KINDS[kind](add_upstream, simulator)

    plain = client.chat.completions.create(model=f"{azure}/sim-echo", messages=[{"role": "user", "content": "hi you"}])
    stream = list(
        client.chat.completions.create(
            model=f"{azure}/sim-echo", messages=[{"role": "user", "content": "hi you"}], stream=True
        )
    )

    assert plain.choices[0].message.content == "hi you"
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert said == "hi you"
    headers = dict(simulator.requests(azure)[-1]["headers"])
    assert headers["api-key"] == "azure-key-0123456789"
    assert "authorization" not in headers


def test_moderations_pass(client: openai.OpenAI, compatible: str) -> None:
    answer = client.moderations.create(model=f"{compatible}/m", input=["hello", "I will kill you"])

    assert len(answer.results) == 2


def test_usage_of_every_endpoint_is_in_the_books(gateway: Gateway, client: openai.OpenAI, compatible: str) -> None:
    """R-22: what the provider told is booked as told, what it left out as estimated."""
    client.embeddings.create(model=f"{compatible}/m", input="one two")
    client.moderations.create(model=f"{compatible}/m", input="hello")

    def booked() -> dict[str, Any]:
        found = gateway.admin.get("/requests", params={"provider": compatible, "limit": 10}).json()["data"]
        return {request["endpoint"]: request for request in found}

    requests = booked()
    for _ in range(100):
        if len(requests) == 2:
            break
        time.sleep(0.05)
        requests = booked()
    assert requests["embeddings"]["usage_source"] == "provider"
    assert requests["moderations"]["usage_source"] == "estimated"


def test_an_endpoint_nobody_has_is_a_400_that_says_so(client: openai.OpenAI, add_upstream: AddUpstream) -> None:
    chat_only = add_upstream("moon", settings={"preset": "moonshot"}, secret="key-0123456789")

    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=f"{chat_only}/m", input="one")

    assert caught.value.code == "endpoint_not_supported"


@pytest.mark.parametrize("path", ["embeddings", "completions", "images/generations", "audio/speech"])
def test_a_provider_that_fails_hands_over_to_the_next(gateway: Gateway, add_upstream: AddUpstream, path: str) -> None:
    """R-07."""
    broken, healthy = add_upstream("bad", priority=1), add_upstream("good", priority=2)
    body: dict[str, Any] = {
        "model": f"{broken}/sim-503",
        "models": [f"{healthy}/m"],
        "input": "hi",
        "prompt": "hi",
        "voice": "alloy",
    }

    answer = gateway.http.post(f"/v1/{path}", json=body)

    assert answer.status_code == 200
    assert answer.headers["x-omg-provider"] == healthy
