"""Writes a chat request as Gemini's `generateContent` takes it: contents, configuration, and tools on offer.

How much a Gemini thinks is set by a budget of tokens for 2.5 and by a level from 3 on, never both; what cannot be
switched off is set as low as it goes. Source: google-genai 3.4 types; ai.google.dev thinking, OpenAI compatibility,
function calling and grounding (read 2026-11).
"""

from typing import Final

import msgspec

from adapters.dialects.gemini.contents import ContentsWriter, GeminiSettings, generation, takes_json_schema
from adapters.dialects.gemini.params import CHAT_FIDELITY, OWN_FIELDS
from adapters.dialects.gemini.schema import decoded, openapi_parameters, openapi_schema
from adapters.dialects.gemini.schema_flatten import with_lone_references
from adapters.wire.call import DialectCall, Encoded
from adapters.wire.chat_history import history
from adapters.wire.sift import keep_strict, sift, stop_sequences, top_k, unsupported, within, worth_a_report
from domain.chat import ChatRequest, ResponseFormat, Tool
from domain.inference import Json
from domain.payload import Payload

_BUDGETS: Final = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
_LEVELS: Final = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
_SMALLEST_PRO_BUDGET: Final = 128
_MEDIUM_IN_PRO_FROM: Final = 3.1
_PENALTIES: Final = {"frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty"}
_MAX_PENALTY: Final = 1.99
"""It must be less than 2. Source: Vertex AI, GenerationConfig (read 2026-11)."""
_SEEDS: Final = range(-(2**31), 2**31)
_MAX_STOPS: Final = 5
_MAX_CANDIDATES: Final = 8
_MODALITIES: Final = {"text": "TEXT", "image": "IMAGE", "audio": "AUDIO"}
AUDIO_FORMATS: Final = ("wav", "pcm16")
"""Gemini answers with raw samples; these the gateway can write without a codec."""
_KNOWN: Final = CHAT_FIDELITY | OWN_FIELDS
_NULL: Final = msgspec.Raw(b"null")
_OPTIONAL: Final = frozenset(ChatRequest.__struct_fields__) - {"model", "messages"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class _Named(msgspec.Struct):
    name: str


class _AllowedTool(msgspec.Struct):
    function: _Named | None = None
    name: str | None = None


class _AllowedTools(msgspec.Struct):
    mode: str = "auto"
    tools: list[_AllowedTool] = []


class _Choice(msgspec.Struct):
    type: str
    function: _Named | None = None
    allowed_tools: _AllowedTools | None = None


class _Voice(msgspec.Struct):
    voice: str | dict[str, Json] | None = None
    format: str = "wav"


class _Google(msgspec.Struct, frozen=True):
    """What Google's own OpenAI-compatible endpoint reads in `extra_body`."""

    thinking_config: dict[str, Json] | None = None
    cached_content: str | None = None
    safety_settings: list[Json] | None = None


class _ExtraBody(msgspec.Struct):
    google: _Google = _Google()
    extra_body: "_ExtraBody | None" = None  # openai-python takes one layer off; some callers nest twice


_decode_choice = msgspec.json.Decoder(_Choice).decode
_decode_voice = msgspec.json.Decoder(_Voice).decode
_decode_extra = msgspec.json.Decoder(_ExtraBody).decode


def encode_chat(call: DialectCall[ChatRequest], settings: GeminiSettings) -> Encoded:
    """The body to send. Raises `UNSUPPORTED` for what Gemini cannot do."""
    payload, request = call.payload, call.payload.value
    fields = {name: raw for name, raw in payload.fields.items() if name not in settings.drop}
    by_operator = [
        name for name in settings.drop if name in payload.fields and worth_a_report(name, payload.fields[name])
    ]
    if by_operator:
        request = msgspec.structs.replace(request, **{name: None for name in by_operator if name in _OPTIONAL})
        payload = msgspec.structs.replace(payload, value=request, fields=fields)
    dropped = [*by_operator, *sift(fields, _KNOWN, ignored=("model", "messages"))]
    messages = history(payload)
    if any(message.name is not None and message.role not in {"tool", "function"} for message in messages):
        dropped.append("messages.name")
    contents, instruction = ContentsWriter(call.model, settings).write(messages)
    body: dict[str, object] = {"contents": contents}
    if instruction is not None:
        body["systemInstruction"] = instruction
    offered = tools(request, call.model, settings)
    if offered:
        body["tools"] = offered
    choice = tool_config(request.tool_choice) if request.tools else {}
    if choice:
        body["toolConfig"] = choice
    config, left_out = generation_config(payload, call.model, settings)
    dropped += left_out
    if "safety_settings" in fields and fields["safety_settings"] != _NULL:
        body["safetySettings"] = fields["safety_settings"]
    if "extra_body" in fields and fields["extra_body"] != _NULL:
        _take_extra(fields["extra_body"], body, config)
    if config:
        body["generationConfig"] = config
    return Encoded(_encode(body), keep_strict(dropped, strict=call.strict))


def _take_extra(raw: msgspec.Raw, body: dict[str, object], config: dict[str, object]) -> None:
    try:
        extra = _decode_extra(raw)
    except msgspec.ValidationError as error:
        raise unsupported("extra_body", f"of extra_body.google: {error}") from None
    google = extra.google if extra.extra_body is None else extra.extra_body.google
    if google.thinking_config is not None:
        config["thinkingConfig"] = google.thinking_config  # in its writer's hands: Gemini takes both spellings
    if google.cached_content is not None:
        body["cachedContent"] = google.cached_content
    if google.safety_settings is not None:
        body["safetySettings"] = google.safety_settings


def generation_config(
    payload: Payload[ChatRequest], model: str, settings: GeminiSettings
) -> tuple[dict[str, object], list[str]]:
    """The configuration, and the parameters that this model has no place for. Raises `UNSUPPORTED`."""
    request = payload.value
    config, dropped = _sampling(payload)
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None:
        config["maxOutputTokens"] = limit
    if request.n is not None and request.n > 1:
        if request.n > _MAX_CANDIDATES:
            raise unsupported("n", f"at most {_MAX_CANDIDATES}")
        config["candidateCount"] = request.n
    if request.logprobs:
        config["responseLogprobs"] = True
        if request.top_logprobs is not None:
            config["logprobs"] = request.top_logprobs
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


def _sampling(payload: Payload[ChatRequest]) -> tuple[dict[str, object], list[str]]:
    """How the next token is chosen and where the text stops, and the names of what was cut to Gemini's ranges."""
    request = payload.value
    config: dict[str, object] = {}
    dropped: list[str] = []
    if request.temperature is not None:
        config["temperature"] = request.temperature
    if request.top_p is not None:
        config["topP"] = request.top_p
    if "top_k" in payload.fields and payload.fields["top_k"] != _NULL:
        candidates, _ = top_k(payload.fields["top_k"])
        if candidates is not None:
            config["topK"] = candidates
    if request.seed is not None and request.seed in _SEEDS:
        config["seed"] = request.seed
    elif request.seed is not None:
        dropped.append("seed")
    penalties = {"frequency_penalty": request.frequency_penalty, "presence_penalty": request.presence_penalty}
    for name, penalty in penalties.items():
        if penalty is not None:
            config[_PENALTIES[name]], cut = within(penalty, -2, _MAX_PENALTY)
            if cut:
                dropped.append(name)
    stops, cut = stop_sequences(request.stop, most=_MAX_STOPS)
    if stops:
        config["stopSequences"] = stops
    if cut:
        dropped.append("stop")
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
            audio = _decode_voice(_encode(request.audio))
        except msgspec.ValidationError:
            raise unsupported("audio", "its shape is not OpenAI's") from None
        if audio.format not in AUDIO_FORMATS:
            raise unsupported("audio.format", f"one of {', '.join(AUDIO_FORMATS)}")
        if isinstance(audio.voice, str):
            config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": audio.voice}}}
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
            config["responseJsonSchema"] = with_lone_references(decoded(schema))
        else:
            config["responseSchema"] = openapi_schema(decoded(schema))
    return config


def thinking_config(model: str, effort: str) -> dict[str, object] | None:
    """None where the model does not think, or the word is none of OpenAI's."""
    made, pro = generation(model), "-pro" in model
    if made < 2.5 or effort not in _BUDGETS:
        return None
    config: dict[str, object] = {"includeThoughts": True} if effort != "none" else {}
    if made < 3:
        budget = _BUDGETS[effort]
        return {**config, "thinkingBudget": max(budget, _SMALLEST_PRO_BUDGET) if pro else budget}
    level = _LEVELS[effort]
    if pro and level == "MINIMAL":
        level = "LOW"
    elif pro and level == "MEDIUM" and made < _MEDIUM_IN_PRO_FROM:
        level = "HIGH"
    return {**config, "thinkingLevel": level}


def tools(request: ChatRequest, model: str, settings: GeminiSettings) -> list[dict[str, object]]:
    """Raises `UNSUPPORTED` for tools that are no functions."""
    declared = [_declaration(tool, index, model, settings) for index, tool in enumerate(request.tools or ())]
    found: list[dict[str, object]] = [{"functionDeclarations": declared}] if declared else []
    if request.web_search_options is not None:
        if declared and generation(model) < 3:
            raise unsupported("web_search_options", "not beside functions before Gemini 3")
        found.append({"googleSearch": {}})
    return found


def tool_config(choice: str | dict[str, Json] | None) -> dict[str, object]:
    """Empty where the model decides. Raises `UNSUPPORTED` for a choice that Gemini does not know."""
    if isinstance(choice, str):
        modes = {"auto": "", "none": "NONE", "required": "ANY", "any": "ANY"}
        if choice not in modes:
            raise unsupported("tool_choice", f"there is no {choice!r}")
        return _config(modes[choice]) if modes[choice] else {}
    if choice is None:
        return {}
    try:
        wanted = _decode_choice(_encode(choice))
    except msgspec.ValidationError:
        raise unsupported("tool_choice", "its shape is not OpenAI's") from None
    if wanted.function is not None:
        return _config("ANY", [wanted.function.name])
    if wanted.allowed_tools is not None:
        names = [tool.function.name if tool.function else tool.name or "" for tool in wanted.allowed_tools.tools]
        return _config(
            "ANY" if wanted.allowed_tools.mode == "required" else "VALIDATED", [name for name in names if name]
        )
    raise unsupported("tool_choice", f"there is no place for {wanted.type!r}")


def _config(mode: str, names: list[str] | None = None) -> dict[str, object]:
    config: dict[str, object] = {"mode": mode}
    if names:
        config["allowedFunctionNames"] = names
    return {"functionCallingConfig": config}


def _declaration(tool: Tool, index: int, model: str, settings: GeminiSettings) -> dict[str, object]:
    function = tool.function
    if function is None:
        raise unsupported("tools", f"tools.{index} is of type {tool.type!r}, and Gemini takes functions")
    declaration: dict[str, object] = {"name": function.name}
    if function.description:
        declaration["description"] = function.description
    if not function.parameters:
        return declaration
    if takes_json_schema(settings, model):
        declaration["parametersJsonSchema"] = with_lone_references(decoded(function.parameters))
        return declaration
    parameters = openapi_parameters(decoded(function.parameters))
    if parameters is not None:
        declaration["parameters"] = parameters
    return declaration
