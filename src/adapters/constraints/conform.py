"""The one step between a request and a target: every outgoing conversation is made to follow the target's row.

A chat is looked at here, typed as it is, and edited only where something is amiss: what follows its row goes on as the
bytes it came in, and a plain one costs next to nothing.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar, cast

import msgspec

from adapters.constraints.changes import Changes, misfit
from adapters.constraints.chat import TOP_MARKS, edited_chat
from adapters.constraints.media import is_odd_data_url
from adapters.constraints.messages import conform_messages, known_betas
from adapters.constraints.responses import conform_responses, owner_mark
from adapters.constraints.rules import PLAIN, Constraints, Target
from adapters.wire.billing import is_billed
from adapters.wire.sift import keep_strict
from adapters.wire.tool_schemas import is_plain_object
from domain.chat import ChatRequest, ContentPart, Message, Tool, ToolCall
from domain.inference import InferenceRequest
from domain.messages import MessagesRequest
from domain.payload import Payload
from domain.responses import ResponsesRequest

R = TypeVar("R", bound=InferenceRequest)
Headers = tuple[tuple[str, str], ...]

_INSTRUCTING: Final = frozenset({"system", "developer"})
_TALKING: Final = frozenset({"user", "assistant"})
_BEFORE_A_USER: Final = frozenset({"", "system", "developer"})
_HEAD_BYTES: Final = 64  # of a file, where a data URL tells its type
_IN_MESSAGES: Final = frozenset({"system", "messages"})

_encode = msgspec.json.Encoder().encode


class Conformed(msgspec.Struct, Generic[R], frozen=True):
    """What is sent instead. `dropped` are the names of what was left out; `changes` is to be undone in the answer."""

    payload: Payload[R]
    headers: Headers
    dropped: tuple[str, ...] = ()
    changes: Changes | None = None


class Conformer:
    """Makes requests to one provider follow its row, or that of the model's family there."""

    def __init__(self, target: Target, provider_id: str) -> None:
        self._row = target.row
        self._families = tuple((re.compile(pattern), row) for pattern, row in target.families)
        self._provider_id = provider_id

    def conform(self, payload: Payload[R], model: str, headers: Headers, *, strict: bool) -> Conformed[R]:
        """The payload itself where it follows the row.

        Raises `UNSUPPORTED` for what would change its meaning, and where a strict key would lose something.
        """
        row, value = self.row_of(model), payload.value
        amiss: frozenset[str] = frozenset()
        if isinstance(value, ChatRequest):
            amiss = amiss if row is PLAIN else chat_amiss(value, payload.fields, row)
            if not amiss:
                return Conformed(payload, headers)
        lost: set[str] = set()
        changes = Changes(owner_mark(self._provider_id)) if isinstance(value, ResponsesRequest) else Changes()
        fit: Payload[Any] = payload
        if isinstance(value, ChatRequest):
            fit = edited_chat(cast(Payload[ChatRequest], payload), row, changes, lost, amiss)
        elif isinstance(value, MessagesRequest):
            headers = known_betas(row, headers)
            fit = conform_messages(cast(Payload[MessagesRequest], payload), row, headers, changes, lost)
        elif isinstance(value, ResponsesRequest):
            fit = conform_responses(cast(Payload[ResponsesRequest], payload), row, self._provider_id, changes, lost)
        return Conformed(fit, headers, keep_strict(lost, strict=strict) if lost else (), changes or None)

    def row_of(self, model: str) -> Constraints:
        """The row that holds for one model."""
        if self._families:
            name = model.lower()
            for pattern, row in self._families:
                if pattern.search(name):
                    return row
        return self._row


def chat_amiss(request: ChatRequest, fields: dict[str, msgspec.Raw], row: Constraints) -> frozenset[str]:
    """The fields that do not follow the row."""
    amiss = set()
    if _messages_amiss(request.messages, fields["messages"], row):
        amiss.add("messages")
    if request.tools:
        if _tools_amiss(request.tools, fields["tools"], row):
            amiss.add("tools")
        if isinstance(request.tool_choice, dict) and Changes().names_in(
            msgspec.json.decode(_encode(request.tool_choice)), row.tool_names
        ):
            amiss.add("tool_choice")
    if _IN_MESSAGES.isdisjoint(row.cache_marks):
        amiss |= TOP_MARKS & fields.keys()
    return frozenset(amiss)


def _messages_amiss(messages: Sequence[Message], raw: msgspec.Raw, row: Constraints) -> bool:
    previous = ""
    calls: list[ToolCall] = []
    answered: list[str | None] = []
    for index, message in enumerate(messages):
        role = message.role
        if role in _INSTRUCTING:
            if index and row.systems == "first":
                return True
            if row.billing_line == "removed" and is_billed(_first_text(message)):
                return True
        elif row.equal_roles == "merged" and (
            (role == previous and role in _TALKING) or (role == "assistant" and previous in _BEFORE_A_USER)
        ):
            return True
        if role == "user" and previous == "tool" and row.after_tool == "assistant":
            return True
        if _content_amiss(message, row):
            return True
        if message.tool_calls:
            calls += message.tool_calls
        elif role == "tool":
            answered.append(message.tool_call_id)
        previous = role
    if calls or answered:
        if misfit((*(call.id for call in calls), *answered), row.call_ids):
            return True
        if misfit((call.function.name for call in calls if call.function is not None), row.tool_names):
            return True
    unmarked = not row.cache_marks.issuperset(_IN_MESSAGES)
    if not unmarked and row.foreign_thoughts == "kept":
        return False
    text = bytes(raw)
    return (unmarked and b'"cache_control"' in text) or (
        row.foreign_thoughts == "removed" and b'"extra_content"' in text
    )


def _content_amiss(message: Message, row: Constraints) -> bool:
    content = message.content
    if isinstance(content, str):
        return row.empty == "filled" and (not content or content.isspace()) and not message.tool_calls
    if content is None:
        return (row.empty == "filled" and not message.tool_calls) or row.texts == "strings"
    if row.texts == "strings" and all(part.type == "text" for part in content):
        return True
    if row.empty == "filled" and (not content or any(_is_blank(part) for part in content)):
        return True
    return row.image_types == "registered" and any(_is_odd(part) for part in content)


def _first_text(message: Message) -> str:
    content = message.content
    return content if isinstance(content, str) else next((part.text or "" for part in content or ()), "")


def _is_blank(part: ContentPart) -> bool:
    return part.type == "text" and (not part.text or part.text.isspace())


def _is_odd(part: ContentPart) -> bool:
    if part.file is not None and "file_data" in part.file:
        return is_odd_data_url(bytes(memoryview(part.file["file_data"])[1:_HEAD_BYTES]).decode(errors="replace"))
    return part.image_url is not None and is_odd_data_url(part.image_url.url)


def _tools_amiss(tools: Sequence[Tool], raw: msgspec.Raw, row: Constraints) -> bool:
    if misfit((tool.function.name for tool in tools if tool.function is not None), row.tool_names):
        return True
    named = row.tool_schemas == "properties"
    if row.tool_schemas != "any" and any(
        tool.function is not None and not is_plain_object(tool.function.parameters, properties=named) for tool in tools
    ):
        return True
    return "tools" not in row.cache_marks and b'"cache_control"' in bytes(raw)
