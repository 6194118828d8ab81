"""OpenAI's speech, asked with OpenAI's client."""

import openai
import pytest

from tests.matrix.asking import TEXT
from tests.matrix.bench import Bench
from tests.matrix.rows import Row

_BYTES_A_WORD = 1024


def plain(bench: Bench, row: Row) -> None:
    spoken = bench.openai.audio.speech.create(model=bench.chat(row), voice="alloy", input=TEXT)

    assert spoken.response.headers["content-type"] == "audio/mpeg"
    assert len(spoken.content) == _BYTES_A_WORD * len(TEXT.split())


def stream(bench: Bench, row: Row) -> None:
    asked = bench.openai.audio.speech.with_streaming_response
    with asked.create(model=bench.chat(row), voice="alloy", input=TEXT, response_format="pcm") as spoken:
        assert sum(map(len, spoken.iter_bytes())) == _BYTES_A_WORD * len(TEXT.split())


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        bench.openai.audio.speech.create(model=bench.chat(row, "sim-400"), voice="alloy", input=TEXT)


def cut(bench: Bench, row: Row) -> None:
    asked = bench.openai.audio.speech.with_streaming_response
    model = bench.broken(row, "sim-words-20+chunk-delay-20ms+cut-after-3")
    with asked.create(model=model, voice="alloy", input=TEXT) as spoken, pytest.raises(Exception, match="peer closed"):
        list(spoken.iter_bytes())
