"""OpenAI's transcriptions, asked with OpenAI's client."""

import openai
import pytest

from tests.matrix.bench import Bench
from tests.matrix.rows import Row

FILE = ("a.wav", bytes(range(256)) * 40, "audio/wav")
SAID = "a.wav has 10240 bytes of audio/wav"


def plain(bench: Bench, row: Row) -> None:
    assert bench.openai.audio.transcriptions.create(model=bench.chat(row), file=FILE).text == SAID


def stream(bench: Bench, row: Row) -> None:
    events = list(bench.openai.audio.transcriptions.create(model=bench.chat(row), file=FILE, stream=True))

    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == SAID
    assert events[-1].type == "transcript.text.done"


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        bench.openai.audio.transcriptions.create(model=bench.chat(row, "sim-400"), file=FILE)
