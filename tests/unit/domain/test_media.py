"""What is encoded in a request is no text: a picture of a megabyte is not a quarter of a million tokens."""

import base64
import json
from typing import Any

import msgspec
import pytest

from domain.chat import ChatRequest
from domain.inference import InferenceRequest
from domain.media import PICTURE_TOKENS
from domain.messages import MessagesRequest
from domain.responses import ResponsesRequest

ENCODED = base64.b64encode(bytes(range(256)) * 400).decode()
URL = f"data:image/png;base64,{ENCODED}"
ASK = {"type": "text", "text": "What is this?"}
SOURCE = {"type": "base64", "media_type": "image/png", "data": ENCODED}

PICTURES: dict[str, tuple[type[InferenceRequest], dict[str, Any]]] = {
    "chat": (
        ChatRequest,
        {"messages": [{"role": "user", "content": [ASK, {"type": "image_url", "image_url": {"url": URL}}]}]},
    ),
    "messages": (
        MessagesRequest,
        {"messages": [{"role": "user", "content": [ASK, {"type": "image", "source": SOURCE}]}]},
    ),
    "messages, in a tool's result": (
        MessagesRequest,
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t",
                            "content": [ASK, {"type": "image", "source": SOURCE}],
                        }
                    ],
                }
            ]
        },
    ),
    "responses": (
        ResponsesRequest,
        {
            "input": [
                {
                    "role": "user",
                    "content": [{"type": "input_text", "text": "What?"}, {"type": "input_image", "image_url": URL}],
                }
            ]
        },
    ),
}


def request_of(kind: type[InferenceRequest], body: dict[str, Any]) -> InferenceRequest:
    return msgspec.json.decode(json.dumps({"model": "m"} | body), type=kind)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_counted_as_one_and_not_by_its_letters(name: str) -> None:
    request = request_of(*PICTURES[name])

    assert sum(len(text) for text in request.prompt_texts()) < 400
    assert request.media_tokens == PICTURE_TOKENS


def test_a_document_is_counted_by_its_size() -> None:
    source = SOURCE | {"media_type": "application/pdf"}
    body = {"messages": [{"role": "user", "content": [{"type": "document", "source": source}]}]}

    request = request_of(MessagesRequest, body)

    assert sum(len(text) for text in request.prompt_texts()) < 400
    assert 3_000 < request.media_tokens < 4_000


def test_the_same_letters_as_a_text_are_text() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": ENCODED}]}]}

    request = request_of(MessagesRequest, body)

    assert sum(len(text) for text in request.prompt_texts()) > len(ENCODED)
    assert request.media_tokens == 0
