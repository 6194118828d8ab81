"""What providers report, to the nano-USD: every payload of `tests/wire/usage` (R-17, P-08).

Each case holds the usage object (or the stream's chunk, or the whole answer) as its provider writes it, the tokens it
means in OpenAI's way of counting, what else it says of the bill, prices as an admin writes them, and the bill: how much
of what at which price, worked out by hand. `cost_usd` is what is booked; where the provider reports its own cost, that
is it, and `computed_usd` is what the bill adds up to. `missing` names what was used and has no price.
"""

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from adapters.dialects.anthropic.answer import AnthropicMessage, Usage
from adapters.dialects.bedrock.answer import ConverseTerms, ConverseUsage
from adapters.dialects.gemini.answer import decode_answer, token_usage, with_searches
from adapters.dialects.openai.answer import read_answer
from adapters.dialects.openai.audio import OpenAISpeech, OpenAITranscriptions
from adapters.dialects.openai.images import OpenAIImages
from adapters.dialects.openai.quirks import EndpointQuirks, Quirks
from adapters.dialects.openai.stream import ChatStreamDecoder
from adapters.dialects.openai.usage import read_usage
from adapters.dialects.responses.answer import read_head
from adapters.dialects.responses.answer import tokens as responses_tokens
from adapters.providers.kinds import ENTRIES
from adapters.tokens.length import LengthTokenCounter
from adapters.wire.call import AnswerFacts
from application.admin.price_lists import NewPrices, read_prices
from application.inference.metering import Meter
from domain.audio import TranscriptionRequest
from domain.forms import UploadedFile
from domain.money import usd
from domain.prices import ADMIN, METERS, PriceRow, Prices
from domain.records import AttemptRecord
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW
from tests.fakes.fixed_prices import FixedPriceBook
from tests.unit.adapters.dialects.openai.endpoint_calls import image_call, speech_call, transcription_call

FOLDER = Path(__file__).parents[1] / "wire" / "usage"
QUIRKS = {entry.id: entry.quirks for entry in ENTRIES}
OWN_FORMATS: dict[str, Callable[[bytes], TokenUsage | None]] = {
    "anthropic": lambda usage: msgspec.json.decode(usage, type=Usage).tokens(),
    "bedrock": lambda usage: msgspec.json.decode(usage, type=ConverseUsage).counted(),
    "vertex": lambda usage: msgspec.json.decode(usage, type=Usage).tokens(),
}
"""Usage objects of those that do not speak OpenAI's."""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    tokens: dict[str, int]  # by meter
    prices: dict[str, Any]
    bill: list[tuple[str, int | str, str]]  # what, how much, USD per million tokens or for one of anything else
    cost_usd: str
    usage: msgspec.Raw | UnsetType = UNSET
    chunk: msgspec.Raw | UnsetType = UNSET
    answer: msgspec.Raw | UnsetType = UNSET
    format: str = "chat"  # of the answer: chat, messages, responses, gemini, converse, image, transcription, …
    request: dict[str, Any] = {}
    model: str = "m"
    billing: dict[str, Any] = {}  # fields of `BillingFacts`
    units: dict[str, Any] = {}
    missing: list[str] = []
    computed_usd: str = ""


class Cases(msgspec.Struct, frozen=True):
    provider: str
    cases: list[Case]


def every_case() -> Iterator[tuple[str, Case]]:
    for path in sorted(FOLDER.glob("*.json")):
        found = msgspec.json.decode(path.read_bytes(), type=Cases)
        yield from ((found.provider, case) for case in found.cases)


CASES = list(every_case())
each_case = pytest.mark.parametrize(
    ("provider", "case"), [pytest.param(*found, id=f"{found[0]}: {found[1].name}") for found in CASES]
)


def of_gemini(answer: bytes, model: str) -> TokenUsage | None:
    read = decode_answer(answer)
    return with_searches(token_usage(read.usage_metadata), read.candidates or (), model)


def of_answer(provider: str, case: Case) -> TokenUsage | None:
    """The usage of a whole answer."""
    assert case.answer is not UNSET
    body = bytes(case.answer)
    if case.format == "messages":
        return msgspec.json.decode(body, type=AnthropicMessage).tokens()
    if case.format == "responses":
        return responses_tokens(read_head(case.answer))
    if case.format == "gemini":
        return of_gemini(body, case.model)
    if case.format == "converse":
        return msgspec.json.decode(body, type=ConverseTerms).counted()
    if case.format == "image":
        return OpenAIImages(Quirks(), EndpointQuirks()).read(body, image_call(**case.request), "application/json").usage
    if case.format == "transcription":
        own = next(entry for entry in ENTRIES if entry.id == provider).endpoint_quirks.get("audio.transcriptions")
        dialect = OpenAITranscriptions(Quirks(), own or EndpointQuirks())
        request = TranscriptionRequest(file=UploadedFile("a.mp3", "audio/mpeg", b"ID3"), model="m", **case.request)
        return dialect.read(body, transcription_call(request), "application/json").usage
    if case.format == "speech":
        return OpenAISpeech(Quirks(), EndpointQuirks()).decoder(speech_call(**case.request), "audio/mpeg").usage
    if case.format == "units":  # of an endpoint that the gateway does not serve yet
        return TokenUsage(billing=msgspec.convert(list(billing_fields(case).values()), BillingFacts))
    assert case.format == "chat"
    shell = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}
    whole = msgspec.json.encode(shell | msgspec.json.decode(body))
    return read_answer(whole, AnswerFacts("m", None, lambda: 0.0), QUIRKS[provider]).usage


CHOICE = {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}


def reported(provider: str, case: Case) -> TokenUsage | None:
    """The usage as the gateway reads it, from a plain answer or from a stream."""
    if case.answer is not UNSET:
        return of_answer(provider, case)
    if provider in OWN_FORMATS:
        assert case.usage is not UNSET
        return OWN_FORMATS[provider](bytes(case.usage))
    quirks = QUIRKS[provider]
    if case.usage is not UNSET:
        read = read_usage(bytes(case.usage), completion_excludes_reasoning=quirks.completion_excludes_reasoning)
        return read.tokens if read is not None else None
    assert case.chunk is not UNSET
    decoder = ChatStreamDecoder(AnswerFacts("m", None, lambda: 0.0), quirks, include_usage=False)
    decoder.feed(b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}\n\n')
    decoder.feed(b"data: " + bytes(case.chunk) + b"\n\ndata: [DONE]\n\n")
    assert decoder.done
    return decoder.usage


def expected(case: Case) -> TokenUsage:
    billing = msgspec.convert(list(billing_fields(case).values()), BillingFacts) if case.billing else None
    counts = {f"{meter}_tokens": count for meter, count in case.tokens.items()}
    return msgspec.structs.replace(TokenUsage(billing=billing), **counts)


def billing_fields(case: Case) -> dict[str, Any]:
    none = msgspec.structs.asdict(BillingFacts())
    assert case.billing.keys() <= none.keys()
    return none | case.billing


def prices_of(case: Case) -> Prices:
    return read_prices(msgspec.convert(case.prices, NewPrices), case.units)


def booked(provider: str, case: Case) -> AttemptRecord:
    meter = Meter(
        FixedPriceBook([PriceRow("price_1", provider, "m", prices_of(case), ADMIN, NOW)]), LengthTokenCounter()
    )
    return meter.record(1, provider, None, "m", "ok", 200, 1.0, reported(provider, case), "provider")


@each_case
def test_the_usage_is_read_as_the_provider_means_it(provider: str, case: Case) -> None:
    assert reported(provider, case) == expected(case)


@each_case
def test_the_cost_is_exact_to_the_nano_usd(provider: str, case: Case) -> None:
    attempt = booked(provider, case)

    assert attempt.price_id == "price_1"
    assert attempt.cost_nano_usd is not None
    assert attempt.computed_nano_usd is not None
    assert usd(attempt.cost_nano_usd) == case.cost_usd
    assert usd(attempt.computed_nano_usd) == (case.computed_usd or case.cost_usd)
    assert list(attempt.cost_missing) == case.missing


@each_case
def test_the_bill_explains_the_cost(provider: str, case: Case) -> None:
    """The golden files themselves: a bill names each price as listed and adds up to the cost."""
    listed = set(every_text(case.prices)) | set(every_text(case.units))
    assert {price for _, _, price in case.bill} <= listed
    exact = sum(
        (Decimal(count) * Decimal(price) / (1_000_000 if what in METERS else 1) for what, count, price in case.bill),
        Decimal(0),
    )
    assert exact.quantize(Decimal("1e-9"), ROUND_HALF_UP) == Decimal(case.computed_usd or case.cost_usd)


def every_text(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_text(part)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 150
    assert len({provider for provider, _ in CASES}) >= 12
