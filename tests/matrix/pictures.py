"""OpenAI's images, asked with OpenAI's client."""

import base64 as encoding

import openai
import pytest

from tests.matrix.bench import Bench
from tests.matrix.rows import Row


def plain(bench: Bench, row: Row) -> None:
    answer = bench.openai.images.generate(model=bench.images(row), prompt="a cat")

    assert answer.data is not None
    assert encoding.b64decode(answer.data[0].b64_json or "").startswith(b"\x89PNG")


def several(bench: Bench, row: Row) -> None:
    answer = bench.openai.images.generate(model=bench.images(row), prompt="a cat", n=2)

    assert answer.data is not None
    assert len({picture.b64_json for picture in answer.data}) == 2


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        bench.openai.images.generate(model=bench.images(row, "sim-400-context"), prompt="a cat")
