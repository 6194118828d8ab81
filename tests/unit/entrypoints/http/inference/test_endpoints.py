"""The other endpoints at the edge: each reads its body, goes through its operation, and answers in its own type."""

import json
from typing import Any

import pytest

from adapters.wire.files import Form, FormFile, write_form
from domain.errors import StreamBroken
from entrypoints.http.edge.config import EdgeConfig
from tests.fakes.pipeline import DONE, FIRST, SECOND
from tests.unit.entrypoints.http.harness import AUTH, Answer, Harness

BODIES: dict[str, dict[str, Any]] = {
    "completions": {"model": "m", "prompt": "hi"},
    "embeddings": {"model": "m", "input": "hi"},
    "images/generations": {"model": "m", "prompt": "a cat"},
    "moderations": {"input": "hi"},
    "rerank": {"model": "m", "query": "hi", "documents": ["a", {"text": "b"}]},
}
FORMS = ("audio/transcriptions", "audio/translations", "images/edits")
ENDPOINTS = {path: path.replace("/", ".") for path in (*BODIES, "audio/speech", *FORMS)}


@pytest.fixture
async def http() -> Harness:
    return await Harness.make()


async def post(http: Harness, path: str, body: dict[str, Any]) -> Answer:
    return await http.client().request("POST", path, (AUTH,), json.dumps(body).encode())


async def transcribe(http: Harness, *fields: tuple[str, str], size: int = 10) -> Answer:
    form = write_form((("model", "m"), *fields), FormFile("file", "a.mp3", "audio/mpeg", b"x" * size))
    return await send(http, "/v1/audio/transcriptions", form)


async def send(http: Harness, path: str, form: Form) -> Answer:
    headers = (AUTH, (b"content-type", form.content_type.encode()))
    return await http.client().request("POST", path, headers, form.body)


@pytest.mark.parametrize("prefix", ["/v1", "/alpha/v1", ""])
@pytest.mark.parametrize("path", BODIES)
async def test_each_goes_through_its_own_operation(http: Harness, path: str, prefix: str) -> None:
    answer = await post(http, f"{prefix}/{path}", BODIES[path])

    assert answer.status == 200
    assert http.pipeline.endpoints == [ENDPOINTS[path]]
    call = http.pipeline.calls[0]
    payload = call.payload
    assert http.pipeline.endpoints == [ENDPOINTS[path]]
    assert call.pinned_provider == ("alpha" if "alpha" in prefix else None)
    assert {name: json.loads(bytes(raw)) for name, raw in payload.fields.items()} == BODIES[path]


@pytest.mark.parametrize("path", [*BODIES, "audio/speech", *FORMS])
async def test_none_answers_without_a_key(http: Harness, path: str) -> None:
    answer = await http.client().request("POST", f"/v1/{path}", (), b"{}")

    assert (answer.status, answer.code) == (401, "invalid_api_key")


async def test_a_moderation_without_a_model_asks_for_openais(http: Harness) -> None:
    await post(http, "/v1/moderations", {"input": ["a", {"type": "text", "text": "b"}]})

    request = http.pipeline.calls[0].payload.value
    assert request.model == "omni-moderation-latest"
    assert list(request.prompt_texts()) == ["a", "b"]


async def test_pictures_without_a_model_ask_for_one_of_the_gateways_choice(http: Harness) -> None:
    answer = await post(http, "/v1/images/generations", {"prompt": "a cat"})

    assert answer.status == 200
    assert http.pipeline.calls[0].payload.value.model == "auto"


async def test_a_chat_without_a_model_asks_for_one_of_the_gateways_choice(http: Harness) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "task": "chat", "priority": "cost", "latency": "low"}

    answer = await post(http, "/v1/chat", body)
    named = await post(http, "/v1/chat", body | {"model": "m"})

    assert (answer.status, named.status) == (200, 200)
    first, second = (call.payload.value for call in http.pipeline.calls)
    assert (first.model, first.task, first.priority, first.latency) == ("auto", "chat", "cost", "low")
    assert second.model == "m"


@pytest.mark.parametrize("best_of", [0, 1, 20])
async def test_any_best_of_that_openai_takes_is_taken(http: Harness, best_of: int) -> None:
    answer = await post(http, "/v1/completions", {"model": "m", "prompt": "hi", "best_of": best_of})

    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("completions", {"prompt": "hi"}, "model"),
        ("completions", {"model": "m", "prompt": []}, "prompt"),
        ("completions", {"model": "m", "n": 0}, "n"),
        ("embeddings", {"model": "m"}, "input"),
        ("embeddings", {"model": "m", "input": []}, "input"),
        ("embeddings", {"model": "m", "input": ["a", 1]}, None),
        ("completions", {"model": "m", "prompt": [[1], 2]}, None),
        ("embeddings", {"model": "m", "input": "a", "encoding_format": "hex"}, "encoding_format"),
        ("embeddings", {"model": "m", "input": "a", "dimensions": 0}, "dimensions"),
        ("images/generations", {"model": "m"}, "prompt"),
        ("audio/speech", {"model": "m", "input": ""}, "input"),
        ("audio/speech", {"model": "m", "input": "a", "speed": 9}, "speed"),
        ("moderations", {}, "input"),
    ],
)
async def test_a_wrong_parameter_is_named(http: Harness, path: str, body: dict[str, Any], param: str | None) -> None:
    answer = await post(http, f"/v1/{path}", body)

    assert answer.status == 400
    assert answer.error["param"] == param
    assert http.pipeline.calls == []


@pytest.mark.parametrize("tokens", [[1, 2, 3], [[1, 2], [3]], "text", ["a", "b"]])
async def test_every_shape_of_input_is_taken(http: Harness, tokens: Any) -> None:
    embedded = await post(http, "/v1/embeddings", {"model": "m", "input": tokens})
    completed = await post(http, "/v1/completions", {"model": "m", "prompt": tokens})

    assert (embedded.status, completed.status) == (200, 200)


@pytest.mark.parametrize("path", ["completions", "images/generations"])
async def test_those_that_stream_do_so_when_asked(http: Harness, path: str) -> None:
    answer = await post(http, f"/v1/{path}", BODIES[path] | {"stream": True})

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body == FIRST + SECOND + DONE


async def test_speech_is_streamed_as_the_file_it_is(http: Harness) -> None:
    http.pipeline.steps = (b"ID3\x00", b"\xff\xfb")
    http.pipeline.stream_type = "audio/mpeg"

    answer = await post(http, "/v1/audio/speech", {"model": "m", "input": "hi", "voice": "alloy"})

    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.body == b"ID3\x00\xff\xfb"
    assert answer.complete
    assert http.pipeline.endpoints == ["audio.speech"]


async def test_a_file_that_breaks_off_is_dropped_and_never_ended(http: Harness) -> None:
    """R-08."""
    http.pipeline.steps = (b"ID3\x00", StreamBroken("cut", code="upstream_truncated"))
    http.pipeline.stream_type = "audio/mpeg"
    client = http.client()

    body = json.dumps({"model": "m", "input": "hi"}).encode()
    answer = await client.request("POST", "/v1/audio/speech", (AUTH,), body)

    assert client.aborted
    assert answer.body == b"ID3\x00"
    assert not answer.complete


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8"])
async def test_a_transcription_answers_in_the_type_of_its_format(http: Harness, content_type: str) -> None:
    http.pipeline.body, http.pipeline.content_type = b"1\n00:00", content_type

    answer = await transcribe(http, ("response_format", "srt"))

    assert (answer.status, answer.body) == (200, b"1\n00:00")
    assert answer.headers["content-type"] == content_type
    request = http.pipeline.calls[0].payload.value
    assert (request.file.data, request.response_format) == (b"x" * 10, "srt")


async def test_a_transcription_streams_when_asked_and_large_ones_are_read_too(http: Harness) -> None:
    answer = await transcribe(http, ("stream", "true"), size=600_000)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(http.pipeline.calls[0].payload.value.file.data) == 600_000


async def test_a_recording_is_bounded_like_every_body() -> None:
    """S-31."""
    http = await Harness.make(EdgeConfig(allowed_hosts=("localhost",), max_body_bytes=2_000))

    answer = await transcribe(http, size=3_000)

    assert (answer.status, answer.code) == (413, "request_too_large")


async def test_a_transcription_that_is_no_form_is_told_so(http: Harness) -> None:
    answer = await http.client().request("POST", "/v1/audio/transcriptions", (AUTH,), b"{}")

    assert (answer.status, answer.code) == (415, "unsupported_content_type")


PICTURE = FormFile("image[]", "a.png", "image/png", b"\x89PNG\r\n--x")


@pytest.mark.parametrize("prefix", ["/v1", "/alpha/v1", ""])
async def test_a_translation_goes_through_its_own_operation_and_never_streams(http: Harness, prefix: str) -> None:
    form = write_form((("model", "m"), ("stream", "true")), FormFile("file", "a.mp3", "audio/mpeg", b"x"))

    answer = await send(http, f"{prefix}/audio/translations", form)

    assert answer.status == 200
    assert http.pipeline.endpoints == ["audio.translations"]
    assert not http.pipeline.calls[0].payload.value.streams


@pytest.mark.parametrize("prefix", ["/v1", "/alpha/v1", ""])
async def test_an_edit_takes_its_pictures_mask_and_fields_of_a_form(http: Harness, prefix: str) -> None:
    mask = FormFile("mask", "m.png", "image/png", b"\x89PNG")
    fields = (("model", "m"), ("prompt", "a cat"), ("n", "2"), ("size", "512x512"), ("output_compression", ""))

    answer = await send(http, f"{prefix}/images/edits", write_form(fields, PICTURE, PICTURE, mask))

    assert answer.status == 200
    assert http.pipeline.endpoints == ["images.edits"]
    request = http.pipeline.calls[0].payload.value
    assert [(file.field, file.data) for file in request.files] == [
        ("image[]", PICTURE.data), ("image[]", PICTURE.data), ("mask", mask.data)
    ]  # fmt: skip
    assert (request.model, request.prompt, request.n, request.size) == ("m", "a cat", 2, "512x512")
    assert request.form == fields
    assert request.media_tokens > 0
    assert request.units == {"image": 2}


async def test_an_edit_without_a_model_asks_for_one_of_the_gateways_choice(http: Harness) -> None:
    await send(http, "/v1/images/edits", write_form((("prompt", "a cat"),), PICTURE))

    assert http.pipeline.calls[0].payload.value.model == "auto"


async def test_an_edit_in_json_is_taken_as_it_stands(http: Harness) -> None:
    body = {"model": "m", "prompt": "a cat", "images": [{"image_url": "https://pictures.example/1"}], "mask": None}

    answer = await post(http, "/v1/images/edits", body)

    assert answer.status == 200
    assert json.loads(bytes(http.pipeline.calls[0].payload.fields["images"])) == body["images"]


@pytest.mark.parametrize(
    ("fields", "files", "param"),
    [
        ((("model", "m"),), (PICTURE,), "prompt"),
        ((("prompt", "a"),), (), "image"),
        ((("prompt", "a"),), (FormFile("mask", "m.png", "image/png", b"x"),), "image"),
        ((("prompt", "a"), ("n", "many")), (PICTURE,), "n"),
        ((("prompt", "a"), ("n", "11")), (PICTURE,), "n"),
        ((("prompt", "a"), ("stream", "perhaps")), (PICTURE,), "stream"),
        ((("prompt", "a"), ("provider", "[]")), (PICTURE,), None),
    ],
)
async def test_an_edit_that_is_not_whole_is_told_what_is_wrong(
    http: Harness, fields: tuple[tuple[str, str], ...], files: tuple[FormFile, ...], param: str | None
) -> None:
    answer = await send(http, "/v1/images/edits", write_form(fields, *files))

    assert answer.status == 400
    assert json.loads(answer.body)["error"]["param"] == param
    assert http.pipeline.calls == []


async def test_an_edit_in_json_without_pictures_is_told_so(http: Harness) -> None:
    answer = await post(http, "/v1/images/edits", {"model": "m", "prompt": "a cat"})

    assert (answer.status, answer.code) == (400, "missing_required_parameter")


async def test_a_deployment_in_the_path_stands_for_the_model_in_a_body_and_in_a_form(http: Harness) -> None:
    await post(http, "/openai/deployments/a%2Fb/chat/completions", {"messages": [{"role": "user", "content": "hi"}]})
    await post(http, "/openai/deployments/c/embeddings", {"model": "other", "input": "hi"})
    form = write_form((("model", "other"),), FormFile("file", "a.mp3", "audio/mpeg", b"x"))
    await send(http, "/openai/deployments/d/audio/transcriptions", form)

    asked = [call.payload for call in http.pipeline.calls]
    assert [payload.value.model.replace("%2F", "/") for payload in asked] == ["a/b", "c", "d"]
    assert json.loads(bytes(asked[1].fields["model"])) == "c"
    assert [call.pinned_provider for call in http.pipeline.calls] == [None, None, None]


async def test_a_body_that_is_no_json_is_told_so_at_a_deployment_too(http: Harness) -> None:
    answer = await http.client().request("POST", "/openai/deployments/a/chat/completions", (AUTH,), b"{")

    assert (answer.status, answer.code) == (400, "invalid_json")
