"""Lists of models, in the shapes providers give them."""

import json

import msgspec
import pytest

from adapters.dialects.openai.model_list import read_models
from domain.providers import Offering


@pytest.mark.parametrize(
    ("body", "offerings"),
    [
        (
            {"object": "list", "data": [{"id": "a/b:free", "created": 5, "owned_by": "x", "context_length": 8}]},
            [Offering("a/b:free", 5, "x", 8)],
        ),
        ([{"id": "t", "organization": "Meta", "created": 0}], [Offering("t", 0, "Meta")]),
        ({"data": [{"id": "models/gemini-x"}, {"id": "models/gemini-x"}]}, [Offering("gemini-x")]),
        ({"models": [{"name": "llama3:8b"}]}, [Offering("llama3:8b")]),
        (
            {
                "success": True,
                "result": [
                    {
                        "id": "uuid",
                        "name": "@cf/x/y",
                        "properties": [{"property_id": "context_window", "value": "24000"}],
                    }
                ],
            },
            [Offering("@cf/x/y", context_window=24000)],
        ),
        (
            {"data": ["plain", 5, {"id": ""}, {"id": "v", "max_model_len": 4096}]},
            [Offering("plain"), Offering("v", context_window=4096)],
        ),
        ({"data": []}, []),
    ],
)
def test_every_shape_is_read(body: object, offerings: list[Offering]) -> None:
    assert list(read_models(json.dumps(body).encode())) == offerings


@pytest.mark.parametrize("body", [b'{"error": "x"}', b"5", b"<html>"])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_models(body)
