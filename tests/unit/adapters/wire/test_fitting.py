"""JSON of another form than was wanted: each field is read by itself, and what cannot be read was never there."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder, mended


class Inner(msgspec.Struct):
    name: str
    size: int = 0


class Shape(msgspec.Struct):
    count: int = 0
    share: int | float | None = None
    text: str | None = None
    sure: bool = False
    inner: Inner | None = None
    many: list[Inner] = []
    sizes: dict[str, int] = {}
    raw: msgspec.Raw | UnsetType = UNSET
    said: str | list[object] | None = None


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"count": "7"}, {"count": 7}),
        ({"count": 7.0}, {"count": 7}),
        ({"count": "7.9"}, {"count": 7}),
        ({"count": True}, {}),
        ({"count": None}, {}),
        ({"count": []}, {}),
        ({"count": "many"}, {}),
        ({"share": "0.5"}, {"share": 0}),
        ({"share": 0.5}, {"share": 0.5}),
        ({"text": 17}, {"text": "17"}),
        ({"text": False}, {}),
        ({"text": {"a": 1}}, {}),
        ({"sure": "true"}, {"sure": True}),
        ({"sure": 1}, {"sure": True}),
        ({"sure": "perhaps"}, {}),
        ({"inner": []}, {}),
        ({"inner": {"size": 1}}, {}),
        ({"inner": {"name": "a", "size": "1", "new": [1.5]}}, {"inner": {"name": "a", "size": 1, "new": [1.5]}}),
        ({"many": {"name": "a"}}, {"many": [{"name": "a"}]}),
        ({"many": [None, {"name": "a"}, 5, {}]}, {"many": [{"name": "a"}]}),
        ({"sizes": {"a": "1", "b": None}}, {"sizes": {"a": 1}}),
        ({"raw": {"any": ["thing"]}, "count": "1"}, {"raw": {"any": ["thing"]}, "count": 1}),
        ({"said": {"type": "text"}}, {"said": [{"type": "text"}]}),
        ({"unknown": None, "count": "1"}, {"unknown": None, "count": 1}),
    ],
)
def test_each_field_is_read_by_itself(given: dict[str, Any], read: dict[str, Any]) -> None:
    data = json.dumps(given).encode()

    assert json.loads(mended(data, Shape)) == read
    assert TolerantDecoder(Shape)(data) == msgspec.json.decode(msgspec.json.encode(read), type=Shape)


@pytest.mark.parametrize(
    "data", [b"", b"5", b"[", b'{"name": 1', b'{"size": 1}', b'{"name": {}}', b"\xff", b"[" * 100_000]
)
def test_what_a_shape_cannot_be_without_makes_it_unreadable(data: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        TolerantDecoder(Inner)(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"name": "a\xffb"}', "a\ufffdb"),
        (b'{"name": "\\ud83d"}', "\ufffd"),
        (b'{"name": "\xf0\x9f\x98\x80"}', "\U0001f600"),
    ],
)
def test_what_is_no_character_becomes_the_sign_for_one(data: bytes, name: str) -> None:
    assert TolerantDecoder(Inner)(data).name == name
