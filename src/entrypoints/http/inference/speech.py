"""`POST /v1/audio/speech`."""

from application.inference.calls import SPEECH
from domain.audio import SpeechRequest
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving

create_speech = Serving(decode=JsonBody(SpeechRequest), streaming=SPEECH)

CREATE_SPEECH = InferenceRoute(
    path="/v1/audio/speech",
    method="POST",
    operation_id="createSpeech",
    tag="Audio",
    summary="Read a text aloud",
    description=(
        "OpenAI's speech. The audio is sent on as the provider makes it; with `stream_format: sse` as `speech.audio.*` "
        "events, where the provider has them."
    ),
    handler=create_speech,
    request=SpeechRequest,
    request_example={"model": "gpt-4o-mini-tts", "input": "Hello there.", "voice": "alloy", "response_format": "mp3"},
    response=bytes,
    response_example="(the audio file)",
    response_type="audio/mpeg",
    streams=True,
    stream_example=(
        'data: {"type":"speech.audio.delta","audio":"…"}\n\n'
        'data: {"type":"speech.audio.done","usage":{"input_tokens":5,"output_tokens":40,"total_tokens":45}}\n\n'
    ),
)
