"""Text cut by UTF-16 units is mended before a strict decoder sees it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.raw_json import without_halves


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (rb'{"a":"\ud83d"}', rb'{"a":"\ufffd"}'),
        (rb'{"a":"\uDE00 b"}', rb'{"a":"\ufffd b"}'),
        (rb'{"a":"\ud83d\ud83d\ude00"}', rb'{"a":"\ufffd\ud83d\ude00"}'),
        (rb'{"a":"\ude00\ud83d"}', rb'{"a":"\ufffd\ufffd"}'),
        (rb'{"a":"\\\ud83d"}', rb'{"a":"\\\ufffd"}'),
    ],
)
def test_half_a_pair_is_replaced(text: bytes, mended: bytes) -> None:
    assert without_halves(text) == mended


@pytest.mark.parametrize("text", [rb'{"a":"\ud83d\ude00"}', rb'{"a":"\\ud83d"}', rb'{"a":"\u00e9\ud7ff"}', b"{}"])
def test_what_is_whole_stays(text: bytes) -> None:
    assert without_halves(text) == text


@given(st.text(st.one_of(st.characters(), st.sampled_from('\ud83d\ude00\\"u')), max_size=20))
def test_whatever_text_it_was_a_strict_decoder_reads_it_and_loses_nothing_else(text: str) -> None:
    decoded = msgspec.json.decode(without_halves(json.dumps([text]).encode()))

    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # as a JSON reader joins the halves
    assert decoded == [joined]
