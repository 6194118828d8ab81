"""Google's `embedContent`, one or a batch, over OpenAI's embeddings."""

import msgspec

from adapters.ingress.gemini.params import CONTENT_OVER_EMBEDDINGS
from adapters.wire.errors import unreadable
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import keep_strict, sift, unsupported
from adapters.wire.vectors import unpacked
from domain.embeddings import EmbeddingRequest
from domain.generate_content import EmbedContentRequest
from domain.payload import Payload

_WHAT = "a list of embeddings"


class EmbeddingForm(msgspec.Struct, frozen=True):
    """The request as one of OpenAI's, and the parameters it lost on the way, sorted."""

    payload: Payload[EmbeddingRequest]
    dropped: tuple[str, ...]


class _Embedding(msgspec.Struct):
    embedding: list[float] | str
    index: int = 0


class _List(msgspec.Struct):
    data: list[_Embedding]


_decode = msgspec.json.Decoder(_List).decode
_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def as_embeddings(payload: Payload[EmbedContentRequest], model: str, *, strict: bool = False) -> EmbeddingForm:
    """Raises `UpstreamFailure`: `UNSUPPORTED` for what is no text, and for sizes that differ within a batch."""
    each = payload.value.each()
    lost = set(sift(payload.fields, CONTENT_OVER_EMBEDDINGS))
    lost |= {name for one in each for name, value in (("taskType", one.task_type), ("title", one.title)) if value}
    if any(not one.content.is_text for one in each):
        raise unsupported("content", "only texts are embedded")
    sizes = {one.output_dimensionality for one in each}
    if len(sizes) > 1:
        raise unsupported("outputDimensionality", "it is the same for all of a batch")
    request: dict[str, object] = {"model": model, "input": [one.content.text for one in each]}
    if (size := sizes.pop()) is not None:
        request["dimensions"] = size
    body = _encode(request)
    value = msgspec.json.decode(body, type=EmbeddingRequest)
    return EmbeddingForm(Payload(value, _decode_fields(body), payload.size_bytes), keep_strict(lost, strict=strict))


def as_embedded(body: bytes, *, batch: bool) -> bytes:
    """The answer a client gets, in the order it asked. Raises `UpstreamFailure` for what is no list of embeddings."""
    try:
        found = sorted(_decode(body).data, key=lambda each: each.index)
        vectors = [{"values": _numbers(each.embedding)} for each in found]
    except (ValueError, *UNDECODABLE):
        raise unreadable(body, None, _WHAT) from None
    if not vectors:
        raise unreadable(body, None, _WHAT)
    return _encode({"embeddings": vectors} if batch else {"embedding": vectors[0]})


def _numbers(embedding: list[float] | str) -> list[float]:
    return unpacked(embedding) if isinstance(embedding, str) else embedding
