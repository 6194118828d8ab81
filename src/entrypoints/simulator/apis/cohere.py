"""Cohere's v2 chat and embeddings, and its list of models. Source: cohere 7.3.1 types (read 2026-11)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from typing_extensions import override

from entrypoints.simulator.answers import SimulatedAnswer, words_of
from entrypoints.simulator.apis.endpoint import Body, Endpoint, Failure, Refused, encoded, event, halves, objects
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.oddities import framed
from entrypoints.simulator.rankings import ranked_texts
from entrypoints.simulator.vectors import DIMENSIONS, packed, vector_of

_FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR"}
_CHAT_FIELDS = frozenset(
    "model messages tools tool_choice documents citation_options response_format max_tokens temperature p k"
    " stop_sequences seed frequency_penalty presence_penalty stream safety_mode thinking strict_tools logprobs"
    " priority".split()
)
_INPUT_TYPES = {"search_document", "search_query", "classification", "clustering", "image"}
_MOST_TEXTS = 96


class CohereEndpoint(Endpoint):
    """An endpoint with Cohere's errors: a message and an id, and no object around them."""

    @override
    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        said = message or (f"too many tokens: {code}" if code else f"status {status}: scripted")
        return Failure(status, {"id": f"sim-{self.call.number}", "message": said}, dict(headers or {}))

    @override
    def headers(self) -> dict[str, str]:
        return {"x-endpoint-monthly-call-limit": "1000", "x-trial-endpoint-call-limit": "20"} | {
            "x-trial-endpoint-call-remaining": "19"
        }

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.failure(401, "no api key supplied"))
        if self.needs_model and not self.model:
            self.refuse("model is required")

    def refuse(self, message: str) -> NoReturn:
        """Raise a 400."""
        raise Refused(self.failure(400, f"invalid request: {message}"))


class Chat(CohereEndpoint):
    """A message, plain and streamed."""

    @override
    def check(self) -> None:
        super().check()
        for name in sorted(set(self.fields) - _CHAT_FIELDS):
            self.refuse(f"unknown field: parameter '{name}' is not a valid field")
        messages = objects(self.fields.get("messages"))
        if not messages:
            self.refuse("messages must have at least one message")
        if self.fields.get("tool_choice") not in {None, "REQUIRED", "NONE"}:
            self.refuse("tool_choice must be REQUIRED or NONE")
        for message in messages:
            if message.get("role") not in {"system", "user", "assistant", "tool"}:
                self.refuse(f"unknown role {message.get('role')}")
            if not message.get("content") and not message.get("tool_calls"):
                self.refuse("all elements in history must have a message")

    @override
    def asked(self) -> dict[str, Any]:
        choice = {"REQUIRED": "required", "NONE": "none"}.get(self.fields.get("tool_choice", ""))
        shape = self.fields.get("response_format") or {}
        schema = {"schema": shape.get("json_schema") or shape.get("schema")}
        return self.fields | {
            "tool_choice": choice,
            "stop": self.fields.get("stop_sequences"),
            "response_format": {"type": shape.get("type"), "json_schema": schema},
        }

    def _usage(self, answer: SimulatedAnswer) -> dict[str, Any]:
        if answer.usage is None:
            return {}
        read, said = float(answer.usage["prompt_tokens"]), float(answer.usage["completion_tokens"])
        counts = {"input_tokens": read, "output_tokens": said}
        cached = float(answer.usage["prompt_tokens_details"]["cached_tokens"])
        return {"usage": {"billed_units": counts, "tokens": counts, "cached_tokens": cached}}

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        answer = self.answer(behaviour)
        message: dict[str, Any] = {"role": "assistant", "content": []}
        if answer.reasoning is not None and not answer.tool_calls:
            message["content"].append({"type": "thinking", "thinking": answer.reasoning})
        if answer.tool_calls:
            message |= {"tool_plan": answer.reasoning or "I will use a tool.", "tool_calls": _calls(answer)}
        said = answer.refusal or answer.text
        if said:
            message["content"].append({"type": "text", "text": said})
        body = {"id": f"sim-{self.call.number}", "finish_reason": _finish(answer), "message": message}
        return Body(encoded(body | self._usage(answer)))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        values = self._events(self.answer(behaviour))
        return framed([event(value, value["type"]) for value in values], behaviour.odd)

    def _events(self, answer: SimulatedAnswer) -> Iterator[dict[str, Any]]:
        opening = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        yield {"id": f"sim-{self.call.number}", "type": "message-start", "delta": {"message": opening}}
        index = 0
        if answer.tool_calls:
            for word in words_of(answer.reasoning or "I will use a tool."):
                yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": word}}}
        elif answer.reasoning is not None:
            yield from _part(index, "thinking", words_of(answer.reasoning))
            index += 1
        if pieces := words_of(answer.refusal or "") or answer.pieces:
            yield from _part(index, "text", pieces)
        for index, call in enumerate(_calls(answer)):
            at = {"index": index}
            arguments = call["function"]["arguments"]
            begun = call | {"function": call["function"] | {"arguments": ""}}
            yield {"type": "tool-call-start", **at, "delta": {"message": {"tool_calls": begun}}}
            for part in halves(arguments):
                given = {"tool_calls": {"function": {"arguments": part}}}
                yield {"type": "tool-call-delta", **at, "delta": {"message": given}}
            yield {"type": "tool-call-end", **at}
        yield {"type": "message-end", "delta": {"finish_reason": _finish(answer)} | self._usage(answer)}


class Embed(CohereEndpoint):
    """Vectors in each of the types that were asked for."""

    @override
    def check(self) -> None:
        super().check()
        texts = self.fields.get("texts")
        if self.fields.get("input_type") not in _INPUT_TYPES:
            self.refuse("input_type is required")
        if not isinstance(texts, list) or not 1 <= len(texts) <= _MOST_TEXTS or not all(texts):
            self.refuse(f"texts must be one to {_MOST_TEXTS} texts that are not empty")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        texts = self.fields["texts"]
        vectors = [vector_of(text, self.fields.get("output_dimension") or DIMENSIONS) for text in texts]
        wanted = self.fields.get("embedding_types") or ["float"]
        found: dict[str, Any] = {}
        if "float" in wanted:
            found["float"] = vectors
        if "base64" in wanted and not behaviour.floats_only:
            found["base64"] = [packed(vector) for vector in vectors]
        count = float(sum(len(words_of(text)) for text in texts))
        meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": count}}
        return Body(encoded({"id": f"sim-{self.call.number}", "embeddings": found, "texts": texts, "meta": meta}))


class Rerank(CohereEndpoint):
    """The share of the query's words that a document has."""

    @override
    def check(self) -> None:
        super().check()
        documents = self.fields.get("documents")
        if not isinstance(documents, list) or not documents or not all(isinstance(each, str) for each in documents):
            self.refuse("documents must be texts")

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        ranked = ranked_texts(str(self.fields.get("query", "")), self.fields["documents"])
        results = [{"index": index, "relevance_score": score} for index, score in ranked]
        units = {"search_units": -(-len(ranked) // 100)}
        meta = {"api_version": {"version": "2"}, "billed_units": units}
        shown = results[: self.fields.get("top_n") or len(results)]
        return Body(encoded({"id": f"sim-{self.call.number}", "results": shown, "meta": meta}))


class CohereModels(CohereEndpoint):
    """The persona's models, a page at a time."""

    needs_model = False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        shown = [
            {"name": model.id, "endpoints": ["chat", "embed"], "context_length": model.context_window or 128_000}
            for model in self.call.listed
        ]
        begin = int(self.call.query.get("page_token") or 0)
        end = begin + int(self.call.query.get("page_size") or 20)
        more = {"next_page_token": str(end)} if end < len(shown) else {}
        return Body(encoded({"models": shown[begin:end]} | more))


def _finish(answer: SimulatedAnswer) -> str:
    if answer.stop_sequence is not None:
        return "STOP_SEQUENCE"
    return _FINISH.get(answer.finish_reason, answer.finish_reason)


def _calls(answer: SimulatedAnswer) -> list[dict[str, Any]]:
    return [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in answer.tool_calls
    ]


def _part(index: int, kind: str, pieces: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    at = {"index": index}
    yield {"type": "content-start", **at, "delta": {"message": {"content": {"type": kind, kind: ""}}}}
    for piece in pieces:
        yield {"type": "content-delta", **at, "delta": {"message": {"content": {kind: piece}}}}
    yield {"type": "content-end", **at}
