"""Google's count of tokens, asked with Google's client."""

from base64 import b64decode
from typing import Any

from google.genai import types

from tests.matrix.asking import PICTURE, TEXT
from tests.matrix.bench import Bench
from tests.matrix.rows import Row


def _count(bench: Bench, row: Row, *contents: Any) -> int:
    return bench.google.models.count_tokens(model=bench.chat(row), contents=[*contents]).total_tokens or 0


def plain(bench: Bench, row: Row) -> None:
    assert 0 < _count(bench, row, TEXT) < _count(bench, row, TEXT * 50)


def images(bench: Bench, row: Row) -> None:
    assert _count(bench, row, TEXT, types.Part.from_bytes(data=b64decode(PICTURE), mime_type="image/png")) > 0
