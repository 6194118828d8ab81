"""Token usage, from every shape OpenAI-compatible providers write it in, into OpenAI's way of counting."""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.wire.charges import BillingFields, with_billing, with_calls
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.raw_json import mended as mended_json
from domain.usage import STANDARD_WORDS, TokenUsage

_Count = int | float | None


class _CacheCreation(msgspec.Struct):
    ephemeral_1h_input_tokens: _Count = None


class _Details(msgspec.Struct):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None  # OpenRouter
    cache_creation_tokens: _Count = None  # LiteLLM
    audio_tokens: _Count = None
    image_tokens: _Count = None
    video_tokens: _Count = None
    reasoning_tokens: _Count = None
    cache_creation_token_details: _CacheCreation | None = None  # gateways, this one too, about Claude


class Usage(BillingFields):
    """Usage as an upstream reports it. What it tells twice it tells under two names: the first that counts is taken."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: _Count = None  # DeepSeek
    cached_tokens: _Count = None  # Moonshot
    reasoning_tokens: _Count = None  # Perplexity and others put it on top
    input_tokens: _Count = None  # Responses' names, and Anthropic's
    output_tokens: _Count = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None
    cache_read_input_tokens: _Count = None  # Anthropic's, on top: LiteLLM, proxies in front of Claude
    cache_creation_input_tokens: _Count = None
    cache_creation_tokens: _Count = None
    cache_creation: _CacheCreation | None = None

    def prompt(self) -> int:
        """All of the input. Anthropic's own counts leave out what was read from a cache or written to it."""
        read, written = self.cache_read_input_tokens, self.cache_creation_input_tokens
        beside = _int(read) + _int(written) if read or written else 0
        if prompt := _int(self.prompt_tokens):
            return prompt if beside <= prompt else prompt + beside
        return _int(self.input_tokens) + beside

    def completion(self) -> int:
        return _first(self.completion_tokens, self.output_tokens)

    def is_billed_by_more(self) -> bool:
        """Whether it says anything of its bill beside the tokens that have a count."""
        outputs = self.completion_tokens_details
        return not (
            self.cost is self.cost_in_usd_ticks is self.estimated_cost is self.server_tool_use is None
            and self.server_side_tool_usage_details is self.num_search_queries is self.citation_tokens is None
            and (outputs is None or not outputs.image_tokens)
            and (self.prompt_tokens_details is None or not self.prompt_tokens_details.video_tokens)
        )

    def further_tokens(self) -> dict[str, int]:
        """By meter, those that `TokenUsage` has no count of."""
        inputs, outputs = self.details()
        return {"image_output": _int(outputs.image_tokens), "video_input": _int(inputs.video_tokens)}

    def details(self) -> tuple[_Details, _Details]:
        """Of the input and of the output."""
        inputs = self.prompt_tokens_details or self.input_tokens_details or _NO_DETAILS
        return inputs, self.completion_tokens_details or self.output_tokens_details or _NO_DETAILS

    def cache_read(self) -> int:
        inputs = self.details()[0]
        return _first(
            inputs.cached_tokens, self.prompt_cache_hit_tokens, self.cached_tokens, self.cache_read_input_tokens
        )

    def cache_written(self) -> int:
        inputs = self.details()[0]
        return _first(
            inputs.cache_write_tokens, inputs.cache_creation_tokens, self.cache_creation_input_tokens,
            self.cache_creation_tokens,
        )  # fmt: skip


_NO_DETAILS: Final = _Details()

_decode = msgspec.json.Decoder(Usage).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class ReadUsage(msgspec.Struct, frozen=True):
    """Usage as read: the counts, and the JSON to show a client (mended where the upstream counts otherwise)."""

    tokens: TokenUsage
    raw: bytes
    mended: bool


def read_usage(raw: bytes, *, completion_excludes_reasoning: bool = False) -> ReadUsage | None:
    """None where there is nothing to read. Never raises: usage that cannot be read is usage that never came.

    With `completion_excludes_reasoning` (xAI) the total says whether reasoning is missing from completion.
    """
    usage, odd = None, False
    try:
        usage = _decode(raw)
    except UNDECODABLE:
        odd = True
    try:
        if usage is None:
            raw = mended_json(bytes(raw), Usage)
            usage = _decode(raw)
    except UNDECODABLE:
        return None
    counted = count_usage(usage, completion_excludes_reasoning=completion_excludes_reasoning)
    if counted is None:
        return None
    tokens, mended = counted[0], counted[1] or odd
    return ReadUsage(tokens, _mend(raw, tokens, _int(usage.total_tokens)) if mended else raw, mended)


def with_earlier(later: bytes, earlier: bytes) -> bytes:
    """The usage of a later chunk, with the fields of an earlier one that it does not tell; both are objects.

    A stream's counts are cumulative: each takes the place of the one before, a zero too.
    """
    new = {name: value for name, value in _decode_fields(later).items() if bytes(value) != b"null"}
    old = _decode_fields(earlier) if earlier else {}
    return _encode(old | new) if old.keys() - new.keys() else later


def count_usage(usage: Usage, *, completion_excludes_reasoning: bool = False) -> tuple[TokenUsage, bool] | None:
    """The counts, and whether a client must be shown others than the upstream's. None where nothing was counted."""
    prompt, completion = usage.prompt(), usage.completion()
    if not prompt and not completion:  # absent, or zeros by a server that does not count: no prompt has no tokens
        return None
    inputs, outputs = usage.details()
    reasoning = _first(outputs.reasoning_tokens, usage.reasoning_tokens)
    mended = not _whole(usage) or prompt != usage.prompt_tokens
    if completion_excludes_reasoning and reasoning and _int(usage.total_tokens) == prompt + completion + reasoning:
        completion += reasoning
        mended = True
    written, made = usage.cache_written(), inputs.cache_creation_token_details or usage.cache_creation
    tokens = TokenUsage(
        input_tokens=prompt,
        output_tokens=completion,
        cache_read_tokens=usage.cache_read(),
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        audio_input_tokens=_int(inputs.audio_tokens) if inputs.audio_tokens else 0,
        audio_output_tokens=_int(outputs.audio_tokens) if outputs.audio_tokens else 0,
        image_tokens=_int(inputs.image_tokens) if inputs.image_tokens else 0,
        cache_write_1h_tokens=min(written, _int(made.ephemeral_1h_input_tokens)) if made is not None else 0,
    )
    if usage.is_billed_by_more():
        tokens = with_billing(tokens, usage, usage.further_tokens())
    return tokens, mended


def at_tier(tokens: TokenUsage | None, service_tier: object) -> TokenUsage | None:
    """Usage of an answer that says at which service tier it was made."""
    if tokens is None or not isinstance(service_tier, str) or service_tier in STANDARD_WORDS:
        return tokens
    return tokens.under(service_tier=service_tier)


def cites_pages(annotations: msgspec.Raw | UnsetType) -> bool:
    """Whether a message rests on pages of the web: nothing else in a chat says that the model searched."""
    return annotations is not UNSET and b'"url_citation"' in bytes(annotations)


def after_search(tokens: TokenUsage | None) -> TokenUsage | None:
    """Usage of an answer that searched the web, unless it counts its searches itself."""
    return with_calls(tokens, ("web_search",))


def _whole(usage: Usage) -> bool:
    """Whether the three counts every typed client requires are there, as integers."""
    return type(usage.prompt_tokens) is int and type(usage.completion_tokens) is int and type(usage.total_tokens) is int


def _mend(raw: bytes, tokens: TokenUsage, total: int) -> bytes:
    fields = _decode_fields(raw)
    prompt, completion = tokens.input_tokens, tokens.output_tokens
    total = max(total, prompt + completion)
    for name, count in (("prompt_tokens", prompt), ("completion_tokens", completion), ("total_tokens", total)):
        fields[name] = msgspec.Raw(_encode(count))
    return _encode(fields)


def _first(*counts: _Count) -> int:
    """The first that counts anything."""
    for count in counts:
        if count and (whole := _int(count)):
            return whole
    return 0


def _int(count: _Count) -> int:
    return max(0, int(count)) if count else 0
