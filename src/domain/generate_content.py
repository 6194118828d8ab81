"""Google's `generateContent` and what stands beside it, as the gateway reads them, in camelCase.

Only what policy reads is modelled; contents, tools and schemas stay raw JSON for whoever serves them. Source:
google-genai 3.6 types; ai.google.dev generateContent, countTokens and embedContent (read 2026-11).
"""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from typing_extensions import override

from domain.inference import InferenceRequest, Json
from domain.media import media_tokens_of, text_of


def given(raw: Json | UnsetType) -> Json | None:
    """None for what is not there, or null."""
    return None if isinstance(raw, UnsetType) or bytes(raw) == b"null" else raw


class ThinkingConfig(msgspec.Struct, rename="camel"):
    """How much a model thinks, and whether it is shown: by a level or by a budget of tokens, -1 for its own choice."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class GenerationConfig(msgspec.Struct, rename="camel"):
    """How an answer is made."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: float | None = None  # a whole number; Google's clients type it as a float
    candidate_count: Annotated[int, Meta(ge=1, le=128)] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    stop_sequences: list[str] | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Json] | None = None
    response_json_schema: Json | UnsetType = UNSET
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_modalities: list[str] | None = None
    thinking_config: ThinkingConfig | None = None
    speech_config: dict[str, Json] | None = None


class GenerateContentRequest(InferenceRequest, kw_only=True, rename="camel"):
    """The body of `:generateContent` and `:streamGenerateContent`; the model and whether it streams are the path's."""

    contents: Annotated[list[Json], Meta(min_length=1)]
    system_instruction: Json | UnsetType = UNSET
    stream: bool | None = None
    tools: list[Json] | None = None
    tool_config: dict[str, Json] | None = None
    generation_config: GenerationConfig | None = None
    safety_settings: list[Json] | None = None
    cached_content: str | None = None
    labels: dict[str, Json] | None = None
    service_tier: str | None = None

    @property
    def config(self) -> GenerationConfig:
        return self.generation_config or _NO_CONFIG

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    @override
    def media_tokens(self) -> int:
        return sum(media_tokens_of(content) for content in self.contents)

    @property
    @override
    def output_limit(self) -> int | None:
        return self.config.max_output_tokens

    @property
    @override
    def least_output(self) -> int:
        thinking = self.config.thinking_config
        budget = thinking.thinking_budget if thinking is not None else None
        return budget + 1 if budget is not None and budget > 0 else 1

    @property
    @override
    def streamable(self) -> bool:
        """Sound comes in other formats in streams."""
        return all(kind.upper() == "TEXT" for kind in self.config.response_modalities or ())

    @property
    @override
    def answers(self) -> int:
        return self.config.candidate_count or 1

    @property
    @override
    def turns(self) -> int:
        return len(self.contents)

    @override
    def prompt_texts(self) -> Iterator[str]:
        """Contents and tools are taken with their JSON around them: close enough for an estimate."""
        if (instruction := given(self.system_instruction)) is not None:
            yield text_of(instruction)
        yield from (text_of(content) for content in self.contents)
        yield from (text_of(tool) for tool in self.tools or ())


_NO_CONFIG = GenerationConfig()


class CountTokensRequest(GenerateContentRequest, kw_only=True, rename="camel"):
    """The body of `:countTokens`. Nothing is generated and nothing read for a price."""

    @property
    @override
    def streams(self) -> bool:
        return False

    @property
    @override
    def output_limit(self) -> int | None:
        return 0

    @property
    @override
    def turns(self) -> int:
        return 0

    @override
    def prompt_texts(self) -> Iterator[str]:
        yield from ()


class TextPart(msgspec.Struct, rename="camel"):
    """A part as far as an embedding reads it. Parts of other kinds hold no text."""

    text: str | None = None


class EmbeddedContent(msgspec.Struct, rename="camel"):
    """What is embedded: the texts of its parts are one."""

    parts: list[TextPart]

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def is_text(self) -> bool:
        return all(part.text is not None for part in self.parts)


class EmbedOne(msgspec.Struct, rename="camel"):
    """One of the `requests` of a batch."""

    content: EmbeddedContent
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None


class EmbedContentRequest(InferenceRequest, kw_only=True, rename="camel"):
    """The body of `:embedContent`, which has `content`, and of `:batchEmbedContents`, which has `requests`."""

    content: EmbeddedContent | None = None
    requests: Annotated[list[EmbedOne], Meta(min_length=1)] | None = None
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        if self.content is None and self.requests is None:
            raise ValueError("There is nothing to embed: `content`, or for a batch `requests`, is missing")

    def each(self) -> list[EmbedOne]:
        """Every content with what is asked of it."""
        if self.requests is not None:
            return self.requests
        content = self.content or EmbeddedContent([])
        return [EmbedOne(content, self.task_type, self.title, self.output_dimensionality)]

    @override
    def prompt_texts(self) -> Iterable[str]:
        return [one.content.text for one in self.each()]


class Content(msgspec.Struct, rename="camel"):
    """A turn of a conversation. Parts are `text`, `inlineData`, `functionCall`, `functionResponse` and others."""

    parts: list[dict[str, Json]]
    role: str | None = None


class Candidate(msgspec.Struct, rename="camel", omit_defaults=True):
    content: Content
    index: int = 0
    finish_reason: str | None = None


class UsageMetadata(msgspec.Struct, rename="camel", omit_defaults=True):
    """`candidatesTokenCount` leaves thoughts out."""

    prompt_token_count: int
    total_token_count: int
    candidates_token_count: int = 0
    cached_content_token_count: int = 0
    thoughts_token_count: int = 0


class GeneratedContent(msgspec.Struct, rename="camel"):
    """A plain answer, and the shape of every chunk of a stream."""

    candidates: list[Candidate]
    usage_metadata: UsageMetadata | None = None
    model_version: str = ""
    response_id: str = ""


class TokenTotal(msgspec.Struct, rename="camel"):
    """The answer of `:countTokens`."""

    total_tokens: int


class ContentEmbedding(msgspec.Struct):
    values: list[float]


class EmbeddedOne(msgspec.Struct):
    """The answer of `:embedContent`."""

    embedding: ContentEmbedding


class EmbeddedBatch(msgspec.Struct):
    """The answer of `:batchEmbedContents`, in the order of its requests."""

    embeddings: list[ContentEmbedding]
