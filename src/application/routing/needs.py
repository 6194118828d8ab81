"""What a request needs of a model, and what of that a model is known to do."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from domain.chat import ChatRequest
from domain.generate_content import GenerateContentRequest, given
from domain.inference import InferenceRequest, Json
from domain.messages import MessagesRequest
from domain.responses import ResponsesRequest

TOOLS, VISION, AUDIO, JSON_SCHEMA, REASONING = "tools", "vision", "audio", "json_schema", "reasoning"

_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys("tools tool_use tool_calls tool_calling function_calling functions tool_choice".split(), TOOLS),
    **dict.fromkeys("vision image_input images_input input_images image_url multimodal".split(), VISION),
    **dict.fromkeys("audio audio_input input_audio speech_input".split(), AUDIO),
    **dict.fromkeys("json_schema structured_outputs structured_output response_schema".split(), JSON_SCHEMA),
    **dict.fromkeys("reasoning thinking reasoning_effort extended_thinking".split(), REASONING),
}
"""Names that providers, catalogs and people give to one thing."""

FEATURES: Final = frozenset(_NAMES.values())

_PICTURE: Final = re.compile(rb'"type"\s*:\s*"(?:image|input_image|image_url)"')
_SOUND: Final = re.compile(rb'"type"\s*:\s*"(?:input_audio|audio)"')

_PICTURE_DATA: Final = re.compile(rb'"mimeType"\s*:\s*"image/')
_SOUND_DATA: Final = re.compile(rb'"mimeType"\s*:\s*"audio/')


def plain(names: Iterable[str]) -> frozenset[str]:
    """Capabilities, each by the one name it has here."""
    return frozenset(_NAMES.get(name, name) for name in names)


def known(set_: Iterable[str] | None, listed: Iterable[str]) -> frozenset[str] | None:
    """What a model is known to do; None where nobody says.

    What an admin has set is the whole of it. A provider's list is only where it speaks of features at all: most tell
    endpoints alone.
    """
    if set_ is not None:
        return plain(set_)
    found = plain(listed)
    return found if found & FEATURES else None


def needs_of(request: InferenceRequest) -> tuple[str, ...]:
    """What a model must be able to do for it, beside the endpoint."""
    if isinstance(request, ChatRequest):
        return tuple(_of_chat(request))
    if isinstance(request, MessagesRequest):
        return tuple(_of_messages(request))
    if isinstance(request, GenerateContentRequest):
        return tuple(_of_contents(request))
    return tuple(_of_responses(request)) if isinstance(request, ResponsesRequest) else ()


def _of_chat(request: ChatRequest) -> Iterable[str]:
    if request.tools or request.functions:
        yield TOOLS
    parts = [part for message in request.messages if isinstance(message.content, list) for part in message.content]
    if any(part.image_url is not None for part in parts):
        yield VISION
    if any(part.input_audio is not None for part in parts) or "audio" in (request.modalities or ()):
        yield AUDIO
    if request.response_format is not None and request.response_format.type == "json_schema":
        yield JSON_SCHEMA
    if request.reasoning_effort not in {None, "none"}:
        yield REASONING


def _of_messages(request: MessagesRequest) -> Iterable[str]:
    if request.tools:
        yield TOOLS
    yield from _media(block for turn in request.messages if not isinstance(turn.content, str) for block in turn.content)
    if request.output_config is not None and "format" in request.output_config:
        yield JSON_SCHEMA
    if request.thinking is not None and b"disabled" not in bytes(request.thinking.get("type", Json(b""))):
        yield REASONING


def _of_responses(request: ResponsesRequest) -> Iterable[str]:
    if request.tools:
        yield TOOLS
    yield from _media(request.input if isinstance(request.input, list) else ())
    if request.text is not None and b"json_schema" in bytes(request.text.get("format", Json(b""))):
        yield JSON_SCHEMA
    if request.reasoning is not None and b"none" not in bytes(request.reasoning.get("effort", Json(b"none"))):
        yield REASONING


def _of_contents(request: GenerateContentRequest) -> Iterable[str]:
    config = request.config
    if request.tools:
        yield TOOLS
    found = [bytes(content) for content in request.contents]
    if any(_PICTURE_DATA.search(content) for content in found):
        yield VISION
    if any(_SOUND_DATA.search(content) for content in found) or "AUDIO" in (config.response_modalities or ()):
        yield AUDIO
    if config.response_schema is not None or given(config.response_json_schema) is not None:
        yield JSON_SCHEMA
    thinking = config.thinking_config
    if thinking is not None and (thinking.thinking_level or thinking.thinking_budget):
        yield REASONING


def _media(blocks: Iterable[Json]) -> Iterable[str]:
    found = [bytes(block) for block in blocks]
    if any(_PICTURE.search(block) for block in found):
        yield VISION
    if any(_SOUND.search(block) for block in found):
        yield AUDIO
