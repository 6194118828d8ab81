"""OpenAI's endpoints besides chat, read by the official client and held against its strict types."""

import json
import math
import zlib
from collections.abc import AsyncIterator

import httpx
import openai
import pytest
import pytest_asyncio
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from entrypoints.simulator.script import parse_script
from tests.unit.entrypoints.simulator.in_process import events_of, scripted, sdk_transport, simulator

WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with simulator() as client:
        yield client


@pytest_asyncio.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url="http://simulator/p/v1", api_key="k", http_client=sdk_transport(), max_retries=0
    ) as client:
        yield client


async def test_a_completion_repeats_each_prompt_as_often_as_asked(client: openai.AsyncOpenAI) -> None:
    answer = await client.completions.create(model="m", prompt=["a b", "c"], n=2, echo=True, logprobs=1)

    assert [choice.text for choice in answer.choices] == ["a ba b", "a ba b", "cc", "cc"]
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert answer.choices[0].logprobs is not None
    assert answer.choices[0].logprobs.text_offset == [0, 1, 3, 4]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 6)


async def test_a_completion_without_a_limit_ends_after_sixteen_tokens(client: openai.AsyncOpenAI) -> None:
    answer = await client.completions.create(model="sim-words-20", prompt=[1, 2])

    assert answer.choices[0].text.split()[-1] == "word16"
    assert answer.choices[0].finish_reason == "length"


async def test_a_streamed_completion_gives_the_same_text_and_usage_last(client: openai.AsyncOpenAI) -> None:
    stream = await client.completions.create(
        model="m", prompt=["a b", "c"], stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]

    texts = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == {0: "a b", 1: "c"}
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 6


async def test_an_embedding_is_the_same_as_numbers_and_as_base64(
    client: openai.AsyncOpenAI, http: httpx.AsyncClient
) -> None:
    packed = await client.embeddings.create(model="m", input=["one", "two"], dimensions=16)
    plain = await http.post("/p/v1/embeddings", json={"model": "m", "input": ["one", "two"], "dimensions": 16})

    assert [item.embedding for item in packed.data] == [item["embedding"] for item in plain.json()["data"]]
    assert len(packed.data[0].embedding) == 16
    assert math.isclose(sum(number * number for number in packed.data[0].embedding), 1, rel_tol=1e-6)
    assert plain.json()["usage"] == {"prompt_tokens": 2, "total_tokens": 2}


async def test_an_upstream_that_knows_only_numbers_ignores_the_encoding(http: httpx.AsyncClient) -> None:
    asked = {"model": "sim-floats", "input": [[1, 2], [3]], "encoding_format": "base64"}
    answer = await http.post("/v1/embeddings", json=asked)

    assert [isinstance(item["embedding"], list) for item in answer.json()["data"]] == [True, True]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("embeddings", {"model": "m", "input": ""}),
        ("embeddings", {"model": "m", "input": []}),
        ("embeddings", {"model": "m"}),
        ("embeddings", {"model": "m", "input": ["a"] * 2049}),
        ("embeddings", {"model": "m", "input": "a", "dimensions": 0}),
        ("completions", {"model": "m"}),
        ("images/generations", {"model": "gpt-image-2", "prompt": "p", "response_format": "url"}),
        ("audio/speech", {"model": "m", "input": "hi"}),
        ("audio/transcriptions", {"model": "m"}),
        ("moderations", {"model": "m"}),
        ("responses", {"model": "m"}),
        ("responses", {"model": "m", "input": "a", "previous_response_id": "resp_none"}),
    ],
)
async def test_a_request_that_openai_would_refuse_is_a_400(
    http: httpx.AsyncClient, path: str, body: dict[str, object]
) -> None:
    answer = await http.post(f"/v1/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_picture_is_a_png_or_an_address(client: openai.AsyncOpenAI) -> None:
    drawn = await client.images.generate(model="m", prompt="a cat", n=2)
    linked = await client.images.generate(model="m", prompt="a cat", response_format="url")

    assert drawn.data is not None
    assert linked.data is not None
    assert all((picture.b64_json or "").startswith("iVBORw0KGgo") for picture in drawn.data)
    assert drawn.data[0].b64_json != drawn.data[1].b64_json
    assert (linked.data[0].url or "").startswith("https://pictures.example/")


async def test_a_streamed_picture_comes_after_its_drafts(client: openai.AsyncOpenAI) -> None:
    stream = await client.images.generate(model="m", prompt="a cat", stream=True, partial_images=2)

    kinds = [event.type async for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


@pytest.mark.parametrize(("wanted", "kind"), [("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("pcm", "audio/pcm")])
async def test_speech_has_a_kilobyte_a_word_and_the_type_of_its_format(
    client: openai.AsyncOpenAI, wanted: str, kind: str
) -> None:
    spoken = await client.audio.speech.create(
        model="m",
        voice="alloy",
        input="one two three",
        response_format=wanted,  # type: ignore[arg-type]  # of the parameters above
    )

    assert spoken.response.headers["content-type"] == kind
    assert len(spoken.content) == 3 * 1024 + (44 if wanted == "wav" else 0)


async def test_speech_as_events_ends_with_its_usage(http: httpx.AsyncClient) -> None:
    asked = {"model": "m", "voice": "alloy", "input": "one two", "stream_format": "sse"}
    answer = await http.post("/v1/audio/speech", json=asked)

    kinds = [json.loads(data)["type"] for _, data in events_of(answer.text)]
    assert kinds == ["speech.audio.delta", "speech.audio.delta", "speech.audio.done"]


async def test_a_transcription_tells_which_file_came(client: openai.AsyncOpenAI) -> None:
    sound = bytes(range(256)) + b"\r\n\n\r"
    plain = await client.audio.transcriptions.create(model="m", file=("a.wav", sound, "audio/wav"), language="de")
    subtitles = await client.audio.transcriptions.create(model="m", file=("a.wav", sound), response_format="srt")
    verbose = await client.audio.transcriptions.create(model="m", file=("a.wav", sound), response_format="verbose_json")

    assert plain.text == "a.wav has 260 bytes of audio/wav in de"
    assert "00:00:00,000 --> 00:00:01,000\na.wav has 260 bytes" in subtitles
    assert verbose.segments is not None
    assert verbose.segments[0].text == verbose.text


async def test_a_streamed_transcription_gives_the_same_text(client: openai.AsyncOpenAI) -> None:
    stream = await client.audio.transcriptions.create(model="m", file=("a.wav", b"x", "audio/wav"), stream=True)

    events = [event async for event in stream]
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == (
        "a.wav has 1 bytes of audio/wav"
    )
    assert events[-1].type == "transcript.text.done"


async def test_a_category_is_flagged_where_its_name_is_said(client: openai.AsyncOpenAI) -> None:
    answer = await client.moderations.create(input=["peace", "violence and hate"])

    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.hate
    assert answer.model == "omni-moderation-latest"


async def test_a_response_fits_the_types_and_remembers_what_was_said(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="m", input="one two", instructions="be kind")
    second = await client.responses.create(model="m", input="three", previous_response_id=first.id)
    kept = await client.responses.retrieve(second.id)

    Response.model_validate(first.model_dump(warnings=False))
    assert first.output_text == "one two"
    assert first.usage is not None
    assert second.usage is not None
    assert (first.usage.input_tokens, second.usage.input_tokens) == (4, 5)
    assert kept.output_text == "three"


async def test_a_response_that_is_not_stored_cannot_be_gone_on_with(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="m", input="one", store=False)

    with pytest.raises(openai.BadRequestError, match="not found"):
        await client.responses.create(model="m", input="two", previous_response_id=first.id)


@pytest.mark.parametrize(
    "model", ["m", "sim-reasoning", "sim-tools", "sim-parallel-tools", "sim-refusal", "sim-words-9"]
)
async def test_every_event_of_a_streamed_response_fits_the_types(http: httpx.AsyncClient, model: str) -> None:
    asked = {"model": model, "input": "Oslo", "stream": True, "tools": [WEATHER], "max_output_tokens": 8}
    answer = await http.post("/v1/responses", json=asked)

    events = [(name, json.loads(data)) for name, data in events_of(answer.text)]
    for number, (name, value) in enumerate(events):
        TypeAdapter(ResponseStreamEvent).validate_python(value)
        assert (name, number) == (value["type"], value["sequence_number"])
    assert events[-1][0] == ("response.incomplete" if model == "sim-words-9" else "response.completed")


async def test_the_stream_helper_assembles_parallel_calls(client: openai.AsyncOpenAI) -> None:
    async with client.responses.stream(
        model="sim-parallel-tools+reasoning",
        input="Oslo",
        tools=[WEATHER],  # type: ignore[list-item]  # as JSON
    ) as stream:
        response = await stream.get_final_response()

    thought, *calls = response.output
    assert thought.type == "reasoning"
    assert [json.loads(call.arguments) for call in calls if call.type == "function_call"] == [{"city": "Oslo"}] * 2
    assert len({call.call_id for call in calls if call.type == "function_call"}) == 2


async def test_a_failing_stream_of_a_response_ends_in_an_error_event(client: openai.AsyncOpenAI) -> None:
    stream = await client.responses.create(model="sim-error-event-after-3", input="a", stream=True)

    *_, last = [event async for event in stream]
    assert last.type == "error"
    assert last.message == "scripted error"


async def test_faults_and_odd_framing_are_the_same_for_every_endpoint() -> None:
    script = parse_script("personas: {p: {behaviours: {'/v1/models': sim-503}, require_key: right}}")
    async with scripted(script) as http:
        assert (await http.get("/p/v1/models")).status_code == 401
        assert (await http.get("/p/v1/models", headers={"authorization": "Bearer right"})).status_code == 503
        for path in ("embeddings", "moderations"):
            limited = await http.post(f"/v1/{path}", json={"model": "sim-429-retry-2s", "input": "a"})
            assert (limited.status_code, limited.headers["retry-after"]) == (429, "2")
        odd = await http.post("/v1/responses", json={"model": "sim-crlf", "input": "a", "stream": True})
        assert odd.text.count("\n") == odd.text.count("\r\n")


async def test_the_answer_may_show_what_was_received(client: openai.AsyncOpenAI) -> None:
    answer = await client.completions.create(model="sim-request", prompt="a", max_tokens=99, extra_body={"x": 1})

    assert json.loads(answer.choices[0].text) == {"model": "sim-request", "prompt": "a", "max_tokens": 99, "x": 1}


async def test_a_picture_of_a_prompt_has_sound_checksums(http: httpx.AsyncClient) -> None:
    from entrypoints.simulator.pictures import png_of

    picture = png_of("a cat")
    assert int.from_bytes(picture[29:33], "big") == zlib.crc32(picture[12:29])
