"""W3C Trace Context as it comes and goes (contract 13)."""

import pytest

from domain.tracing import RequestTrace, kept_state, parse_traceparent

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"00-{TRACE}-{PARENT}-01", (TRACE, PARENT, True)),
        (f" 00-{TRACE}-{PARENT}-00 ", (TRACE, PARENT, False)),
        (f"00-{TRACE}-{PARENT}-03", (TRACE, PARENT, True)),
        (f"cc-{TRACE}-{PARENT}-01-what-comes-later", (TRACE, PARENT, True)),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}", None),
        ("", None),
    ],
)
def test_a_traceparent_is_read_as_the_standard_says_and_what_is_none_begins_a_trace(
    header: str, found: tuple[str, str, bool] | None
) -> None:
    assert parse_traceparent(header) == found


def test_each_call_upstream_is_told_an_id_of_its_own_in_the_same_trace() -> None:
    trace = RequestTrace(TRACE, PARENT, "", 0, sampled=False)

    trace.attempt_begins("dec_1", 1, 10)
    first = trace.traceparent
    trace.attempt_begins("dec_1", 2, 20)

    assert first == f"00-{TRACE}-{trace.attempts['dec_1', 1].span_id}-00"
    assert trace.traceparent == f"00-{TRACE}-{trace.attempts['dec_1', 2].span_id}-00"
    assert first != trace.traceparent


def test_a_tracestate_is_passed_on_joined_and_not_where_it_could_break_a_header() -> None:
    assert kept_state(["a=1", " b=2 "]) == "a=1,b=2"
    assert kept_state(["a=" + "x" * 600]) == ""
    assert kept_state(["a=1\r\nx: y"]) == ""
