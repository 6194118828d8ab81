"""OpenAI's legacy Completions as the gateway reads them. Source: openai-python 3.52 types (November 2026)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta
from typing_extensions import override

from domain.chat import Penalty, StreamOptions
from domain.inference import InferenceRequest

Prompt = str | Annotated[list[str | int | list[int]], Meta(min_length=1)]
"""A text, texts, the token ids of one text, or of several."""


class CompletionRequest(InferenceRequest, kw_only=True):
    """The body of `POST /v1/completions`."""

    prompt: Prompt | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    best_of: Annotated[int, Meta(ge=0, le=20)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Meta(ge=0)] | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    seed: int | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    user: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.prompt, list) and len({type(part) for part in self.prompt}) > 1:
            raise ValueError("`prompt` is a text, texts, or token ids, and no mixture of them")

    @property
    @override
    def token_ids(self) -> int:
        return sum(len(part) for part in self.prompts() if not isinstance(part, str))

    @property
    @override
    def streams(self) -> bool:
        return bool(self.stream)

    @property
    @override
    def output_limit(self) -> int | None:
        return self.max_tokens

    @property
    @override
    def answers(self) -> int:
        return max(self.n or 1, self.best_of or 1) * len(self.prompts())

    @property
    @override
    def include_usage(self) -> bool:
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @override
    def prompt_texts(self) -> Iterator[str]:
        if isinstance(self.prompt, str):
            yield self.prompt
        else:
            yield from (text for text in self.prompt or () if isinstance(text, str))

    def prompts(self) -> list[str | list[int]]:
        """Every prompt, a text or token ids. None at all is the empty text."""
        if self.prompt is None or isinstance(self.prompt, str):
            return [self.prompt or ""]
        ids = [part for part in self.prompt if isinstance(part, int)]
        return [ids] if ids else [part for part in self.prompt if not isinstance(part, int)]
