"""Speech and transcriptions, passed on: files and events out, a form in."""

import json
from typing import Any

import pytest

from adapters.dialects.openai.audio import OpenAISpeech, OpenAITranscriptions
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from domain.audio import TranscriptionRequest
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.forms import UploadedFile
from domain.usage import BillingFacts, TokenUsage
from entrypoints.http.inference.transcriptions import TRANSCRIPTION_FORM
from tests.unit.adapters.dialects.openai.endpoint_calls import (
    never_complete_when_cut,
    played,
    speech_call,
    splits,
    transcription_call,
)

SPEECH = OpenAISpeech(Quirks(), EndpointQuirks())
HEARD = OpenAITranscriptions(Quirks(), EndpointQuirks())
READ_ALOUD = TokenUsage(billing=BillingFacts(units={"character": 2}))
FILE = UploadedFile('we"ird\r\n.mp3', "audio/mpeg", b"ID3\x00\r\n--x\r\n\xff")
SPOKEN = (
    b'data: {"type": "speech.audio.delta", "audio": "aGk="}\n\n'
    b'data: {"type": "speech.audio.done", "usage": {"input_tokens": 5, "output_tokens": 40, "total_tokens": 45}}\n\n'
)
TOLD = (
    b'data: {"type": "transcript.text.delta", "delta": "hel"}\n\n'
    b'data: {"type": "transcript.text.delta", "delta": "lo"}\n\n'
    b'data: {"type": "transcript.text.done", "text": "hello", "usage": {"type": "tokens", "input_tokens": 14, '
    b'"input_token_details": {"text_tokens": 4, "audio_tokens": 10}, "output_tokens": 3, "total_tokens": 17}}\n\n'
)


def heard(response_format: str | None = None, *, stream: bool = False, **form: str) -> Any:
    request = TranscriptionRequest(
        file=FILE, form=tuple(form.items()), model="alias", response_format=response_format, stream=stream
    )
    return transcription_call(request)


def test_speech_is_asked_for_as_it_came() -> None:
    body = json.loads(SPEECH.encode(speech_call(speed=1.5, instructions="slow", api_key="k"), stream=True).body)

    assert body == {"model": "asked-model", "input": "hi", "voice": "alloy", "speed": 1.5, "instructions": "slow"}


@pytest.mark.parametrize(
    ("sent", "response_format", "received"),
    [
        ("audio/mpeg", None, "audio/mpeg"),
        ("audio/wav", "wav", "audio/wav"),
        ("application/octet-stream", "opus", "audio/ogg"),
        ("", "pcm", "audio/pcm"),
        ("image/svg+xml", None, "audio/mpeg"),
        ("audio/x\r\nset-cookie: a", None, "audio/mpeg"),
        ("", "odd", "application/octet-stream"),
    ],
)
def test_a_file_passes_as_its_bytes_come_and_is_called_audio(
    sent: str, response_format: str | None, received: str
) -> None:
    decoder = SPEECH.decoder(speech_call(response_format=response_format), sent)

    blocks = [decoder.feed(piece) for piece in (b"ID3", b"", b"\x00\xff")]

    assert blocks == [b"ID3", b"", b"\x00\xff"]
    assert (decoder.finish(), decoder.done, decoder.failure) == (b"", True, None)
    assert decoder.content_type == received
    assert (decoder.usage, decoder.output_bytes, decoder.ending) == (READ_ALOUD, 0, b"")


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("audio/mpeg", b"", "empty"),
        ("application/json", b'{"error": {"message": "no voice"}}', "no voice"),
        ("text/html", b"<html>", "not an audio file"),
        ("text/plain", b"x" * 70_000, "not an audio file"),
    ],
)
def test_what_is_no_audio_is_a_failure_before_anything_is_passed_on(content_type: str, body: bytes, words: str) -> None:
    decoder = SPEECH.decoder(speech_call(), content_type)

    assert played(decoder, body) == b""
    assert decoder.failure is not None
    assert words in decoder.failure.message


def test_speech_as_events_passes_and_its_usage_is_read() -> None:
    decoder = SPEECH.decoder(speech_call(stream_format="sse"), "text/event-stream")

    assert played(decoder, SPOKEN) == SPOKEN
    assert decoder.done
    assert decoder.usage == TokenUsage(5, 40, billing=READ_ALOUD.billing)
    assert decoder.output_text() == ""


def test_a_form_is_written_anew_with_the_deployments_model() -> None:
    """S-07: what names a destination stays behind, and a file's name cannot end its header."""
    call = heard("json", language="de", api_base="https://evil.example", models="b", task="t")

    encoded = HEARD.encode(call, stream=True)
    again = TRANSCRIPTION_FORM.decode(encoded.body, encoded.content_type).value

    assert again.model == "asked-model"
    assert again.stream
    assert dict(again.form) == {"model": "asked-model", "stream": "true", "language": "de"}
    assert (again.file.data, again.file.content_type) == (FILE.data, "audio/mpeg")
    assert again.file.name.endswith(".mp3")
    assert encoded.body.count(FILE.data) == 1
    assert encoded.dropped == ("api_base",)


def test_lists_keep_their_brackets_and_an_odd_type_becomes_none() -> None:
    request = TranscriptionRequest(
        file=UploadedFile("a", "text/html\r\nx: y", b"x"),
        form=(("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")),
        model="m",
    )

    encoded = HEARD.encode(transcription_call(request), stream=False)

    again = TRANSCRIPTION_FORM.decode(encoded.body, encoded.content_type).value
    assert again.form[1:] == request.form
    assert again.file.content_type == "application/octet-stream"


def test_what_the_upstream_does_not_know_is_dropped_by_name() -> None:
    dialect = OpenAITranscriptions(Quirks(), EndpointQuirks(drop=frozenset({"timestamp_granularities"})))
    request = TranscriptionRequest(file=FILE, form=(("timestamp_granularities[]", "word"),), model="m")

    encoded = dialect.encode(transcription_call(request), stream=False)
    with pytest.raises(UpstreamFailure) as caught:
        dialect.encode(transcription_call(request, strict=True), stream=False)

    assert encoded.dropped == ("timestamp_granularities",)
    assert b"granularities" not in encoded.body
    assert caught.value.param == "timestamp_granularities"


@pytest.mark.parametrize(
    ("response_format", "content_type", "body", "received", "told_type"),
    [
        (None, "application/json", b'{"text": "hi"}', b'{"text": "hi"}', "application/json"),
        ("verbose_json", "application/json", b'{"text": "hi", "segments": []}', ..., "application/json"),
        ("text", "text/plain", b"hi\n", b"hi\n", "text/plain; charset=utf-8"),
        ("text", "application/json", b'{"text": "hi"}', b"hi", "text/plain; charset=utf-8"),
        ("srt", "text/plain", b"1\n00:00:00", ..., "text/plain; charset=utf-8"),
        ("vtt", "text/vtt", b"WEBVTT\n", ..., "text/plain; charset=utf-8"),
    ],
)
def test_an_answer_keeps_its_format(
    response_format: str | None, content_type: str, body: bytes, received: Any, told_type: str
) -> None:
    answer = HEARD.read(body, heard(response_format), content_type)

    assert answer.body == (body if received is ... else received)
    assert answer.content_type == told_type
    assert answer.usage is None
    assert answer.output_text


def lasting(seconds: float, inputs: int = 0, outputs: int = 0) -> TokenUsage:
    return TokenUsage(inputs, outputs, billing=BillingFacts(units={"second:input": int(seconds * 1000)}))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"type": "duration", "seconds": 4}, lasting(4)),
        ({"type": "duration", "seconds": "4.25"}, lasting(4.25)),
        ({"type": "duration", "seconds": -4}, None),
        (
            {"type": "tokens", "input_tokens": 14, "output_tokens": 3, "input_token_details": {"audio_tokens": 10}},
            TokenUsage(14, 3, audio_input_tokens=10),
        ),
        ({"prompt_tokens": 4, "completion_tokens": 2, "prompt_audio_seconds": 3}, lasting(3, 4, 2)),
        ("none", None),
    ],
)
def test_usage_is_read_in_tokens_and_in_seconds(usage: Any, expected: TokenUsage | None) -> None:
    answer = HEARD.read(json.dumps({"text": "hi", "usage": usage}).encode(), heard(), "application/json")

    assert answer.usage == expected


def test_a_verbose_answer_says_how_long_the_recording_was() -> None:
    answer = HEARD.read(b'{"text": "hi", "duration": 8.5}', heard("verbose_json"), "application/json")

    assert answer.usage == lasting(8.5)
    assert answer.output_text == "hi", "for an estimate, where a model is not sold by the second"


def test_a_short_recording_counts_as_long_as_it_is_charged() -> None:
    """Groq charges ten seconds at least."""
    dialect = OpenAITranscriptions(Quirks(), EndpointQuirks(at_least_seconds=10))
    for seconds, charged in ((3, 10), (12, 12)):
        answer = dialect.read(json.dumps({"text": "a", "duration": seconds}).encode(), heard(), "application/json")
        assert answer.usage == lasting(charged)


@pytest.mark.parametrize(
    ("asked", "setting", "row", "sent"),
    [
        ("echo", "sage", "alloy", "echo"),
        (None, "sage", "alloy", "sage"),
        (None, None, "alloy", "alloy"),
        (None, None, None, None),
    ],
)
def test_without_a_voice_the_settings_is_taken_else_the_rows(
    asked: str | None, setting: str | None, row: str | None, sent: str | None
) -> None:
    dialect = OpenAISpeech(Quirks(), EndpointQuirks(default_voice=row), voice=setting)

    body = json.loads(dialect.encode(speech_call(voice=asked), stream=True).body)

    assert body.get("voice") == sent


@pytest.mark.parametrize("body", [b"", b"hi", b"{}", b'{"error": "no"}'])
def test_what_is_no_transcription_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        HEARD.read(body, heard(), "application/json")

    assert caught.value.kind is FailureKind.SERVER_ERROR


@pytest.mark.parametrize("seed", range(10))
def test_a_stream_passes_however_it_is_split(seed: int) -> None:
    """R-08."""
    decoder = HEARD.decoder(heard(stream=True), "text/event-stream")

    assert played(decoder, TOLD, splits(seed)) == TOLD
    assert decoder.done
    assert decoder.usage == TokenUsage(14, 3, audio_input_tokens=10)
    assert decoder.output_text() == "hello"


def test_a_cut_stream_is_never_complete() -> None:
    """R-08."""
    never_complete_when_cut(lambda: HEARD.decoder(heard(), ""), TOLD, len(TOLD) - 2)
    never_complete_when_cut(lambda: SPEECH.decoder(speech_call(), "text/event-stream"), SPOKEN, len(SPOKEN) - 2)


def test_a_model_that_cannot_stream_is_told_as_one_that_did() -> None:
    call = heard(stream=True)
    replayed = HEARD.replay(HEARD.read(b'{"text": "hi", "usage": {"type": "duration"}}', call, "x/json"), call)
    decoder = HEARD.decoder(call, "")

    received = played(decoder, replayed.events)

    assert decoder.done
    assert [line[6:] for line in received.split(b"\n") if line.startswith(b"data: ")] == [
        b'{"type":"transcript.text.delta","delta":"hi"}',
        b'{"type":"transcript.text.done","text":"hi","usage":{"type":"duration"}}',
    ]


def test_a_text_that_came_in_json_instead_of_a_stream_is_told_as_one() -> None:
    call = heard("text", stream=True)

    replayed = HEARD.replay(HEARD.read(b'{"text": "hi"}', call, "application/json"), call)

    assert b'"text":"hi"' in replayed.events
