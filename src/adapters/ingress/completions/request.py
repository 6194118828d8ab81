"""A legacy completion as chats: each prompt one user message, the parameters as they are."""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.ingress.completions.params import COMPLETIONS_OVER_CHAT
from adapters.wire.sift import unsupported, worth_a_report
from domain.chat import ChatRequest
from domain.completions import CompletionRequest
from domain.payload import Payload

_OF_COMPLETIONS: Final = frozenset({"prompt", "echo", "best_of", "logprobs", "suffix"})
_OF_CHAT_ALONE: Final = frozenset(ChatRequest.__struct_fields__) - frozenset(CompletionRequest.__struct_fields__)
_EMPTY_TEXT: Final = msgspec.Raw(b'""')

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ChatRequest).decode


def dropped_params(payload: Payload[CompletionRequest]) -> list[str]:
    """What chat cannot carry and may be left out. Raises `UNSUPPORTED` for what must not be."""
    lost = []
    if payload.value.max_tokens == 0:
        raise unsupported("max_tokens", "chat makes one token at least")
    for name, raw in payload.fields.items():
        cell = COMPLETIONS_OVER_CHAT.get(name)
        support = cell.support if cell is not None else "dropped" if name in _OF_CHAT_ALONE else "honored"
        if support == "refused" and raw != _EMPTY_TEXT and worth_a_report(name, raw):
            raise unsupported(name, cell.note if cell is not None else "")
        if support == "dropped" and worth_a_report(name, raw) and not _asks_no_more(name, payload.value):
            lost.append(name)
    return lost


def to_chats(payload: Payload[CompletionRequest], prompts: Sequence[str]) -> list[Payload[ChatRequest]]:
    """A chat for each prompt. Fields nobody knows go along: the upstream may."""
    kept = {
        name: raw
        for name, raw in payload.fields.items()
        if name not in _OF_COMPLETIONS and name not in _OF_CHAT_ALONE and (name != "stream_options")
    }
    return [_chat(kept, prompt, payload.size_bytes) for prompt in prompts]


def _chat(kept: dict[str, msgspec.Raw], prompt: str, size_bytes: int) -> Payload[ChatRequest]:
    message = {"role": "user", "content": prompt}
    fields = kept | {"messages": msgspec.Raw(_encode([message]))}
    return Payload(_decode(_encode(fields)), fields, size_bytes)


def _asks_no_more(name: str, request: CompletionRequest) -> bool:
    """`best_of` no larger than `n` makes the answers that are made anyway."""
    return name == "best_of" and (request.best_of or 1) <= (request.n or 1)
