"""OpenAI's embeddings: passed on, in the encoding the client asked for whatever the upstream sends."""

from collections.abc import Sequence

import msgspec
from typing_extensions import override

from adapters.dialects.openai.endpoint import NULL, OpenAIEndpoint, encode, raw, text_of
from adapters.dialects.openai.usage import read_usage
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.sift import unsupported
from adapters.wire.vectors import packed, unpacked
from domain.embeddings import EmbeddingRequest
from domain.usage import TokenUsage, estimate_tokens

_decode_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_vector = msgspec.json.Decoder(list[float]).decode
_decode_text = msgspec.json.Decoder(str).decode


class OpenAIEmbeddings(OpenAIEndpoint[EmbeddingRequest]):
    """One upstream's embeddings."""

    name = "embeddings"
    answer_name = "a list of embeddings"

    @override
    def encode(self, call: DialectCall[EmbeddingRequest], *, stream: bool) -> Encoded:
        if not self.own.token_ids and call.payload.value.has_token_ids:
            raise unsupported("input", "it takes texts, not token ids")
        return super().encode(call, stream=stream)

    def read(self, body: bytes, call: DialectCall[EmbeddingRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        fields = self.fields_of(body, call, "data")
        request = call.payload.value
        usage = _usage(fields.get("usage", NULL))
        try:
            items = _decode_items(fields["data"])
            changed = _in_encoding(items, base64=request.encoding_format == "base64")
        except (*UNDECODABLE, ValueError, KeyError):
            raise self.unreadable(body, call) from None
        if not items:
            raise self.unreadable(body, call)
        model = text_of(fields, "model")
        mended = {} if model else {"model": raw(call.model)}
        if changed:
            mended["data"] = raw(items)
        if usage is None:  # typed clients need one
            size = sum(len(text.encode(errors="replace")) for text in request.prompt_texts())
            mended["usage"] = raw({"prompt_tokens": estimate_tokens(size), "total_tokens": estimate_tokens(size)})
        answer = encode(fields | {"object": raw("list")} | mended) if mended else body
        return PlainAnswer(answer, model or call.model, usage)


def _in_encoding(items: Sequence[dict[str, msgspec.Raw]], *, base64: bool) -> bool:
    """Make every embedding what was asked for; whether any had to be changed.

    Raises `ValueError`, `KeyError` or one of `UNDECODABLE` for what is no embedding.
    """
    changed = False
    for place, item in enumerate(items):
        vector = item["embedding"]
        is_text = bytes(memoryview(vector)[:1]) == b'"'
        if base64 and not is_text:
            item["embedding"] = raw(packed(_decode_vector(vector)))
            changed = True
        elif is_text and not base64:
            item["embedding"] = raw(unpacked(_decode_text(vector)))
            changed = True
        if "index" not in item or "object" not in item:
            item.setdefault("index", raw(place))
            item.setdefault("object", raw("embedding"))
            changed = True
    return changed


def _usage(value: msgspec.Raw) -> TokenUsage | None:
    read = read_usage(bytes(value))
    return TokenUsage(read.tokens.input_tokens, 0, read.tokens.cache_read_tokens) if read is not None else None
