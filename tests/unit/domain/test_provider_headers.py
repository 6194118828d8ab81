"""Headers of an operator: none of the gateway's own, none that no request can carry, and no credential is shown."""

import pytest

from domain.errors import RequestInvalid
from domain.provider_headers import MAX_VALUE, MOST, check_headers, is_hidden, shown_headers, with_hidden_of

CANARY = "canary-value"


@pytest.mark.parametrize(
    "name",
    "Authorization x-api-key API-Key x-goog-api-key Cookie Host content-length Content-Type content-encoding "
    "accept-encoding transfer-encoding connection keep-alive te trailer upgrade expect forwarded via traceparent "
    "proxy-authorization Proxy-Connection x-amz-date x-forwarded-for".split(),
)
def test_what_is_the_gateways_own_is_refused_in_words(name: str) -> None:
    with pytest.raises(RequestInvalid, match="gateway's own") as caught:
        check_headers({name: CANARY})
    assert caught.value.param == f"settings.headers.{name}"
    assert CANARY not in caught.value.message


@pytest.mark.parametrize("name", ["", "x y", "x:y", "x\r\ny", "ä", "x" * 200])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(RequestInvalid, match="name"):
        check_headers({name: "v"})


@pytest.mark.parametrize("value", ["", " v", "v ", "a\r\nb: c", "a\0", "ä", "x" * (MAX_VALUE + 1)])
def test_what_no_header_can_hold_is_refused(value: str) -> None:
    with pytest.raises(RequestInvalid, match="value"):
        check_headers({"x-team": value})


@pytest.mark.parametrize("value", ["env:TEAM", "file:/run/secrets/team", "vault:secret/team#it"])
def test_a_reference_that_nobody_followed_is_never_sent(value: str) -> None:
    with pytest.raises(RequestInvalid, match="settings file"):
        check_headers({"x-team": value})


def test_there_are_not_too_many_and_none_twice() -> None:
    check_headers({f"x-{number}": "v" for number in range(MOST)})
    with pytest.raises(RequestInvalid, match="at most"):
        check_headers({f"x-{number}": "v" for number in range(MOST + 1)})
    with pytest.raises(RequestInvalid, match="twice"):
        check_headers({"x-team": "a", "X-Team": "b"})


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("x-team", "research", False),
        ("anthropic-beta", "context-1m-2025-08-07", False),
        ("openai-organization", "org-research", False),
        ("x-title", "Open Model Gateway of the research team", False),
        ("http-referer", "https://gateway.example", False),
        ("user-agent", "research/1.0", False),
        ("cf-access-client-secret", "short", True),
        ("cf-aig-authorization", "x", True),
        ("x-session", "a", True),
        ("x-team", "Bearer abc", True),
        ("x-team", "Basic dXNlcjp3b3Jk", True),
        ("x-team", "sk-abc", True),
        ("x-team", "eyJhbGciOiJub25lIn0.e30.", True),
        ("x-team", "9f86d081884c7d659a2feaa0c55ad015", True),
        ("x-team", "0198f3c2-a1b4-7d0e-8c5f-6a7b8c9d0e1f", True),
    ],
)
def test_what_looks_like_a_credential_is_hidden(name: str, value: str, hidden: bool) -> None:
    assert is_hidden(name, value) is hidden
    assert shown_headers({name: value}) == {name: "***" if hidden else value}
    assert shown_headers({name: value}, frozenset({name})) == {name: "***"}


def test_what_is_written_as_it_is_shown_stays_and_what_is_new_is_not_taken_for_it() -> None:
    stored = {"X-Client-Secret": "hush", "x-team": "a"}

    assert with_hidden_of({"x-client-secret": "***", "x-team": "b"}, stored) == {
        "x-client-secret": "hush",
        "x-team": "b",
    }
    with pytest.raises(RequestInvalid, match="not shown"):
        check_headers(with_hidden_of({"x-other-secret": "***"}, stored))
