"""Anthropic's count of tokens, asked with Anthropic's client."""

from typing import Any

from tests.matrix.asking import PICTURE, TEXT
from tests.matrix.bench import Bench
from tests.matrix.rows import Row


def _count(bench: Bench, row: Row, content: Any) -> int:
    messages: Any = [{"role": "user", "content": content}]
    return bench.anthropic.messages.count_tokens(model=bench.chat(row), messages=messages).input_tokens


def plain(bench: Bench, row: Row) -> None:
    assert 0 < _count(bench, row, TEXT) < _count(bench, row, TEXT * 50)


def images(bench: Bench, row: Row) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}

    assert _count(bench, row, [{"type": "text", "text": TEXT}, {"type": "image", "source": source}]) > 0
