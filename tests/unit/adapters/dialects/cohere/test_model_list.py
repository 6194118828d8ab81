"""Cohere's list of models."""

import json

from adapters.dialects.cohere.model_list import read_page


def test_a_page_of_models_has_those_that_serve_something_here() -> None:
    page = {
        "models": [
            {"name": "command-a", "endpoints": ["chat", "generate"], "context_length": 256000.0},
            {"name": "embed-v4.0", "endpoints": ["embed"]},
            {"name": "rerank-v4", "endpoints": ["rerank"]},
        ],
        "next_page_token": "abc",
    }

    offerings, token = read_page(json.dumps(page).encode())

    assert [(one.model, one.capabilities, one.context_window) for one in offerings] == [
        ("command-a", ("chat",), 256_000),
        ("embed-v4.0", ("embeddings",), None),
    ]
    assert token == "abc"
