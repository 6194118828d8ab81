"""What an upstream call used and cost: the provider's count where there is one, an honest estimate elsewhere."""

from domain.failover import UNKNOWN_OUTCOME, FailureKind
from domain.inference import InferenceRequest
from domain.ports.prices import PriceBook, TokenCounter
from domain.prices import cost_nano_usd
from domain.records import AttemptRecord, UsageSource
from domain.usage import TokenUsage, estimate_tokens

_PER_MESSAGE_TOKENS = 4  # what chat templates add around a message, by OpenAI's own counting recipe
_REPLY_TOKENS = 3


class Meter:
    """Makes the record of an upstream call, priced. Called once a call, when it has ended."""

    def __init__(self, prices: PriceBook, counter: TokenCounter) -> None:
        self._prices = prices
        self._counter = counter

    def record(
        self,
        number: int,
        provider_id: str,
        key_id: str | None,
        model: str,
        outcome: str,
        status: int | None,
        duration_ms: float,
        usage: TokenUsage | None,
        source: UsageSource,
        message: str = "",
    ) -> AttemptRecord:
        """`usage` of None costs nothing: nothing was generated, and nothing was read."""
        price = self._prices.find(provider_id, model) if usage is not None else None
        cost = cost_nano_usd(usage, price.prices) if usage is not None and price is not None else None
        price_id = price.id if price is not None else None
        return AttemptRecord(
            number, provider_id, key_id, model, outcome, status, duration_ms, usage, message, source, price_id, cost
        )

    def answered(
        self,
        request: InferenceRequest,
        reported: TokenUsage | None,
        output_text: str,
        output_bytes: int = 0,
        *,
        complete: bool = True,
    ) -> tuple[TokenUsage, UsageSource]:
        """The usage of a call that generated `output_text`, at least in part (R-22).

        Where `output_bytes` is more than the text's length, the text is only the beginning and the rest is
        taken to be like it. A provider that leaves usage out of a `complete` answer does so always: from then
        on it is worth having a vocabulary.
        """
        if reported is not None:
            return reported, "provider"
        if complete:
            self._counter.prepare()
        known_bytes = len(output_text.encode())
        tokens = self._counter.count(output_text)
        if output_bytes > known_bytes:
            tokens = estimate_tokens(output_bytes) if not known_bytes else -(-tokens * output_bytes // known_bytes)
        return TokenUsage(self.input_tokens(request), tokens), "estimated"

    def unanswered(self, request: InferenceRequest, kind: FailureKind | None) -> tuple[TokenUsage | None, UsageSource]:
        """The usage of a call without an answer: its input where the provider may have done the work (R-09).

        `kind` of None is a call that was cancelled on our side.
        """
        if kind is not None and kind not in UNKNOWN_OUTCOME:
            return None, "none"
        return TokenUsage(self.input_tokens(request)), "estimated"

    def input_tokens(self, request: InferenceRequest) -> int:
        """An estimate of the prompt's tokens: its texts and ids, and what a chat template adds."""
        overhead = _PER_MESSAGE_TOKENS * request.turns + _REPLY_TOKENS if request.turns else 0
        return self._counter.count("\n".join(request.prompt_texts())) + request.token_ids + overhead
