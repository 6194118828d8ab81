"""OpenAI's edits of pictures, asked with OpenAI's client."""

import base64 as encoding

import openai
import pytest

from entrypoints.simulator.pictures import png_text
from tests.matrix.bench import Bench
from tests.matrix.rows import Row

PICTURE = encoding.b64decode(png_text("a cat"))
FILES = [("one.png", PICTURE, "image/png"), ("two.png", PICTURE + b"\r\n--x", "image/png")]
DRAWN = png_text(f"the same at night and one.png has {len(PICTURE)} bytes of image/png")


def plain(bench: Bench, row: Row) -> None:
    answer = bench.openai.images.edit(model=bench.images(row), image=FILES[0], prompt="the same at night")

    assert answer.data is not None
    assert answer.data[0].b64_json == DRAWN


def stream(bench: Bench, row: Row) -> None:
    asked = bench.openai.images.edit(
        model=bench.images(row), image=FILES[0], prompt="the same at night", stream=True, partial_images=1
    )
    events = list(asked)

    assert [event.type for event in events] == ["image_edit.partial_image", "image_edit.completed"]
    assert events[-1].b64_json == DRAWN


def several(bench: Bench, row: Row) -> None:
    answer = bench.openai.images.edit(model=bench.images(row), image=FILES, prompt="both at once", n=2)

    assert answer.data is not None
    assert len({picture.b64_json for picture in answer.data}) == 2


def error(bench: Bench, row: Row) -> None:
    with pytest.raises(openai.BadRequestError):
        bench.openai.images.edit(model=bench.images(row, "sim-400-context"), image=FILES[0], prompt="a cat")
