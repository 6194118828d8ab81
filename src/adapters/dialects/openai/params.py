"""What becomes of each parameter at an upstream, derived from the quirks the encoders themselves follow."""

from typing import Final

import msgspec

from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from domain.audio import SpeechRequest, TranscriptionRequest
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.fidelity import HONORED, Cell, Fidelity, dropped, mapped, refused
from domain.images import ImageEditRequest, ImageRequest
from domain.inference import GATEWAY_FIELDS, InferenceRequest
from domain.moderations import ModerationRequest
from domain.rerank import RerankRequest

_UNMODELLED = ("moderation", "prompt_cache_options", "prompt_cache_retention")

CHAT_PARAMS: tuple[str, ...] = tuple(
    sorted({*ChatRequest.__struct_fields__, *_UNMODELLED} - GATEWAY_FIELDS - {"model", "messages"})
)

_FORM_FIELDS = "language languages keywords temperature timestamp_granularities include chunking_strategy"


_ASKED: Final = frozenset({"model", "prompt", "input", "voice", "file", "form", "images", "query", "documents"})
"""What is asked for, and no parameter of it."""


def _fields(request: type[InferenceRequest], *more: str) -> tuple[str, ...]:
    return tuple(sorted({*request.__struct_fields__, *more} - GATEWAY_FIELDS - _ASKED))


ENDPOINT_PARAMS: Final[dict[str, tuple[str, ...]]] = {
    "completions": _fields(CompletionRequest),
    "embeddings": _fields(EmbeddingRequest),
    "images.generations": _fields(ImageRequest),
    "images.edits": _fields(ImageEditRequest),
    "audio.speech": _fields(SpeechRequest),
    "audio.transcriptions": (*_fields(TranscriptionRequest, *_FORM_FIELDS.split()), "prompt"),
    "audio.translations": ("prompt", "response_format", "temperature"),
    "moderations": _fields(ModerationRequest),
    "rerank": _fields(RerankRequest),
}
"""Every parameter of the other endpoints that are translated here or passed on."""

_CHAT_REFUSALS_HOLD_FOR: Final = frozenset({"completions"})


def chat_fidelity(quirks: Quirks) -> Fidelity:
    """Every parameter of OpenAI's chat, as this upstream gets it."""
    return {name: _cell(name, quirks) for name in CHAT_PARAMS}


def endpoint_fidelity(endpoint: str, quirks: Quirks, own: EndpointQuirks) -> Fidelity:
    """Every parameter of another endpoint, as this upstream gets it."""
    whole = whole_quirks(endpoint, quirks, own)
    return {name: _endpoint_cell(name, whole) for name in ENDPOINT_PARAMS[endpoint]}


def whole_quirks(endpoint: str, quirks: Quirks, own: EndpointQuirks) -> EndpointQuirks:
    """An endpoint's own quirks and those of the upstream's chat that hold for it too."""
    params = frozenset(ENDPOINT_PARAMS[endpoint])
    refused_too = quirks.refused & params if endpoint in _CHAT_REFUSALS_HOLD_FOR else frozenset[str]()
    dropped_too = (quirks.drop & params) - own.rename.keys()
    return msgspec.structs.replace(own, drop=own.drop | dropped_too, refused=own.refused | refused_too)


def _endpoint_cell(name: str, quirks: EndpointQuirks) -> Cell:
    if name in quirks.refused:
        return refused()
    if name in quirks.drop:
        return dropped()
    if name in quirks.rename:
        return mapped(quirks.rename[name])
    return HONORED


def _cell(name: str, quirks: Quirks) -> Cell:
    if name in quirks.refused:
        return refused("forwarded, for the provider to refuse")
    if name in quirks.drop:
        return dropped()
    if name in quirks.rename:
        return mapped(quirks.rename[name])
    if name in quirks.rewrite:
        return mapped(name, "some values are sent as others")
    if name == "stream_options":
        return HONORED if quirks.stream_usage else mapped("", "usage comes without being asked for")
    other_max_tokens = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    if quirks.max_tokens_field is not None and other_max_tokens.get(name) == quirks.max_tokens_field:
        return mapped(quirks.max_tokens_field)
    return HONORED
