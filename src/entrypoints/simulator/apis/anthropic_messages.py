"""Anthropic's `POST /v1/messages` and `/v1/messages/count_tokens`, and its list of models."""

from collections.abc import Iterable
from typing import Any

from typing_extensions import override

from entrypoints.simulator.apis.anthropic_answers import events_of, message_of
from entrypoints.simulator.apis.anthropic_checks import complaint
from entrypoints.simulator.apis.anthropic_errors import AnthropicEndpoint
from entrypoints.simulator.apis.endpoint import Body, Refused, encoded, event, objects
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.oddities import framed

_PART_TYPES = {"image": "image_url", "document": "file"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


class Messages(AnthropicEndpoint):
    """A message, plain and streamed."""

    with_limit = True

    @property
    def version(self) -> str:
        """The API version the request was written for."""
        return self.call.headers.get("anthropic-version", "")

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.unauthorized())
        if not self.version:
            self.refuse("anthropic-version: header is required")
        if not self.model:
            self.refuse("model: Field required")
        beta = bool(self.call.headers.get("anthropic-beta"))
        wrong = complaint({"model": self.model, **self.fields}, self.version, with_limit=self.with_limit, beta=beta)
        if wrong is not None:
            self.refuse(wrong)

    @override
    def asked(self) -> dict[str, Any]:
        fields = self.fields
        system = [{"role": "system", "content": fields["system"]}] if fields.get("system") else []
        choice = fields.get("tool_choice") or {}
        named = {"function": {"name": choice.get("name")}} if choice.get("type") == "tool" else None
        shape = (fields.get("output_config") or {}).get("format") or {}
        return {
            "messages": [*system, *(m for given in objects(fields.get("messages")) for m in _messages_of(given))],
            "max_tokens": fields.get("max_tokens"),
            "stop": fields.get("stop_sequences"),
            "tools": [
                {"function": {"name": tool["name"], "parameters": tool["input_schema"]}}
                for tool in objects(fields.get("tools"))
                if "input_schema" in tool
            ],
            "tool_choice": named or _CHOICES.get(choice.get("type", "auto")),
            "parallel_tool_calls": not choice.get("disable_parallel_tool_use"),
            "response_format": {"type": shape.get("type"), "json_schema": shape},
        }

    @property
    def identity(self) -> str:
        """The id of the message."""
        return f"msg_sim{self.call.number}"

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded(message_of(self.answer(behaviour), self.identity, self.model)))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        values = events_of(self.answer(behaviour), self.identity, self.model)
        return framed([event(value, value["type"]) for value in values], behaviour.odd)


class CountTokens(Messages):
    """How many tokens a request has: its words."""

    with_limit = False

    @override
    def streams(self) -> bool:
        return False

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        usage = self.answer(behaviour).usage or {"prompt_tokens": 0}
        return Body(encoded({"input_tokens": usage["prompt_tokens"]}))


class AnthropicModels(AnthropicEndpoint):
    """The persona's models, a page at a time."""

    needs_model = False

    @override
    def check(self) -> None:
        if not self.call.credential:
            raise Refused(self.unauthorized())

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        shown = [
            {"id": model.id, "type": "model", "display_name": model.id.title(), "created_at": "2026-01-01T00:00:00Z"}
            | {"max_input_tokens": model.context_window or 200_000, "max_tokens": 64_000}
            for model in self.call.listed
        ]
        ids = [model["id"] for model in shown]
        begin = ids.index(after) + 1 if (after := self.call.query.get("after_id", "")) in ids else 0
        page = shown[begin : begin + int(self.call.query.get("limit", "20"))]
        more = begin + len(page) < len(shown)
        first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
        return Body(encoded({"data": page, "has_more": more, "first_id": first, "last_id": last}))


def _messages_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message in chat's words: results of tools are messages of their own, before what else was said."""
    content = message.get("content")
    if isinstance(content, str):
        return [message]
    blocks = objects(content)
    results = [
        {"role": "tool", "content": _parts(block.get("content"))}
        for block in blocks
        if block.get("type") == "tool_result"
    ]
    rest = [block for block in blocks if block.get("type") != "tool_result"]
    return [*results, {"role": message.get("role"), "content": _parts(rest)}] if rest else results


def _parts(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [
        part if "text" in part else {"type": _PART_TYPES.get(str(part.get("type")), part.get("type"))}
        for part in objects(content)
    ]
