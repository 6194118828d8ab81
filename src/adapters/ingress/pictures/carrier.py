"""Serves a chat that asks for a picture through an upstream's images: the picture is in the message."""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec
from typing_extensions import override

from adapters.wire.chat_answer import usage_json
from adapters.wire.errors import invalid_answer
from adapters.wire.raw_json import TolerantDecoder
from adapters.wire.sift import unsupported
from adapters.wire.sse import EVENT_STREAM
from domain.chat import ChatRequest, ContentPart
from domain.images import ImageRequest
from domain.payload import Payload
from domain.ports.providers import ChatProvider, ImageProvider, ProviderAnswer, ProviderCall, ProviderStream
from domain.usage import TokenUsage

_CONTENT_TYPES: Final = (
    ("iVBOR", "image/png"),
    ("/9j/", "image/jpeg"),
    ("UklGR", "image/webp"),
    ("R0lGOD", "image/gif"),
)
"""How the Base64 of each kind of picture begins."""

_MOST_TEXTS: Final = 4
"""So many of the last things said are the prompt: what is to be changed about a picture stands before."""


class _Image(msgspec.Struct):
    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class _Images(msgspec.Struct):
    data: list[_Image] = []


_decode = TolerantDecoder(_Images)
_encode = msgspec.json.Encoder().encode


class ChatOverImages(ChatProvider):
    """What people said last is the prompt. `now` gives Unix seconds."""

    def __init__(self, images: ImageProvider, now: Callable[[], float] = time.time) -> None:
        self._images = images
        self._now = now

    @override
    async def complete(self, call: ProviderCall[ChatRequest]) -> ProviderAnswer:
        answer, message = await self._asked(call)
        body = self._head(call, answer, "chat.completion") | {
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}]
        }
        if answer.usage is not None:
            body["usage"] = usage_json(answer.usage)
        return msgspec.structs.replace(answer, body=_encode(body), content_type="application/json")

    @override
    async def stream(self, call: ProviderCall[ChatRequest]) -> ProviderStream:
        """One picture is one event: providers' halves of a picture are none of a chat's."""
        answer, message = await self._asked(call)
        head = self._head(call, answer, "chat.completion.chunk")
        if call.include_usage:
            head["usage"] = None
        chunks = [
            head | {"choices": [{"index": 0, "delta": message, "finish_reason": None, "logprobs": None}]},
            head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "logprobs": None}]},
        ]
        if call.include_usage and answer.usage is not None:
            chunks.append(head | {"choices": [], "usage": usage_json(answer.usage)})
        return _Replayed(answer, b"".join(b"data: %b\n\n" % _encode(chunk) for chunk in chunks))

    async def _asked(self, call: ProviderCall[ChatRequest]) -> tuple[ProviderAnswer, dict[str, object]]:
        request = call.payload.value
        prompt = prompt_of(request)
        if not prompt:
            raise unsupported("messages", "it makes pictures of texts, and there is none")
        asked = ImageRequest(prompt=prompt, model=call.model, n=request.n, user=request.user)
        given = {"prompt": prompt, "n": request.n, "user": request.user}
        fields = {name: msgspec.Raw(_encode(value)) for name, value in given.items() if value is not None}
        answer = await self._images.complete(
            ProviderCall(
                Payload(asked, fields), call.model, call.key, False, call.progress, call.strict, (), call.carried_from
            )
        )
        return answer, _message(answer.body)

    def _head(self, call: ProviderCall[ChatRequest], answer: ProviderAnswer, kind: str) -> dict[str, object]:
        return {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "object": kind,
            "created": int(self._now()),
            "model": answer.model or call.model,
        }


def prompt_of(request: ChatRequest) -> str:
    """The last texts of people, in their order."""
    said = [_text(message.content) for message in request.messages if message.role == "user"]
    return "\n".join(filter(None, said[-_MOST_TEXTS:]))


def _text(content: str | list[ContentPart] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content or () if part.text)


def _message(body: bytes) -> dict[str, object]:
    """Raises `UpstreamFailure` for an answer without a picture."""
    made = _decode(body).data
    urls = [image.url if image.b64_json is None else _data_url(image.b64_json) for image in made]
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls if url]
    if not images:
        raise invalid_answer("The provider answered without a picture.")
    said = "\n".join(image.revised_prompt for image in made if image.revised_prompt)
    return {"role": "assistant", "content": said or None, "refusal": None, "images": images}


def _data_url(base64: str) -> str:
    kind = next((kind for start, kind in _CONTENT_TYPES if base64.startswith(start)), "image/png")
    return f"data:{kind};base64,{base64}"


class _Replayed(ProviderStream):
    """A whole answer, given as a stream."""

    def __init__(self, answer: ProviderAnswer, events: bytes) -> None:
        self.model = answer.model
        self.usage: TokenUsage | None = answer.usage
        self.limits = answer.limits
        self.dropped_params = answer.dropped_params
        self.content_type = EVENT_STREAM
        self.ending = b"data: [DONE]\n\n"
        self.has_content = False
        self.output_bytes = 0
        self._events = events
        self._text = answer.output_text

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.has_content = True
        yield self._events

    @override
    def output_text(self) -> str:
        return self._text

    @override
    async def aclose(self) -> None:
        """Nothing is open any more."""
