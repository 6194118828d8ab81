"""Adds up the usage of several calls that answered one request."""

from collections.abc import Sequence

import msgspec

from domain.usage import TokenUsage


def summed(usages: Sequence[TokenUsage | None]) -> TokenUsage | None:
    """None where any of them is unknown: half of a count is none."""
    known = [msgspec.structs.astuple(usage) for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    return TokenUsage(*(sum(counts) for counts in zip(*known, strict=True)))
