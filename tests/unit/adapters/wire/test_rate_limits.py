"""Rate-limit headers, and the many ways of saying when."""

import json

import pytest

from adapters.providers.kinds import ENTRIES
from adapters.wire.limit_headers import limit_headers, openai_limit_headers
from adapters.wire.rate_limits import MAX_WAIT_SECONDS, read_limits, reset_seconds, seconds_to_next
from domain.availability import RateLimitWindow
from tests.unit.adapters.dialects.openai.samples import NOW, sample

FORMATS = json.loads(sample("reset_formats.json"))


@pytest.mark.parametrize("vector", FORMATS, ids=lambda vector: vector["in"])
def test_every_format_is_read(vector: dict[str, object]) -> None:
    expected = vector["seconds"] if "seconds" in vector else float(str(vector["epoch"])) - NOW

    assert reset_seconds(str(vector["in"]), NOW) == pytest.approx(max(float(str(expected)), 0))


@pytest.mark.parametrize("value", ["", "soon", "1x", "s", "5m-", "2026-99-99T00:00:00Z", "Sat, 99 Foo", "inf", "nan"])
def test_what_cannot_be_read_says_nothing(value: str) -> None:
    assert reset_seconds(value, NOW) is None


def test_no_wait_is_negative_or_endless() -> None:
    assert reset_seconds("-5", NOW) == 0
    assert reset_seconds("1", NOW) == 1
    assert reset_seconds("999999999", NOW) == MAX_WAIT_SECONDS


def headers(**values: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in values.items()]


def test_openais_headers_become_windows() -> None:
    sent = headers(
        X_RateLimit_Limit_Requests="60",
        x_ratelimit_remaining_requests="59",
        x_ratelimit_reset_requests="1s",
        x_ratelimit_remaining_tokens="0",
        x_ratelimit_reset_tokens="6m0s",
        x_other="1",
    )

    assert read_limits(sent, openai_limit_headers(), NOW) == (
        RateLimitWindow("requests", "", 60, 59, 1.0),
        RateLimitWindow("tokens", "minute", None, 0, 360.0),
    )


def test_a_provider_with_several_windows_reports_each() -> None:
    table = next(entry for entry in ENTRIES if entry.id == "cerebras").quirks.limits
    sent = headers(
        x_ratelimit_remaining_requests_day="1439999998",
        x_ratelimit_reset_requests_day="33011.382867097855",
        x_ratelimit_limit_tokens_minute="30000",
        x_ratelimit_remaining_tokens_minute="29000",
        x_ratelimit_reset_tokens_minute="11.382867097854614",
    )

    assert {(w.dimension, w.window, w.remaining) for w in read_limits(sent, table, NOW)} == {
        ("requests", "day", 1439999998),
        ("tokens", "minute", 29000),
    }


def test_a_short_window_without_a_reset_lasts_its_length() -> None:
    table = limit_headers("requests", "10-second", remaining="left")

    assert read_limits([(b"left", b"0")], table, NOW) == (RateLimitWindow("requests", "10-second", None, 0, 10.0),)
    assert read_limits([(b"left", b"-1")], table, NOW) == ()
    assert read_limits([(b"left", b"0")], {}, NOW) == ()


def test_days_and_months_end_in_utc() -> None:
    assert seconds_to_next("day", NOW) == 23 * 3600
    assert seconds_to_next("month", NOW) == 9 * 86_400 + 23 * 3600
    assert seconds_to_next("month", 1798675200.0) == pytest.approx(1798761600 - 1798675200)
    assert seconds_to_next("", NOW) is None
