"""Exports as providers write them; those of OpenAI's live endpoints are public (sources: `adapters/bills`)."""

from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import pytest

from adapters.bills.openai import model_and_meter
from adapters.bills.reading import ExportedBills
from adapters.bills.values import amount_of, count_of, day_of
from domain.bills import Bill, BillLine
from domain.errors import RequestInvalid

UTC = ZoneInfo("UTC")

LIVE_COSTS = b"""{"object":"page","has_more":false,"next_page":null,"data":[
 {"object":"bucket","start_time":1781395200,"end_time":1781481600,"start_time_iso":"2026-06-14T00:00:00","results":[
   {"object":"organization.costs.result","amount":{"value":"0E-6176","currency":"usd"},"quantity":0.0,
    "line_item":"gpt-4o-mini-2024-07-18, cached input","project_id":"proj_x","api_key_id":null},
   {"object":"organization.costs.result","amount":{"value":"0.000004500000000000000000000000000000000",
    "currency":"usd"},"quantity":30.0,"line_item":"gpt-4o-mini-2024-07-18, input","project_id":"proj_x"},
   {"object":"organization.costs.result","amount":{"value":"0.00003420000000000000000000000000000000",
    "currency":"usd"},"quantity":57.0,"line_item":"gpt-4o-mini-2024-07-18, output","project_id":"proj_x"}]},
 {"object":"bucket","start_time":1781481600,"end_time":1781568000,"results":[]}]}"""

ANTHROPIC_COSTS = b"""{"data": [{"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z",
 "results": [{"currency": "USD", "amount": "123.78912", "workspace_id": null, "description": "Input Tokens",
  "cost_type": "tokens", "context_window": "0-200k", "model": "claude-opus-4-6", "service_tier": "standard",
  "token_type": "uncached_input_tokens"},
 {"currency": "USD", "amount": "1.5", "cost_type": "tokens", "model": "claude-opus-4-6",
  "token_type": "cache_creation.ephemeral_1h_input_tokens"},
 {"currency": "USD", "amount": "2", "cost_type": "web_search", "model": null, "token_type": null}]},
 {"starting_at": "2026-11-02T00:00:00Z", "ending_at": "2026-11-03T00:00:00Z", "results": []}],
 "has_more": false, "next_page": null}"""

ANTHROPIC_USAGE = b"""{"data": [{"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-02T00:00:00Z",
 "results": [{"uncached_input_tokens": 1500, "cache_creation": {"ephemeral_1h_input_tokens": 1000,
  "ephemeral_5m_input_tokens": 500}, "cache_read_input_tokens": 200, "output_tokens": 500,
  "server_tool_use": {"web_search_requests": 10}, "model": "claude-opus-4-6"}]}],
 "has_more": false, "next_page": null}"""

DASHBOARD_USAGE = (
    b"start_time\tend_time\tproject_id\tnum_model_requests\tmodel\tinput_tokens\toutput_tokens\tinput_cached_tokens\n"
    b"1759622400\t1759708800\tproj_x\t10.0\tgpt-4o-2024-08-06\t59200.0\t10646.0\t5760.0\n"
    b"1759881600\t1759968000\t\t\t\t\t\t\n"
)

DASHBOARD_COSTS = (
    b"start_time\tend_time\tamount_value\tamount_currency\tline_item\tproject_id\n"
    b"1759622400\t1759708800\t0.8958740000000000\tusd\t\t\n"
    b"1759968000\t1760054400\t\t\t\t\n"
)

OPENROUTER = (
    b"\xef\xbb\xbfgeneration_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,"
    b"byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,"
    b"provider_name,variant,cancelled,streamed,user,finish_reason_raw,finish_reason_normalized,generation_time_ms,"
    b"time_to_first_token_ms,api_key_disabled,api_key_name,app_name\n"
    b"gen-1782618417-a,2026-06-28 03:46:57.713,0.0123,,,,0.001,10389,137,12,389,openai/gpt-oss-120b,Groq,free,false,"
    b"true,,stop,stop,812,200,false,main,app\n"
)

OPENROUTER_DAYS = b"""{"data": [{"date": "2025-08-24", "model": "openai/gpt-4.1", "endpoint_id": "e", "requests": 5,
 "model_permaslug": "openai/gpt-4.1-2025-04-14", "provider_name": "OpenAI", "usage": 0.015,
 "byok_usage_inference": 0.012, "prompt_tokens": 50, "completion_tokens": 125, "reasoning_tokens": 25}]}"""


def read(content: bytes, columns: dict[str, str] | None = None) -> Bill:
    return ExportedBills().read({"bill": content}, columns or {}, UTC)


def test_openais_costs_are_read_as_the_live_endpoint_answers_them() -> None:
    bill = read(LIVE_COSTS)

    day, model = date(2026, 6, 14), "gpt-4o-mini-2024-07-18"
    assert bill.lines == (
        BillLine(day, model, 0, "cache_read", {"cache_read": 0}),
        BillLine(day, model, 4_500_000_000, "input", {"input": 30}),
        BillLine(day, model, 34_200_000_000, "output", {"output": 57}),
    )
    assert (bill.first, bill.last) == (day, date(2026, 6, 15))


def test_anthropics_reports_are_read() -> None:
    costs, usage = read(ANTHROPIC_COSTS), read(ANTHROPIC_USAGE)

    day, model = date(2026, 11, 1), "claude-opus-4-6"
    assert costs.lines == (
        BillLine(day, model, 1_237_891_200_000_000, "input"),
        BillLine(day, model, 15_000_000_000_000, "cache_write"),
        BillLine(day, None, 20_000_000_000_000, "web_search"),
    )
    assert costs.last == date(2026, 11, 2)
    tokens = {"cache_read": 200, "output": 500, "input": 1500, "cache_write": 1500}
    assert usage.lines == (BillLine(day, model, tokens=tokens),)


def test_pages_in_a_list_and_buckets_alone_are_read_too() -> None:
    buckets = msgspec.json.encode(msgspec.json.decode(LIVE_COSTS)["data"])

    assert read(b"[" + LIVE_COSTS + b"]") == read(LIVE_COSTS)
    assert read(buckets) == read(LIVE_COSTS)


def test_openais_dashboard_exports_are_read() -> None:
    usage, costs = read(DASHBOARD_USAGE), read(DASHBOARD_COSTS)

    day = date(2025, 10, 5)
    tokens = {"cache_read": 5760, "output": 10646, "input": 53440}
    assert usage.lines == (BillLine(day, "gpt-4o-2024-08-06", tokens=tokens, requests=10),)
    assert usage.last == date(2025, 10, 8)
    assert costs.lines == (BillLine(day, None, 895_874_000_000_000),)
    assert costs.last == date(2025, 10, 9)


def test_openrouters_activity_is_read_a_generation_a_row() -> None:
    bill = read(OPENROUTER)

    tokens = {"cache_read": 389, "output": 137, "input": 10_000}
    assert bill.lines == (
        BillLine(date(2026, 6, 28), "openai/gpt-oss-120b:free", 13_300_000_000_000, "", tokens, requests=1),
    )
    assert bill.half_step_femto_usd == 50_000_000_000


def test_openrouters_days_are_read() -> None:
    bill = read(OPENROUTER_DAYS)

    tokens = {"output": 125, "input": 50}
    assert bill.lines == (BillLine(date(2025, 8, 24), "openai/gpt-4.1", 27_000_000_000_000, "", tokens, requests=5),)


def test_any_table_is_read_by_the_columns_one_names() -> None:
    content = b'Date;Model;Tokens in;Cost\n2026-11-01;"m";"1,024";"$1,234.50"\n'

    bill = read(content, {"day": "Date", "model": "Model", "input": "Tokens in", "cost": "Cost"})

    assert bill.lines == (BillLine(date(2026, 11, 1), "m", 1_234_500_000_000_000_000, "", {"input": 1024}),)


@pytest.mark.parametrize(
    ("item", "model", "meter"),
    [
        ("gpt-5.4-mini-2026-03-17, cached input", "gpt-5.4-mini-2026-03-17", "cache_read"),
        ("gpt-5.6-luna, cache writes", "gpt-5.6-luna", "cache_write"),
        ("gpt-audio-mini-2025-12-15 audio, input", "gpt-audio-mini-2025-12-15", "input"),
        ("gpt-image-2-2026-04-21 image, output", "gpt-image-2-2026-04-21", "output"),
        ("gpt-realtime-2.1, audio input", "gpt-realtime-2.1", "input"),
        ("ft-gpt-4o-2024-08-06, input", "ft-gpt-4o-2024-08-06", "input"),
        ("evals | gpt-4o-mini-2024-07-18, input", "evals | gpt-4o-mini-2024-07-18", "input"),
        ("assistants api | file search", None, "assistants api | file search"),
        ("web search tool calls", None, "web search tool calls"),
        ("gpt-4o", "gpt-4o", ""),
        ("gpt-live-1, voice session", "gpt-live-1", "voice session"),
    ],
)
def test_line_items_name_a_model_and_a_meter(item: str, model: str | None, meter: str) -> None:
    assert model_and_meter(item) == (model, meter)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-01", date(2026, 11, 1)),
        ("2026-11-01 00:00:00", date(2026, 11, 1)),
        ("2026-11-01T23:30:00Z", date(2026, 11, 2)),
        ("2026-11-01 23:30:00.040", date(2026, 11, 2)),
        ("2026-11-01 23:30:00 UTC", date(2026, 11, 2)),
        (1793577600, date(2026, 11, 2)),
        ("1793577600000", date(2026, 11, 2)),
    ],
)
def test_days_are_those_of_the_zone(text: object, day: date) -> None:
    assert day_of(text, ZoneInfo("Europe/Oslo")) == day


@pytest.mark.parametrize(("text", "count"), [("30.0", 30), ("1,024", 1024), ("", None), (None, None), (7, 7)])
def test_counts_are_read_however_they_are_written(text: object, count: int | None) -> None:
    assert count_of(text) == count


@pytest.mark.parametrize("text", ["twelve", "NaN", "1e", "Infinity"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        amount_of(text)


@pytest.mark.parametrize(
    ("content", "columns", "words"),
    [
        (b"a,b\n1,2\n", {}, "its columns are not known; say which is which with --columns (there are a, b)"),
        (b"a,b\n1,2\n", {"day": "c"}, "there is no column 'c'"),
        (b"a,b\n2026-11-01,x\n", {"day": "a", "cost": "b"}, "row 2: 'x' is no amount"),
        (b"a,b\n", {"day": "a"}, "it has no rows"),
        (b"a,b\n1,2\n", {"when": "a"}, "There is no column 'when'"),
        (b"a,b\n1,2\n", {"cost": "a"}, "The columns need day=NAME"),
        (b"{", {}, "cannot be read as a bill"),
        (b"\xff\xfe", {}, "cannot be read as a bill"),
        (b'{"data": [], "next_page": null}', {}, "there is no day in it"),
        (LIVE_COSTS.replace(b'"currency":"usd"', b'"currency":"eur"'), {}, "an amount is in 'eur'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(content: bytes, columns: dict[str, str], words: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        read(content, columns)

    assert words in refused.value.message


def test_pages_that_are_not_there_are_noted() -> None:
    more = LIVE_COSTS.replace(b'"has_more":false', b'"has_more":true')

    assert "the export has more pages" in read(more).notes[0]
    assert ExportedBills().read({"one": more, "two": LIVE_COSTS}, {}, UTC).notes == ()
