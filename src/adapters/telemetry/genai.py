"""OpenTelemetry's names for what a model was asked and answered, and a record in them. Never a text of either.

The names are constants of our own: they moved to a repository of their own and the package of names marks them as
deprecated. Source: https://github.com/open-telemetry/semantic-conventions-genai (read 2026-11, status Development).
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from domain.providers import Provider
from domain.records import AttemptRecord, RequestRecord
from domain.usage import TokenUsage

Attribute = str | int | float | bool
Attributes = dict[str, Attribute]

OPERATIONS: Final[Mapping[str, str]] = {
    "chat.completions": "chat",
    "messages": "chat",
    "responses": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "rerank": "retrieval",
    "images.generations": "generate_content",
    "images.edits": "generate_content",
    "audio.speech": "generate_content",
    "audio.transcriptions": "generate_content",
    "audio.translations": "generate_content",
}
"""Of endpoints as records name them; another one's operation is its own name."""

PROVIDERS: Final[Mapping[str, str]] = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "openai": "openai",
    "perplexity": "perplexity",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""By a provider's id, else by its kind; another one's name is its id."""


class ProviderFacts(msgspec.Struct, frozen=True):
    """What spans say of a provider."""

    id: str
    kind: str
    host: str = ""
    port: int | None = None

    @classmethod
    def of(cls, provider_id: str, provider: Provider | None) -> "ProviderFacts":
        """Of one that is gone, its id alone."""
        if provider is None:
            return cls(provider_id, "")
        url = urlsplit(provider.base_url or "")
        return cls(provider_id, provider.kind, url.hostname or "", url.port)

    @property
    def name(self) -> str:
        by_kind = PROVIDERS.get(self.kind) if self.kind != "openai" else None  # most speak OpenAI's API
        return PROVIDERS.get(self.id) or by_kind or self.id


def operation(endpoint: str) -> str:
    return OPERATIONS.get(endpoint, endpoint)


def of_request(record: RequestRecord, provider: ProviderFacts | None, *, subjects: bool) -> Attributes:
    """What a span of the request says."""
    found: Attributes = {
        "gen_ai.operation.name": operation(record.endpoint),
        "gen_ai.request.model": record.requested_model,
        "http.response.status_code": record.status,
        "omg.request_id": record.request_id,
        "omg.decision_id": record.decision_id,
        "omg.endpoint": record.endpoint,
        "omg.outcome": record.outcome,
        "omg.attempts": len(record.attempts),
    }
    if record.stream:
        found["gen_ai.request.stream"] = True
    if provider is not None:
        found["gen_ai.provider.name"] = provider.name
        found["omg.provider"] = provider.id
    if record.model:
        found["gen_ai.response.model"] = record.model
    if record.ttft_ms is not None:
        found["gen_ai.response.time_to_first_chunk"] = record.ttft_ms / 1000
    if record.outcome != "ok":
        found["error.type"] = record.error_code or record.outcome
    if record.route:
        found["omg.route"] = record.route
    costs = [attempt.cost_nano_usd for attempt in record.attempts if attempt.cost_nano_usd is not None]
    if costs:
        found["omg.cost_usd"] = sum(costs) / 1e9
    if subjects:
        named = {"omg.tenant_id": record.tenant_id, "omg.key_id": record.key_id, "user.id": record.attribution.user_id}
        found |= {name: value for name, value in named.items() if value}
        if record.attribution.session:
            found["gen_ai.conversation.id"] = record.attribution.session
    return found | of_usage(record.usage)


def of_attempt(record: RequestRecord, attempt: AttemptRecord, provider: ProviderFacts) -> Attributes:
    """What a span of a call upstream says: not the provider's message, which may quote the prompt."""
    found: Attributes = {
        "gen_ai.operation.name": operation(record.endpoint),
        "gen_ai.provider.name": provider.name,
        "gen_ai.request.model": attempt.model,
        "omg.provider": provider.id,
        "omg.attempt": attempt.number,
        "omg.outcome": attempt.outcome,
    }
    if provider.host:
        found["server.address"] = provider.host
    if provider.port is not None:
        found["server.port"] = provider.port
    if attempt.status is not None:
        found["http.response.status_code"] = attempt.status
    if attempt.outcome != "ok":
        found["error.type"] = attempt.outcome
    elif record.model:
        found["gen_ai.response.model"] = record.model
    if attempt.cost_nano_usd is not None:
        found["omg.cost_usd"] = attempt.cost_nano_usd / 1e9
    return found | of_usage(attempt.usage)


def of_usage(usage: TokenUsage | None) -> Attributes:
    """Input includes what was cached, as OpenAI counts; what is 0 beside it is left out."""
    if usage is None:
        return {}
    beside = {
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        "gen_ai.usage.audio.input_tokens": usage.audio_input_tokens,
        "gen_ai.usage.audio.output_tokens": usage.audio_output_tokens,
        "gen_ai.usage.image.input_tokens": usage.image_tokens,
    }
    counts: Attributes = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }
    return counts | {name: value for name, value in beside.items() if value}
