"""Writes Gemini's `generationConfig` from a chat's parameters. Source: google-genai 3.4 types (November 2026)."""

from typing import Final

import msgspec

from adapters.dialects.gemini.schema import openapi_schema
from adapters.dialects.gemini.settings import GeminiSettings, generation, takes_json_schema
from adapters.dialects.gemini.thinking import thinking_config
from adapters.wire.sift import unsupported
from domain.chat import ChatRequest, ResponseFormat
from domain.inference import Json
from domain.wire import Payload

_SAME: Final = (
    ("temperature", "temperature"),
    ("topP", "top_p"),
    ("seed", "seed"),
    ("frequencyPenalty", "frequency_penalty"),
    ("presencePenalty", "presence_penalty"),
)
_MAX_STOPS: Final = 5
_MAX_CANDIDATES: Final = 8
_MODALITIES: Final = {"text": "TEXT", "image": "IMAGE", "audio": "AUDIO"}
AUDIO_FORMATS: Final = ("wav", "pcm16")
"""Gemini answers with raw samples; these the gateway can write without a codec."""

_decode = msgspec.json.Decoder().decode


class _Voice(msgspec.Struct):
    voice: str | dict[str, Json] | None = None
    format: str = "wav"


_decode_voice = msgspec.json.Decoder(_Voice).decode
_encode = msgspec.json.Encoder().encode


def generation_config(
    payload: Payload[ChatRequest], model: str, settings: GeminiSettings
) -> tuple[dict[str, object], list[str]]:
    """The configuration, and the parameters that this model has no place for. Raises `UNSUPPORTED`."""
    request, dropped = payload.value, []
    config = {name: value for name, field in _SAME if (value := getattr(request, field)) is not None}
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None:
        config["maxOutputTokens"] = limit
    if request.n is not None and request.n > 1:
        if request.n > _MAX_CANDIDATES:
            raise unsupported("n", f"at most {_MAX_CANDIDATES}")
        config["candidateCount"] = request.n
    stops = [request.stop] if isinstance(request.stop, str) else list(request.stop or ())
    if len(stops) > _MAX_STOPS:
        raise unsupported("stop", f"at most {_MAX_STOPS} stop sequences")
    if stops:
        config["stopSequences"] = stops
    if request.logprobs:
        config["responseLogprobs"] = True
        if request.top_logprobs is not None:
            config["logprobs"] = request.top_logprobs
    if "top_k" in payload.fields and payload.fields["top_k"] != b"null":
        config["topK"] = payload.fields["top_k"]
    config |= _modalities(request)
    if request.response_format is not None:
        config |= _response_format(request.response_format, request, model, settings)
    if request.reasoning_effort is not None:
        thinking = thinking_config(model, request.reasoning_effort)
        if thinking is None:
            dropped.append("reasoning_effort")
        else:
            config["thinkingConfig"] = thinking
    return config, dropped


def _modalities(request: ChatRequest) -> dict[str, object]:
    wanted = request.modalities or []
    unknown = next((name for name in wanted if name not in _MODALITIES), None)
    if unknown is not None:
        raise unsupported("modalities", f"there is no {unknown!r}")
    config: dict[str, object] = {}
    if wanted and wanted != ["text"]:
        config["responseModalities"] = [_MODALITIES[name] for name in wanted]
    if request.audio is not None and "audio" in wanted:
        try:
            told = _decode_voice(_encode(request.audio))
        except msgspec.ValidationError:
            raise unsupported("audio", "its shape is not OpenAI's") from None
        if told.format not in AUDIO_FORMATS:
            raise unsupported("audio.format", f"one of {', '.join(AUDIO_FORMATS)}")
        if isinstance(told.voice, str):
            config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": told.voice}}}
    return config


def _response_format(
    wanted: ResponseFormat, request: ChatRequest, model: str, settings: GeminiSettings
) -> dict[str, object]:
    if wanted.type == "text":
        return {}
    if wanted.type not in {"json_object", "json_schema"}:
        raise unsupported("response_format", f"there is no type {wanted.type!r}")
    if request.tools and generation(model) < 3:
        raise unsupported("response_format", "not beside tools before Gemini 3")
    config: dict[str, object] = {"responseMimeType": "application/json"}
    schema = wanted.json_schema.schema if wanted.json_schema is not None else None
    if wanted.type == "json_schema" and schema:
        if takes_json_schema(settings, model):
            config["responseJsonSchema"] = schema
        else:
            config["responseSchema"] = openapi_schema(decoded(schema))
    return config


def decoded(schema: dict[str, Json]) -> dict[str, object]:
    """A schema whose values are still raw, in full."""
    return {name: _decode(raw) for name, raw in schema.items()}
