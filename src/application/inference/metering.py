"""What an upstream call used and what it costs: the provider's count where there is one, else an honest estimate."""

from application.inference.calls import Prompt
from domain.failover import UNKNOWN_OUTCOME, FailureKind
from domain.ports.prices import PriceBook, TokenCounter
from domain.prices import UNPRICED, Booking, booked, is_sold_by_units
from domain.records import AttemptRecord, UsageSource
from domain.usage import BYTES_PER_TOKEN, TokenUsage, estimate_tokens

_PER_MESSAGE_TOKENS = 4  # what chat templates add around a message, by OpenAI's own counting recipe
_REPLY_TOKENS = 3
_NOTHING_BOOKED = Booking()
_UNPRICED_BOOKED = Booking(missing=UNPRICED)


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
        if source == "estimated" and usage is not None and usage.billing is not None and is_sold_by_units(usage, price):
            usage, source = TokenUsage(billing=usage.billing), "provider"
        if usage is None:
            as_ = _NOTHING_BOOKED
        elif price is None and usage.billing is None:
            as_ = _UNPRICED_BOOKED
        else:
            as_ = booked(usage, price)
        return AttemptRecord(
            number, provider_id, key_id, model, outcome, status, duration_ms, usage, message, source, as_.price_id,
            as_.cost_nano_usd, as_.missing, as_.computed_nano_usd,
        )  # fmt: skip

    def answered(
        self,
        request: Prompt,
        reported: TokenUsage | None,
        output_text: str,
        output_bytes: int = 0,
        *,
        complete: bool = True,
    ) -> tuple[TokenUsage, UsageSource]:
        """The usage of a call that generated `output_text`, at least in part (R-22).

        Where the answer tells pictures, seconds or characters and no tokens, these are estimated beside them: `record`
        knows by which of the two the model is sold.
        Where `output_bytes` is more than the text's length, the text is only the beginning and the rest is
        taken to be like it. A provider that leaves usage out of a `complete` answer does so always: from then
        on it is worth having a vocabulary.
        """
        if reported is not None and (reported.billing is None or not reported.counts_nothing()):
            return reported, "provider"
        if complete and reported is None:
            self._counter.prepare()
        known_bytes = len(output_text.encode())
        tokens = self._counter.count(output_text)
        if output_bytes > known_bytes:
            tokens = estimate_tokens(output_bytes) if not known_bytes else -(-tokens * output_bytes // known_bytes)
        billing = reported.billing if reported is not None else None
        return TokenUsage(self.input_tokens(request), tokens, billing=billing), "estimated"

    def unanswered(self, request: Prompt, kind: FailureKind | None) -> tuple[TokenUsage | None, UsageSource]:
        """The usage of a call without an answer: its input where the provider may have done the work (R-09).

        `kind` of None is a call that was cancelled on our side.
        """
        if kind is not None and kind not in UNKNOWN_OUTCOME:
            return None, "none"
        return TokenUsage(self.input_tokens(request)), "estimated"

    def guessed_input(self, request: Prompt) -> int:
        """As `input_tokens`, by lengths alone: for what is written down at every start and hardly ever read."""
        size = sum([len(text) if text.isascii() else len(text.encode()) for text in request.prompt_texts()])
        turns = request.turns
        others = _PER_MESSAGE_TOKENS * turns + _REPLY_TOKENS if turns else request.token_ids
        return -(-size // BYTES_PER_TOKEN) + others

    def input_tokens(self, request: Prompt) -> int:
        """An estimate of the prompt's tokens: its texts and ids, and what a chat template adds."""
        turns = request.turns
        overhead = _PER_MESSAGE_TOKENS * turns + _REPLY_TOKENS if turns else 0
        return self._counter.count("\n".join(request.prompt_texts())) + request.token_ids + overhead
