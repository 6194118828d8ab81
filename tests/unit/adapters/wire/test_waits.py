"""A wait is read wherever and however an answer names it; of several the longest holds (contract 7)."""

import json
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.wire.errors import Refusals, failure_from_answer
from adapters.wire.waits import worded_waits
from tests.unit.adapters.dialects.openai.samples import NOW

MOMENT = datetime.fromtimestamp(NOW, UTC)


def wait(body: object = None, headers: dict[str, str] | None = None, zone: str = "UTC") -> float | None:
    sent = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    row = Refusals(quota_zone=zone)
    return failure_from_answer(429, sent, raw, row, secret=None, now=NOW).retry_after_seconds


def message(text: str, **fields: object) -> dict[str, object]:
    return {"error": {"message": text} | fields}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 7m12.5s.", 432.5),
        ("Please try again in 7 m 12.5 s", 432.5),
        ("please try again in 1m30.5s", 90.5),
        ("Please try again in 6ms.", 0.006),
        ("Please try again in 174 ms.", 0.174),
        ("Please retry in 14.19s.", 14.19),
        ("retry after 3 hours", 10_800),
        ("Retry after 1 hour and 5 minutes.", 3_900),
        ("Try again in 2 days, 3 hours", 183_600),
        ("try again after 20 seconds", 20),
        ("Rate limited. Wait 30 sec before retrying", 30),
        ("You must wait a minute", 60),
        ("please wait an hour and try again", 3_600),
        ("Quota will reset after 18h31m10s.", 66_670),
        ("Your limit resets in 5 days", 432_000),
        ("Retry-After: 26", 26),
        ("try again in 20", 20),
        ("It is available again in 45 min", 2_700),
        ("请在30秒后重试", 30),
        ("Please wait 46216 seconds before retrying.", 46_216),
        ("Your limit will reset at 2026-11-21 01:10:00", 600),
        ("resets at 2026-11-21T01:10:00Z", 600),
        ("You will regain access on 2026-11-22 at 00:00 UTC.", 82_800),
        ("try again at 2026-11-21 02:00:00+01:00", 0),
        ("The limit is 20 requests per 60 seconds", None),
        ("Limit 30000, Used 18928, Requested 11159", None),
        ("Try again later", None),
        ("retry 3 times", None),
        ("at most 5 models", None),
    ],
)
def test_words_name_a_wait_with_any_spacing_and_unit(text: str, seconds: float | None) -> None:
    found = list(worded_waits(text, NOW, UTC))

    assert max(found, default=None) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (message("slow"), {"retry-after": "7"}, 7),
        (message("Please try again in 7m12s"), {"retry-after": "0"}, 432),
        (message("Please try again in 2s"), {"retry-after": "9"}, 9),
        (message("slow", retry_after=12), {}, 12),
        (message("slow", retry_after_ms=6_500), {}, 6.5),
        (message("slow", retryAfter="1m30.5s"), {}, 90.5),
        (message("slow", resets_in_seconds=600), {}, 600),
        (message("slow", reset_at="2026-11-21T01:05:00Z"), {}, 300),
        (message("slow", resets_at=int(NOW) + 60), {}, 60),
        (message("slow", reset_at=(int(NOW) + 60) * 1000), {}, 60),
        ({"error": {"message": "slow", "metadata": {"retry_after_seconds": 3}}}, {}, 3),
        ({"error": {"message": "x", "metadata": {"raw": '{"error":{"message":"try again in 5s"}}'}}}, {}, 5),
        (message("slow", details=[{"retryDelay": "46.5s"}]), {}, 46.5),
        (message("slow"), {"retry-after": "30 seconds"}, 30),
        (message("slow"), {"retry-after": str(int(NOW) + 90)}, 90),
        (message("slow"), {"x-ratelimit-reset-requests": "1m30.5s", "x-ratelimit-remaining-requests": "0"}, 90.5),
        (message("slow"), {"x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "9"}, None),
        (message("slow"), {"ratelimit-reset": "40"}, 40),
        (message("slow"), {"x-rate-limit-reset": str(int(NOW) + 45)}, 45),
        (
            message("slow"),
            {
                "x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "0",
            },
            360,
        ),
        ("try again in 20s", {}, 20),
        ("", {}, None),
    ],
)  # fmt: skip
def test_several_fields_may_name_it(body: object, headers: dict[str, str], seconds: float | None) -> None:
    assert wait(body, headers) == (None if seconds is None else pytest.approx(seconds))


def test_a_moment_without_a_zone_is_the_providers_own() -> None:
    body = message("Your limit will reset at 2026-11-21 12:00:00")

    assert wait(body, zone="Asia/Shanghai") == pytest.approx(3 * 3600)
    assert wait(body, zone="UTC") == pytest.approx(11 * 3600)


UNITS = {
    "h": (3600.0, ["h", " h", " hr", " hrs", " hour", " hours", "-hour"]),
    "m": (60.0, ["m", " m", " min", "min", " mins", " minutes", " minute"]),
    "s": (1.0, ["s", " s", "sec", " secs", " seconds", " second"]),
    "ms": (0.001, ["ms", " ms", " milliseconds", " millis"]),
}
BEFORE = [
    "Please try again in ",
    "retry after ",
    "Retry in: ",
    "please wait ",
    "Limit resets in ",
    "Available again in ",
]
BEHIND = ["", ".", ". Visit https://example.com/limits", " before you retry.", ", then go on", "!"]
BETWEEN = ["", " ", ", ", " and "]


def random_duration(rng: random.Random) -> tuple[str, float]:
    """A duration in one of the many ways to write it, and its seconds."""
    chosen = [name for name in UNITS if rng.random() < 0.5] or ["s"]
    text, seconds = "", 0.0
    for place, name in enumerate(chosen):
        last = place == len(chosen) - 1
        number = str(rng.randint(1, 59)) + (f".{rng.randint(1, 999)}" if last and rng.random() < 0.4 else "")
        size, spellings = UNITS[name]
        text += (rng.choice(BETWEEN) if text else "") + number + rng.choice(spellings)
        seconds += float(number) * size
    return text, seconds


def test_any_duration_in_any_words_is_read() -> None:
    """A generator over spellings: 5,000 of them, the same each run."""
    rng = random.Random(7)
    for _ in range(5_000):
        duration, seconds = random_duration(rng)
        text = rng.choice(BEFORE) + duration + rng.choice(BEHIND)

        assert max(worded_waits(text, NOW, UTC), default=None) == pytest.approx(seconds), text


def test_a_moment_is_read_in_every_form_of_a_header() -> None:
    rng = random.Random(7)
    for _ in range(500):
        seconds = rng.randint(1, 20 * 86_400)
        moment = MOMENT + timedelta(seconds=seconds)
        forms = [
            format_datetime(moment, usegmt=True),
            moment.isoformat(),
            str(int(NOW) + seconds),
            str((int(NOW) + seconds) * 1000),
            str(seconds),
            f"{seconds}s",
        ]
        for form in forms:
            assert wait(message("slow"), {"retry-after": form}) == pytest.approx(seconds), form


@pytest.mark.parametrize("text", ["try again in " + "9" * 400 + "s", "retry " * 2_000, "1h" * 3_000, "\x00" * 9_000])
def test_hostile_words_neither_raise_nor_last_for_ever(text: str) -> None:
    found = list(worded_waits(text, NOW, UTC))

    assert all(0 <= seconds <= 33 * 86_400 for seconds in found)
