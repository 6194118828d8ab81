"""Requests of every endpoint, parsed as the edge parses them, and a reader of streams."""

import json
from typing import Any

import msgspec

from domain.audio import SpeechRequest
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.images import ImageRequest
from domain.moderations import ModerationRequest
from domain.payload import Payload
from domain.ports.providers import ProviderStream

_REQUESTS: dict[str, Any] = {
    "completions": CompletionRequest,
    "embeddings": EmbeddingRequest,
    "images": ImageRequest,
    "speech": SpeechRequest,
    "moderations": ModerationRequest,
}


def a_payload(capability: str, **fields: Any) -> Payload[Any]:
    """A body of the capability's endpoint."""
    body = msgspec.json.encode({"model": "m"} | fields)
    value = msgspec.json.decode(body, type=_REQUESTS[capability])
    return Payload(value, msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body))


async def read_bytes(stream: ProviderStream) -> bytes:
    """Everything a stream says, its ending left out."""
    try:
        return b"".join([block async for block in stream])
    finally:
        await stream.aclose()


async def read(stream: ProviderStream) -> list[dict[str, Any]]:
    """The JSON of each event."""
    received = await read_bytes(stream)
    lines = [line for event in received.split(b"\n\n") for line in event.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line[6:]) for line in lines]
