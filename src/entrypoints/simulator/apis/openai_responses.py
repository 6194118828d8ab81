"""`POST /v1/responses` and `GET /v1/responses/{id}`: what is asked, and the whole answer.

Source: openai-python 3.52 types (read 2026-11).
"""

import json
from collections.abc import Iterable
from typing import Any

from typing_extensions import override

from entrypoints.simulator.answers import SimulatedAnswer
from entrypoints.simulator.apis.endpoint import Body, Failure, Refused, encoded, event, objects
from entrypoints.simulator.apis.openai_errors import OpenAIEndpoint
from entrypoints.simulator.apis.responses_stream import events_of
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.completion import CREATED
from entrypoints.simulator.error_bodies import error_body
from entrypoints.simulator.oddities import framed

_PART_TYPES = {"input_image": "image_url", "input_file": "file", "input_audio": "input_audio"}

_ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "safety_identifier",
    "service_tier",
    "user",
)

_DEFAULTS: dict[str, Any] = {
    "frequency_penalty": 0.0,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}

_UNSAID: dict[object, dict[str, Any]] = {"function": {"description": None, "parameters": None, "strict": True}}
"""What a tool is told back with where the request left it out."""


class Responses(OpenAIEndpoint):
    """A response and, unless `store` is false, a memory of it for `previous_response_id`."""

    @override
    def check(self) -> None:
        self.need("input")
        before = self.fields.get("previous_response_id")
        if before is not None and self._key(before) not in self.call.memory.responses:
            body = error_body(400, f"Previous response with id '{before}' not found.", "previous_response_not_found")
            body["error"]["param"] = "previous_response_id"
            raise Refused(Failure(400, body))

    def _key(self, identity: object) -> str:
        return f"{self.call.persona}/{identity}"

    @property
    def identity(self) -> str:
        """The id of the response."""
        return f"resp_sim{self.call.number}"

    @override
    def asked(self) -> dict[str, Any]:
        fields = self.fields
        given = fields["input"]
        items = [{"role": "user", "content": given}] if isinstance(given, str) else objects(given)
        messages = [*self.call.memory.responses.get(self._key(fields.get("previous_response_id")), [])]
        messages += [message for item in items for message in _messages_of(item)]
        if fields.get("instructions"):
            messages = [{"role": "system", "content": fields["instructions"]}, *messages]
        wanted = (fields.get("text") or {}).get("format") or {}
        choice = fields.get("tool_choice")
        return {
            "messages": messages,
            "max_tokens": fields.get("max_output_tokens"),
            "tools": [{"function": tool} for tool in objects(fields.get("tools")) if tool.get("type") == "function"],
            "tool_choice": {"function": {"name": choice.get("name")}} if isinstance(choice, dict) else choice,
            "response_format": {"type": wanted.get("type"), "json_schema": wanted},
        }

    def _remember(self, answer: SimulatedAnswer, response: dict[str, Any]) -> None:
        if self.fields.get("store") is not False:
            said = {"role": "assistant", "content": answer.text}
            messages = [m for m in self.request["messages"] if m.get("role") != "system"]
            self.call.memory.responses[self._key(self.identity)] = [*messages, said]
            self.call.memory.kept[self._key(self.identity)] = response

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        answer = self.answer(behaviour)
        response = self._response(answer)
        self._remember(answer, response)
        if self.fields.get("background") is True:  # whole by the time that it is asked for
            response = response | {"status": "queued", "output": [], "usage": None, "completed_at": None}
        return Body(encoded(response))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        answer = self.answer(behaviour)
        response = self._response(answer)
        self._remember(answer, response)
        values = events_of(response, answer)
        numbered = ({**value, "sequence_number": number} for number, value in enumerate(values))
        return framed([event(value, value["type"]) for value in numbered], behaviour.odd)

    def _response(self, answer: SimulatedAnswer) -> dict[str, Any]:
        cut = answer.finish_reason == "length"
        given = {name: self.fields[name] for name in _DEFAULTS if self.fields.get(name) is not None}
        body: dict[str, Any] = {
            "id": self.identity,
            "object": "response",
            "created_at": CREATED,
            "completed_at": None if cut else CREATED + 1,
            "status": "incomplete" if cut else "completed",
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "model": self.model,
            "output": self._output(answer, "incomplete" if cut else "completed"),
            "background": self.fields.get("background") is True,
            **{name: self.fields.get(name) for name in _ECHOED},
            **_DEFAULTS,
            **given,
        }
        body["reasoning"] = _DEFAULTS["reasoning"] | body["reasoning"]
        body["tools"] = [_UNSAID.get(tool.get("type"), {}) | tool for tool in objects(body["tools"])]
        body["service_tier"] = "default"
        body["usage"] = None if answer.usage is None else _usage_of(answer.usage)
        return body

    def _output(self, answer: SimulatedAnswer, status: str) -> list[dict[str, Any]]:
        number = self.call.number
        items: list[dict[str, Any]] = []
        if answer.reasoning is not None:
            summary = [{"type": "summary_text", "text": answer.reasoning}]
            thought: dict[str, Any] = {"id": f"rs_sim{number}", "type": "reasoning", "summary": summary}
            if "reasoning.encrypted_content" in (self.fields.get("include") or []):
                thought["encrypted_content"] = f"sealed-{number}"
            items.append(thought)
        if answer.refusal is not None:
            content: dict[str, Any] | None = {"type": "refusal", "refusal": answer.refusal}
        else:
            content = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        if not answer.tool_calls:
            message = {"id": f"msg_sim{number}", "type": "message", "status": status, "role": "assistant"}
            items.append({**message, "content": [content]})
        for index, call in enumerate(answer.tool_calls):
            item = {"id": f"fc_sim{number}_{index}", "type": "function_call", "status": "completed"}
            items.append({**item, "call_id": call["id"], "name": call["name"], "arguments": call["arguments"]})
        return items

    @override
    def error_block(self) -> bytes:
        given = {"type": "error", "code": "server_error", "message": "scripted error", "param": None}
        return event({**given, "sequence_number": 99}, "error")

    @override
    def broken_block(self) -> bytes:
        return b'event: response.output_text.delta\ndata: {"type": "response.output_te\n\n'


class KeptResponse(OpenAIEndpoint):
    """A response that was given before: to have again, whole or as events."""

    needs_model = False

    @property
    def _key(self) -> str:
        return f"{self.call.persona}/{self.call.captures['id']}"

    @property
    def kept(self) -> dict[str, Any]:
        """The response."""
        return self.call.memory.kept[self._key]

    @override
    def check(self) -> None:
        if self._key not in self.call.memory.kept:
            message = f"Response with id '{self.call.captures['id']}' not found."
            raise Refused(Failure(404, error_body(404, message, None)))

    @override
    def streams(self) -> bool:
        return self.call.query.get("stream") == "true"

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        return Body(encoded(self.kept))

    @override
    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        after = int(self.call.query.get("starting_after", "-1"))
        begun = self.kept | {"status": "in_progress", "output": [], "usage": None}
        values = [("response.created", begun), ("response.completed", self.kept)]
        numbered = [
            {"type": name, "response": shown, "sequence_number": number} for number, (name, shown) in enumerate(values)
        ]
        return [event(value, str(value["type"])) for value in numbered[after + 1 :]]


class DeletedResponse(KeptResponse):
    """Forgets it."""

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        del self.call.memory.kept[self._key]
        self.call.memory.responses.pop(self._key, None)
        return Body(encoded({"id": self.call.captures["id"], "object": "response", "deleted": True}))


class CancelledResponse(KeptResponse):
    """Stops what is made in the background, and refuses to stop anything else."""

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        if not self.kept["background"]:
            self.refuse("Cannot cancel a synchronous response.", None)
        self.call.memory.kept[self._key] = self.kept | {"status": "cancelled"}
        return Body(encoded(self.kept))


class InputItems(KeptResponse):
    """What it was made from: one message for each of the conversation."""

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        asked = self.call.memory.responses[self._key][:-1]
        items = [
            {
                "id": f"msg_{number}",
                "type": "message",
                "role": message["role"],
                "content": [{"type": "input_text", "text": str(message["content"])}],
            }
            for number, message in enumerate(asked)
        ][: int(self.call.query.get("limit", "20"))]
        ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {}
        return Body(encoded({"object": "list", "data": items, "has_more": len(items) < len(asked), **ends}))


class InputTokens(Responses):
    """Counts what a response would read."""

    @override
    def plain(self, behaviour: Behaviour) -> Body:
        usage = self.answer(behaviour).usage or {"prompt_tokens": 0}
        return Body(encoded({"object": "response.input_tokens", "input_tokens": usage["prompt_tokens"]}))


def _messages_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """An input item in chat's words; items that say nothing give none."""
    match item.get("type", "message"):
        case "message":
            return [{"role": item.get("role", "user"), "content": _content_of(item.get("content"))}]
        case "function_call_output" | "custom_tool_call_output":
            return [{"role": "tool", "content": _content_of(item.get("output"))}]
        case "function_call":
            return [{"role": "assistant", "content": json.dumps(item.get("arguments"))}]
        case _:
            return []


def _content_of(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    parts = objects(content)
    return [part if "text" in part else {"type": _PART_TYPES.get(part.get("type", ""), "other")} for part in parts]


def _usage_of(usage: dict[str, Any]) -> dict[str, Any]:
    before, after = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    read = {"cached_tokens": before["cached_tokens"], "cache_write_tokens": before["cache_write_tokens"]}
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": read,
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": after["reasoning_tokens"]},
        "total_tokens": usage["total_tokens"],
    }
