"""Every cell of docs/matrix.md is what happens."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors as google

from tests.e2e.processes import Gateway, Simulator
from tests.matrix.bench import Bench
from tests.matrix.gaps import GAPS, LACKING
from tests.matrix.page import COMMAND, PAGE, cell, cells, gap, lacking, render
from tests.matrix.rows import ROWS, Row

pytestmark = pytest.mark.process

API_ERRORS = (openai.APIError, anthropic.APIError, google.APIError)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with (
        Simulator(tmp_path_factory.mktemp("simulator")) as simulator,
        Gateway(tmp_path_factory.mktemp("gateway")) as gateway,
    ):
        made = Bench(gateway, simulator)
        yield made
        made.close()


@pytest.mark.parametrize(
    ("endpoint", "row", "feature"), cells(), ids=[f"{endpoint}-{row.label}-{name}" for endpoint, row, name in cells()]
)
def test_a_cell_is_what_the_page_says(bench: Bench, endpoint: str, row: Row, feature: str) -> None:
    trying = cell(endpoint, feature)
    if lacking(endpoint, row) is not None:
        expected: Any = (
            nullcontext() if feature == "error" else pytest.raises((openai.BadRequestError, google.ClientError))
        )
    elif gap(endpoint, row, feature) is not None:
        expected = pytest.raises((AssertionError, AttributeError, *API_ERRORS))
    else:
        expected = nullcontext()

    with expected:
        trying(bench, row)


def test_every_gap_is_of_a_cell_that_exists() -> None:
    known = {(endpoint, row.label, feature) for endpoint, row, feature in cells()}

    assert set(GAPS) <= known
    assert set(LACKING) <= {(endpoint, row) for endpoint, row, _ in known}
    assert len({row.label for row in ROWS}) == len(ROWS)


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text() == render(), f"docs/matrix.md is out of step: run `{COMMAND}`"
