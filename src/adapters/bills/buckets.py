"""Bills in buckets of time, as OpenAI and Anthropic answer them: which results of which day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from adapters.bills.anthropic import anthropic_result
from adapters.bills.openai import openai_result
from adapters.bills.values import day_of
from domain.bills import BillLine


def buckets_of(document: object) -> list[Mapping[str, object]] | None:
    """The buckets of a page, of a list of pages, or of a list of them alone; None where it is none of these."""
    if isinstance(document, dict) and isinstance(document.get("data"), list):
        return buckets_of(document["data"]) if document["data"] or "next_page" in document else None
    if not isinstance(document, list):
        return None
    found: list[Mapping[str, object]] = []
    for each in document:
        if isinstance(each, dict) and isinstance(each.get("results"), list):
            found.append(each)
        elif isinstance(each, dict) and (within := buckets_of(each)) is not None:
            found += within
        else:
            return None
    return found


def read_buckets(
    buckets: Sequence[Mapping[str, object]], zone: ZoneInfo
) -> Iterator[tuple[date, Decimal | None, BillLine | None]]:
    """Each result with its day and amount; each bucket once without, so that empty days are covered too.

    Raises `ValueError` for an amount or a time that is none.
    """
    for bucket in buckets:
        starts = bucket.get("start_time") or bucket.get("starting_at")
        if starts is None:
            continue
        read = openai_result if "start_time" in bucket else anthropic_result
        day = day_of(starts, zone)
        yield day, None, None
        results = bucket["results"]
        for result in results if isinstance(results, list) else []:
            if isinstance(result, dict):
                yield read(day, result)
