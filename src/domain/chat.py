"""OpenAI's Chat Completions as the gateway reads and answers it: OpenAI's names, unknown fields allowed.

Source: openai-python 3.52 types (November 2026). Optional fields may be `null`, which means absent.
Only what policy reads and what must be refused early is modelled; everything else is forwarded as it came.
What is modelled is strict, so that the mistake is told here and not by whichever provider comes first;
`chat_tolerance` mends the slips that real clients are known for.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from typing_extensions import override

from domain.inference import InferenceRequest, Json
from domain.media import BYTES_PER_TOKEN, PICTURE_TOKENS

Role = Literal["developer", "system", "user", "assistant", "tool", "function"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


class ImageUrl(msgspec.Struct):
    url: str
    detail: str | None = None


class ContentPart(msgspec.Struct):
    """One part of a message. Types the gateway does not know (`video_url`, …) are forwarded."""

    type: str
    text: str | None = None
    image_url: ImageUrl | None = None
    input_audio: dict[str, Json] | None = None
    file: dict[str, Json] | None = None


class FunctionCall(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    """A call the assistant made, as sent back in the history."""

    id: str
    type: str
    function: FunctionCall | None = None
    custom: dict[str, Json] | None = None


class Message(msgspec.Struct):
    role: Role
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None


class FunctionDefinition(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Json] | None = None
    strict: bool | None = None


class Tool(msgspec.Struct):
    """A tool on offer. Types the gateway does not know are forwarded."""

    type: str
    function: FunctionDefinition | None = None
    custom: dict[str, Json] | None = None

    def __post_init__(self) -> None:
        if self.type == "function" and self.function is None:
            raise ValueError("A tool of type `function` needs a `function`")


class StreamOptions(msgspec.Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchemaFormat(msgspec.Struct):
    name: str
    description: str | None = None
    schema: dict[str, Json] | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct):
    type: str  # text, json_object, json_schema; some providers know more (`grammar`, `regex`)
    json_schema: JsonSchemaFormat | None = None


class ChatRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/chat/completions`."""

    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    logit_bias: dict[str, float] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Json] | None = None
    parallel_tool_calls: bool | None = None
    functions: list[FunctionDefinition] | None = None
    function_call: str | dict[str, Json] | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    modalities: list[str] | None = None
    audio: dict[str, Json] | None = None
    prediction: dict[str, Json] | None = None
    service_tier: str | None = None
    store: bool | None = None
    metadata: dict[str, Json] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    web_search_options: dict[str, Json] | None = None

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    @override
    def media_tokens(self) -> int:
        tokens = 0
        for message in self.messages:
            if isinstance(message.content, list):
                tokens += sum([_media_tokens(part) for part in message.content if part.type != "text"])
        return tokens

    @property
    @override
    def output_limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    @override
    def streamable(self) -> bool:
        """Sound comes in other formats in streams."""
        return not self.modalities or all(kind == "text" for kind in self.modalities)

    @property
    @override
    def answers(self) -> int:
        return self.n or 1

    @property
    @override
    def include_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    @override
    def turns(self) -> int:
        return len(self.messages)

    @override
    def prompt_texts(self) -> Iterator[str]:
        for message in self.messages:
            if isinstance(message.content, str):
                yield message.content
            else:
                yield from (part.text for part in message.content or () if part.text)
            for call in message.tool_calls or ():
                if call.function:
                    yield f"{call.function.name}{call.function.arguments}"
        for tool in self.tools or ():
            if tool.function:
                yield f"{tool.function.name}{tool.function.description or ''}"


def _media_tokens(part: ContentPart) -> int:
    """Of a picture, or by the size of what else it is."""
    if part.image_url is not None:
        return PICTURE_TOKENS
    size = sum(len(bytes(raw)) for raw in (*(part.input_audio or {}).values(), *(part.file or {}).values()))
    return size // BYTES_PER_TOKEN


class PromptTokensDetails(msgspec.Struct, omit_defaults=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionTokensDetails(msgspec.Struct, omit_defaults=True):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class CompletionUsage(msgspec.Struct):
    """Usage as OpenAI writes it."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: PromptTokensDetails | UnsetType | None = UNSET
    completion_tokens_details: CompletionTokensDetails | UnsetType | None = UNSET


class Picture(msgspec.Struct):
    """A picture that was made, where it is or as a `data:` URL."""

    image_url: ImageUrl
    type: Literal["image_url"] = "image_url"


class AssistantMessage(msgspec.Struct):
    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | UnsetType = UNSET
    images: list[Picture] | UnsetType = UNSET


class Choice(msgspec.Struct):
    index: int
    message: AssistantMessage
    finish_reason: FinishReason
    logprobs: dict[str, Json] | None = None


class ChatCompletion(msgspec.Struct):
    """A plain answer. Fields the provider adds are kept on the wire."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    object: Literal["chat.completion"] = "chat.completion"
    usage: CompletionUsage | UnsetType | None = UNSET
    service_tier: str | UnsetType | None = UNSET
    system_fingerprint: str | UnsetType | None = UNSET
