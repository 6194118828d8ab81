"""Header values from outside pass one filter (S-20)."""

import pytest

from entrypoints.http.responses import header_value
from tests.unit.entrypoints.http.harness import Harness

BAD = ["a\r\nset-cookie: e=1", "a\nb", "a\x00b", "", "x" * 1025, "gr\u00fc\u00df", "\u202e", "a\x7f", "\t"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_visible_ascii_is_no_header_value(text: str) -> None:
    assert header_value(text) is None


@pytest.mark.parametrize("text", ["llama-4-scout", "a b:c/d;e=f", "x" * 1024])
def test_the_rest_passes_as_it_is(text: str) -> None:
    assert header_value(text) == text.encode()


@pytest.mark.parametrize("model", BAD)
async def test_an_upstream_value_that_is_unfit_is_left_out_of_an_answer_that_stands(model: str) -> None:
    http = await Harness.make()
    http.pipeline.model = model

    answer = await http.chat()

    assert answer.status == 200
    assert "x-omg-model" not in answer.headers
    assert answer.headers["x-omg-provider"] == "alpha"
