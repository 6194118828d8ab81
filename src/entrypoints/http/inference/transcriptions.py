"""`POST /v1/audio/transcriptions`, and `POST /v1/audio/translations`, which differ by the language that is written."""

from typing import TypeVar

import msgspec
from litestar.datastructures import UploadFile

from application.inference.calls import TRANSCRIPTIONS, TRANSLATIONS
from domain.audio import TranscriptionRequest, TranslationRequest
from entrypoints.http.inference.form_body import ClientForm, FormBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving


class TranscriptionForm(msgspec.Struct):
    """The fields of the form. Those that are not listed are sent on."""

    file: UploadFile
    model: str
    language: str | None = None
    prompt: str | None = None
    response_format: str | None = None
    temperature: float | None = None
    stream: bool | None = None


class Transcription(msgspec.Struct):
    """The answer for `json`, which is the default; `verbose_json` has more, the others are plain text."""

    text: str


T = TypeVar("T", bound=TranscriptionRequest)


def _of(request: type[T], form: ClientForm) -> T:
    (file, *_) = form.file_of("file")
    return request(
        file=msgspec.structs.replace(file, field="file"),
        form=form.fields,
        model=form.required("model"),
        models=form.models(),
        provider=form.preferences(),
        task=form.last("task"),
        response_format=form.last("response_format"),
        stream=form.is_set("stream"),
    )


TRANSCRIPTION_FORM = FormBody("A transcription", lambda form: _of(TranscriptionRequest, form))
TRANSLATION_FORM = FormBody("A translation", lambda form: _of(TranslationRequest, form))

create_transcription = Serving(decode=TRANSCRIPTION_FORM, answering=TRANSCRIPTIONS, streaming=TRANSCRIPTIONS)
create_translation = Serving(decode=TRANSLATION_FORM, answering=TRANSLATIONS)

CREATE_TRANSCRIPTION = InferenceRoute(
    path="/v1/audio/transcriptions",
    method="POST",
    operation_id="createTranscription",
    tag="Audio",
    summary="Write down what is said in a recording",
    description=(
        "OpenAI's transcriptions: a form with a `file` of up to 32 MiB. `response_format` is `json`, `verbose_json`, "
        "`text`, `srt` or `vtt`; with `stream` the answer is a stream of `transcript.text.*` events."
    ),
    handler=create_transcription,
    request=TranscriptionForm,
    request_type="multipart/form-data",
    request_example={"file": "(the recording)", "model": "gpt-4o-transcribe", "response_format": "json"},
    response=Transcription,
    response_example={"text": "Hello there."},
    streams=True,
    stream_example=(
        'data: {"type":"transcript.text.delta","delta":"Hello"}\n\n'
        'data: {"type":"transcript.text.done","text":"Hello there."}\n\n'
    ),
)


class TranslationForm(msgspec.Struct):
    """The fields of the form. Those that are not listed are sent on."""

    file: UploadFile
    model: str
    prompt: str | None = None
    response_format: str | None = None
    temperature: float | None = None


CREATE_TRANSLATION = InferenceRoute(
    path="/v1/audio/translations",
    method="POST",
    operation_id="createTranslation",
    tag="Audio",
    summary="Write down in English what is said in a recording",
    description=(
        "OpenAI's translations: a form with a `file` of up to 32 MiB. `response_format` is `json`, `verbose_json`, "
        "`text`, `srt` or `vtt`; it never streams."
    ),
    handler=create_translation,
    request=TranslationForm,
    request_type="multipart/form-data",
    request_example={"file": "(the recording)", "model": "whisper-1", "response_format": "json"},
    response=Transcription,
    response_example={"text": "Hello there."},
)
