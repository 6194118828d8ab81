"""Calls of OpenAI's other endpoints for the dialect's tests, and a way to play their streams."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from adapters.wire.call import DialectCall
from adapters.wire.files import FileDecoder
from adapters.wire.read_stream import EventStreamDecoder
from domain.audio import SpeechRequest, TranscriptionRequest
from domain.completions import CompletionRequest
from domain.embeddings import EmbeddingRequest
from domain.images import ImageRequest
from domain.moderations import ModerationRequest
from domain.payload import Payload
from tests.unit.adapters.dialects.openai.samples import NOW, SECRET

Decoder = EventStreamDecoder | FileDecoder


def call_of(request: Any, *, include_usage: bool = False, strict: bool = False, **fields: Any) -> DialectCall[Any]:
    """A call whose body has these fields, parsed as the edge parses it."""
    body = msgspec.json.encode({"model": "alias"} | fields)
    payload = Payload(
        msgspec.json.decode(body, type=request), msgspec.json.decode(body, type=dict[str, msgspec.Raw]), len(body)
    )
    return DialectCall(payload, "asked-model", SECRET, lambda: NOW, include_usage=include_usage, strict=strict)


def completion_call(**fields: Any) -> DialectCall[CompletionRequest]:
    return call_of(CompletionRequest, **{"prompt": "hi", **fields})


def embedding_call(**fields: Any) -> DialectCall[EmbeddingRequest]:
    return call_of(EmbeddingRequest, **{"input": "hi", **fields})


def image_call(**fields: Any) -> DialectCall[ImageRequest]:
    return call_of(ImageRequest, **{"prompt": "a cat", **fields})


def speech_call(**fields: Any) -> DialectCall[SpeechRequest]:
    return call_of(SpeechRequest, **{"input": "hi", "voice": "alloy", **fields})


def moderation_call(**fields: Any) -> DialectCall[ModerationRequest]:
    return call_of(ModerationRequest, **{"input": "hi", **fields})


def transcription_call(request: TranscriptionRequest, *, strict: bool = False) -> DialectCall[TranscriptionRequest]:
    fields = {name.removesuffix("[]"): msgspec.Raw(msgspec.json.encode(value)) for name, value in request.form}
    return DialectCall(Payload(request, fields), "asked-model", SECRET, lambda: NOW, strict=strict)


def played(decoder: Decoder, stream: bytes, sizes: Iterator[int] | None = None) -> bytes:
    """What a client gets of a stream that comes in pieces of these sizes; whole without."""
    received, start = b"", 0
    while start < len(stream):
        size = len(stream) if sizes is None else next(sizes)
        received += decoder.feed(stream[start : start + size])
        start += size
    return received + decoder.finish()


def splits(seed: int) -> Iterator[int]:
    """Sizes of pieces, small ones mostly."""
    chance = random.Random(seed)
    while True:
        yield chance.choice([1, 1, 2, 3, 5, 8, 40])


def never_complete_when_cut(make: Callable[[], Decoder], stream: bytes, whole_from: int) -> None:
    """R-08: cut at any byte before `whole_from`, the answer is no complete one."""
    for end in range(whole_from):
        decoder = make()
        played(decoder, stream[:end])
        assert decoder.failure is not None, stream[:end]
        assert not decoder.done
