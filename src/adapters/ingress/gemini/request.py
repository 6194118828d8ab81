"""Google's `generateContent` as a chat: each parameter as the table says, parts as parts, declarations as functions.

Source: wire facts on Gemini, sections 2 and 8; google-genai 3.6 types (November 2026).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from adapters.ingress.gemini.conversation import Conversation
from adapters.ingress.gemini.params import CONFIG, CONTENT_OVER_CHAT
from adapters.ingress.gemini.tools import chat_choice, chat_tools, json_schema
from adapters.wire.chat_answer import estimated_input
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import invalid, keep_strict, sift, unsupported
from domain.chat import ChatRequest
from domain.generate_content import GenerateContentRequest, GenerationConfig, ThinkingConfig, given
from domain.payload import Payload

_SIGNS_CALLS: Final = "gemini"  # the models that want back what they hung on their calls
_SCHEMA_NAME: Final = "answer"  # a chat's schema needs a name, and Google's has none
_JSON: Final = "application/json"
_LOW_BUDGET_TOKENS: Final = 2_048
_MEDIUM_BUDGET_TOKENS: Final = 8_192
_SAME: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "candidate_count": "n",
    "max_output_tokens": "max_tokens",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "seed": "seed",
    "response_logprobs": "logprobs",
    "logprobs": "top_logprobs",
}
"""Fields of the configuration that are a chat's by another name."""


class ChatForm(msgspec.Struct, frozen=True):
    """The request as a chat, and the parameters it lost on the way, sorted."""

    payload: Payload[ChatRequest]
    dropped: tuple[str, ...]


class _Prebuilt(msgspec.Struct, rename="camel"):
    voice_name: str | None = None


class _Voice(msgspec.Struct, rename="camel"):
    prebuilt_voice_config: _Prebuilt | None = None


class _Speech(msgspec.Struct, rename="camel"):
    voice_config: _Voice | None = None


_encode = msgspec.json.Encoder().encode
_decode_chat = msgspec.json.Decoder(ChatRequest).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def as_chat(payload: Payload[GenerateContentRequest], model: str, *, stream: bool, strict: bool = False) -> ChatForm:
    """The chat to ask `model` for. Raises `UpstreamFailure`: the client's fault, or `UNSUPPORTED`."""
    request = payload.value
    lost = set(sift(_flat(payload), CONTENT_OVER_CHAT, ignored=("model", CONFIG)))
    talk = Conversation(lost, extras=_SIGNS_CALLS in model.lower())
    chat: dict[str, object] = {
        "model": model,
        "messages": talk.write(given(request.system_instruction), request.contents),
    }
    if stream:
        chat["stream"] = True
    _add_tools(chat, request, lost)
    try:
        _add_config(chat, request.config)
        if request.service_tier:
            tier = request.service_tier.lower().removeprefix("service_tier_")
            chat["service_tier"] = "default" if tier == "standard" else tier
        body = _encode(chat)
        value = _decode_chat(body)
    except UNDECODABLE as error:
        raise invalid(f"The request cannot be read: {error}.", "contents") from None
    return ChatForm(Payload(value, _decode_fields(body), payload.size_bytes), keep_strict(lost, strict=strict))


def estimated_input_tokens(payload: Payload[GenerateContentRequest], count: Callable[[str], int]) -> int:
    """The tokens of the input, its texts counted by `count`. Raises `UpstreamFailure` as `as_chat` does."""
    request, lost = payload.value, set[str]()
    messages = Conversation(lost).write(given(request.system_instruction), request.contents)
    return estimated_input(messages, chat_tools(request.tools or (), lost), count)


def shows_thoughts(request: GenerateContentRequest) -> bool:
    """Google shows thoughts to those who ask for them alone."""
    thinking = request.config.thinking_config
    return thinking is not None and bool(thinking.include_thoughts)


def _flat(payload: Payload[GenerateContentRequest]) -> dict[str, msgspec.Raw]:
    """The fields of the body, those of the configuration beside them by their path."""
    config = payload.fields.get(CONFIG)
    if config is None or bytes(config) == b"null":
        return payload.fields
    return payload.fields | {f"{CONFIG}.{name}": raw for name, raw in _decode_fields(config).items()}


def _add_tools(chat: dict[str, object], request: GenerateContentRequest, lost: set[str]) -> None:
    choice, tools = chat_choice(request.tool_config, chat_tools(request.tools or (), lost))
    if not tools:
        return
    chat["tools"] = tools
    if choice is not None:
        chat["tool_choice"] = choice


def _add_config(chat: dict[str, object], config: GenerationConfig) -> None:
    for name, chat_name in _SAME.items():
        value = getattr(config, name)
        if value is not None:
            chat[chat_name] = value
    if config.top_k is not None:
        chat["top_k"] = int(config.top_k) if config.top_k.is_integer() else config.top_k
    if config.stop_sequences:
        chat["stop"] = config.stop_sequences
    if (wanted := _response_format(config)) is not None:
        chat["response_format"] = wanted
    effort = wanted_effort(config.thinking_config)
    if effort is not None:
        chat["reasoning_effort"] = effort
    kinds = [kind.lower() for kind in config.response_modalities or ()]
    if kinds and kinds != ["text"]:
        chat["modalities"] = kinds
    if "audio" in kinds:
        chat["audio"] = {"voice": _voice(config), "format": "wav"}


def _response_format(config: GenerationConfig) -> dict[str, Any] | None:
    kind = config.response_mime_type
    if kind == "text/x.enum":
        raise unsupported(f"{CONFIG}.responseMimeType", "an answer that is one word of a list, without JSON around it")
    schema: Any = given(config.response_json_schema)
    if schema is None and config.response_schema is not None:
        schema = json_schema(config.response_schema)
    if schema is not None:
        return {"type": "json_schema", "json_schema": {"name": _SCHEMA_NAME, "schema": schema}}
    return {"type": "json_object"} if kind == _JSON else None


def wanted_effort(thinking: ThinkingConfig | None) -> str | None:
    """The effort asked for; None where the model's own default will do.

    Thinking switched off (a budget of 0) asks for nothing: that is how a chat is without `reasoning_effort`, and the
    word for it (`none`) is known to few. -1 leaves it to the model.
    """
    if thinking is None:
        return None
    level = (thinking.thinking_level or "").lower().removeprefix("thinking_level_")
    if level not in {"", "unspecified"}:
        return level
    budget = thinking.thinking_budget
    if budget is None or budget <= 0:
        return None
    if budget <= _LOW_BUDGET_TOKENS:
        return "low"
    return "medium" if budget <= _MEDIUM_BUDGET_TOKENS else "high"


def _voice(config: GenerationConfig) -> str:
    speech = msgspec.json.decode(_encode(config.speech_config or {}), type=_Speech)
    prebuilt = speech.voice_config.prebuilt_voice_config if speech.voice_config is not None else None
    return (prebuilt.voice_name if prebuilt is not None else None) or "alloy"
