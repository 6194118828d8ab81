"""OpenAI's translations, asked with OpenAI's client."""

import openai
import pytest

from tests.matrix.bench import Bench
from tests.matrix.rows import Row
from tests.matrix.transcriptions import FILE, SAID


def plain(bench: Bench, row: Row) -> None:
    with pytest.deprecated_call():  # OpenAI calls its own endpoint so
        assert bench.openai.audio.translations.create(model=bench.chat(row), file=FILE).text == SAID


def error(bench: Bench, row: Row) -> None:
    with pytest.deprecated_call(), pytest.raises(openai.BadRequestError):
        bench.openai.audio.translations.create(model=bench.chat(row, "sim-400"), file=FILE)
