"""Reads one JSON object of /api/chat: a whole answer, or a line of a stream.

Source: ollama 0.6.3 types (read 2026-11). Arguments of tools are objects, and older servers give calls no id; a count
of the prompt may be missing or 0 where it was in the cache.
"""

import msgspec

from adapters.wire.call import made_call_id
from adapters.wire.chat_answer import MadeToolCall
from adapters.wire.raw_json import TolerantDecoder
from domain.chat import FinishReason
from domain.usage import TokenUsage

_encode = msgspec.json.Encoder().encode


class _Function(msgspec.Struct):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class _Call(msgspec.Struct):
    function: _Function
    id: str = ""


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _TokenLogprob(msgspec.Struct):
    token: str
    logprob: float


class _ChosenLogprob(_TokenLogprob):
    top_logprobs: list[_TokenLogprob] | None = None


class OllamaAnswer(msgspec.Struct):
    """`done` of a stream's last line, and of a whole answer."""

    message: _Message | None = None
    model: str = ""
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: list[_ChosenLogprob] | None = None
    error: object = None

    @property
    def usage(self) -> TokenUsage | None:
        """None where a count is missing: it is then estimated."""
        if not self.prompt_eval_count or self.eval_count is None:
            return None
        return TokenUsage(self.prompt_eval_count, self.eval_count)

    def finish(self, tool_calls: int) -> FinishReason:
        if self.done_reason == "length":
            return "length"
        return "tool_calls" if tool_calls else "stop"

    def calls(self, seed: str, already: int = 0) -> list[MadeToolCall]:
        """The tools called, each with an id: `seed` makes those that are missing."""
        made = []
        for index, call in enumerate((self.message.tool_calls if self.message else None) or (), already):
            made_id = call.id or made_call_id(f"{seed}/{index}")
            made.append(MadeToolCall(made_id, call.function.name, _arguments(call.function.arguments)))
        return made

    def openai_logprobs(self) -> dict[str, object] | None:
        """OpenAI's `logprobs`."""
        if not self.logprobs:
            return None
        return {"content": [_chosen_token(one) for one in self.logprobs], "refusal": None}


decode_answer = TolerantDecoder(OllamaAnswer)


def _arguments(raw: msgspec.Raw) -> str:
    """JSON text, also where the server gave a text already."""
    if raw == b"null":
        return "{}"
    value: object = msgspec.json.decode(raw)
    return value if isinstance(value, str) else _encode(value).decode()


def _chosen_token(given: _ChosenLogprob) -> dict[str, object]:
    token = _token(given)
    token["top_logprobs"] = [_token(one) for one in given.top_logprobs or ()]
    return token


def _token(given: _TokenLogprob) -> dict[str, object]:
    return {"token": given.token, "logprob": given.logprob, "bytes": list(given.token.encode())}
