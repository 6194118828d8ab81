"""Ollama's list of models."""

import json

from adapters.dialects.ollama.model_list import read_tags


def test_tags_are_the_models() -> None:
    tags = {"models": [{"name": "llama3.2:3b", "model": "llama3.2:3b", "size": 1}, {"name": "gemma:2b"}]}

    assert [one.model for one in read_tags(json.dumps(tags).encode())] == ["llama3.2:3b", "gemma:2b"]
    assert read_tags(b'{"models":null}') == ()
