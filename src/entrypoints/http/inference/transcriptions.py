"""`POST /v1/audio/transcriptions`."""

import msgspec
from litestar.datastructures import UploadFile

from application.inference.operations import TRANSCRIPTIONS
from entrypoints.http.inference.form_body import transcription_form
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


create_transcription = Serving(decode=transcription_form, answering=TRANSCRIPTIONS, streaming=TRANSCRIPTIONS)

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
