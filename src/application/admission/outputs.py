"""How long answers usually are: the 95th percentile of output tokens, learned by key and model."""

from collections import OrderedDict
from typing import Final

BINS: Final = 34
"""At powers of the root of 2: up to 131,072 tokens, each bin at most 41 % wide."""

HALVED_AT: Final = 512
"""So many answers, and what is older counts half: what a key does changes."""

ENOUGH: Final = 20

KEPT_FOR: Final = 20
"""Answers for which what was found is kept: they change it little, and finding it takes a microsecond."""

PRIOR_TOKENS: Final = 4_096
LEAST_TOKENS: Final = 512
MAX_PAIRS: Final = 10_000


class OutputEstimates:
    """Fed with finished answers. What is not known yet is taken from the model's other keys, else from a prior."""

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, str], Outputs] = OrderedDict()

    def add(self, key_id: str, model: str, tokens: int) -> None:
        place = _bin_of(tokens)
        pairs = self._pairs
        for pair in ((key_id, model), ("", model)) if key_id else (("", model),):
            outputs = pairs.get(pair)
            if outputs is None:
                outputs = pairs[pair] = Outputs()
                if len(pairs) > MAX_PAIRS:
                    pairs.popitem(last=False)
            elif outputs.count % KEPT_FOR == 0:  # now and then: which are used least need not be known exactly
                pairs.move_to_end(pair)
            outputs.add_at(place)

    def likely(self, key_id: str, model: str) -> int:
        """Tokens that 95 of 100 answers do not pass; at least 512."""
        for name in (key_id, ""):
            outputs = self._pairs.get((name, model))
            if outputs is not None and outputs.count >= ENOUGH:
                return max(outputs.p95(), LEAST_TOKENS)
        return PRIOR_TOKENS


class Outputs:
    """One distribution, in 34 counters."""

    __slots__ = ("_bins", "_p95", "_stale", "count")

    def __init__(self) -> None:
        self._bins = [0] * BINS
        self._p95 = 0
        self._stale = KEPT_FOR
        self.count = 0

    def add(self, tokens: int) -> None:
        self.add_at(_bin_of(tokens))

    def add_at(self, place: int) -> None:
        """The same, where the bin is known."""
        self._bins[place] += 1
        self.count += 1
        self._stale += 1
        if self.count >= HALVED_AT:
            self._bins = [entries >> 1 for entries in self._bins]
            self.count = sum(self._bins)

    def p95(self) -> int:
        """The upper end of the bin in which the 95th of 100 answers lies."""
        if self._stale >= KEPT_FOR:
            self._stale = 0
            needed, seen = 0.95 * self.count, 0
            for place, entries in enumerate(self._bins):
                seen += entries
                if entries and seen >= needed:
                    self._p95 = int(2 ** ((place + 1) / 2))
                    break
        return self._p95


def _bin_of(tokens: int) -> int:
    power = tokens.bit_length() - 1 if tokens > 1 else 0
    return min(BINS - 1, 2 * power + (tokens * tokens >= 1 << (2 * power + 1)))
