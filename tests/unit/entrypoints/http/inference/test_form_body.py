"""The form of a transcription: what clients send, what is missing, and what is no form."""

import random

import pytest

from adapters.wire.files import FormFile, write_form
from domain.errors import RequestInvalid
from entrypoints.http.inference.form_body import MAX_FIELD_BYTES, MAX_FIELDS
from entrypoints.http.inference.transcriptions import TRANSCRIPTION_FORM

DATA = bytes(range(256)) * 4
FILE = FormFile("file", "talk.mp3", "audio/mpeg", DATA)


def form(*fields: tuple[str, str], file: FormFile = FILE) -> tuple[bytes, str]:
    return write_form(fields, file)


def refused(body: bytes, content_type: str) -> RequestInvalid:
    with pytest.raises(RequestInvalid) as caught:
        TRANSCRIPTION_FORM.decode(body, content_type)
    return caught.value


def test_the_file_its_fields_and_the_routing_wishes_are_read() -> None:
    payload = TRANSCRIPTION_FORM.decode(
        *form(
            ("model", "whisper-1"),
            ("response_format", "srt"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
            ("stream", "True"),
            ("models[]", "b"),
            ("models[]", "c"),
            ("provider", '{"only": ["groq"]}'),
            ("task", "notes"),
            ("prompt", "grüß"),
        )
    )

    request = payload.value
    assert (request.model, request.models, request.task) == ("whisper-1", ["b", "c"], "notes")
    assert (request.response_format, request.streams) == ("srt", True)
    assert request.provider is not None
    assert request.provider.only == ["groq"]
    assert (request.file.name, request.file.content_type, request.file.data) == ("talk.mp3", "audio/mpeg", DATA)
    assert ("timestamp_granularities[]", "segment") in request.form
    assert set(payload.fields) == {"model", "response_format", "timestamp_granularities", "stream", "prompt"}
    assert bytes(payload.fields["prompt"]) == '"grüß"'.encode()


@pytest.mark.parametrize("stream", ["false", "", "0", "no"])
def test_only_a_yes_streams(stream: str) -> None:
    assert not TRANSCRIPTION_FORM.decode(*form(("model", "m"), ("stream", stream))).value.streams


def test_a_large_file_comes_whole() -> None:
    data = random.Random(1).randbytes(3_000_000)

    payload = TRANSCRIPTION_FORM.decode(*form(("model", "m"), file=FormFile("file", "a", "audio/wav", data)))

    assert payload.value.file.data == data


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=\xff",
    ],
)
def test_a_body_that_is_no_form_is_refused(content_type: str) -> None:
    assert refused(form(("model", "m"))[0], content_type).code in {"unsupported_content_type", "invalid_value"}


def test_what_is_missing_is_named() -> None:
    no_model = refused(*form(("language", "de")))
    no_file = refused(*form(("model", "m"), file=FormFile("other", "a", "audio/wav", b"x")))

    assert (no_model.code, no_model.param) == ("missing_required_parameter", "model")
    assert (no_file.code, no_file.param) == ("missing_required_parameter", "file")


def test_a_form_cut_at_any_byte_is_refused() -> None:
    body, content_type = form(("model", "m"), file=FormFile("file", "a", "audio/wav", b"\r\n--x"))

    for end in range(len(body) - 4):
        refused(body[:end], content_type)


def test_a_form_of_too_many_or_too_large_fields_is_refused() -> None:
    many = refused(*form(*[("model", "m")] * (MAX_FIELDS + 1)))
    large = refused(*form(("model", "m"), ("prompt", "x" * (MAX_FIELD_BYTES + 1))))

    assert (many.code, large.code) == ("request_too_large", "request_too_large")


def test_fields_that_are_no_text_or_no_preferences_are_refused() -> None:
    refused(*form(("model", "m"), ("provider", "groq")))
    body, content_type = form(("model", "m"), ("prompt", "ab"))

    refused(body.replace(b"ab\r\n", b"\xff\xfe\r\n"), content_type)
