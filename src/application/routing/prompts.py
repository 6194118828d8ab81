"""What routing reads of a request, whichever API it came by: what is asked for, and which conversation it goes on."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from domain.chat import ChatRequest
from domain.generate_content import GenerateContentRequest, given
from domain.inference import InferenceRequest, Json
from domain.messages import MessageParam, MessagesRequest
from domain.ports.routing import RoutingQuestion
from domain.responses import ResponsesRequest
from domain.tasks import Prompt

_LAST_TEXTS = 4_096
"""Characters of a text that are looked at; the rest of a long one is material."""


class Conversation(msgspec.Struct, frozen=True):
    """Where a request stands in its conversation.

    `id` is the same for all requests of one conversation of one key, and no text can be read off it. `in_tool_loop`:
    the request answers a tool call. `signed`: the history holds thinking or reasoning that only who made it can read.
    `has_tools`: the answer may be a call.
    """

    id: str
    in_tool_loop: bool
    signed: bool
    has_tools: bool = False


class Turns(msgspec.Struct, frozen=True):
    """How many messages a request has, and how many that one had whose answer it goes on from; 0 for the first."""

    all: int
    before: int


class _Block(msgspec.Struct):
    type: str = ""
    text: str = ""
    role: str = ""
    content: str | list[Json] | None = None


class _ContentPart(msgspec.Struct, rename="camel"):
    text: str = ""
    function_response: Json = Json(b"null")


class _Content(msgspec.Struct):
    """Of Google's conversations."""

    role: str | None = None
    parts: list[_ContentPart] = []

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def is_result(self) -> bool:
        return any(bytes(part.function_response) != b"null" for part in self.parts)


_read_content = msgspec.json.Decoder(_Content).decode
_read_block = msgspec.json.Decoder(_Block).decode


def prompt_of(request: InferenceRequest) -> Prompt:
    """What a person asked for last. Tolerant: what cannot be read is no text."""
    if isinstance(request, ChatRequest):
        last = request.messages[-1]
        asked = next((m for m in reversed(request.messages) if m.role == "user"), last)
        return Prompt(_text_of(asked.content), bool(request.tools or request.functions), last.role in _TOOL_ROLES)
    if isinstance(request, MessagesRequest):
        asked_of = next((m for m in reversed(request.messages) if m.role == "user"), request.messages[-1])
        return Prompt(_text_of(asked_of.content), bool(request.tools), _is_tool_result(request.messages[-1]))
    if isinstance(request, ResponsesRequest):
        if not isinstance(request.input, list):
            return Prompt((request.input or "")[:_LAST_TEXTS], bool(request.tools))
        blocks = [_block(item) for item in request.input[-8:]]
        user = next((block for block in reversed(blocks) if block.role == "user"), _Block())
        after_tool = bool(blocks) and blocks[-1].type.endswith("_output")
        return Prompt(_text_of(user.content), bool(request.tools), after_tool)
    if isinstance(request, GenerateContentRequest):
        contents = [_content(raw) for raw in request.contents[-8:]]
        person = next((each for each in reversed(contents) if each.role != "model"), _Content())
        return Prompt(person.text, bool(request.tools), contents[-1].is_result)
    return Prompt(next(iter(request.prompt_texts()), "")[:_LAST_TEXTS])


def conversation_of(question: RoutingQuestion) -> Conversation:
    """By the client's session where it names one, else by how the conversation began: what a cached prefix is, too."""
    request, principal = question.request, question.principal
    digest = hashlib.blake2b(digest_size=16)
    owner = (principal.tenant_id, principal.key_id or principal.user_id or "") if principal is not None else ("", "")
    for part in (*owner, question.endpoint, *_beginning(question)):
        digest.update(part.encode(errors="surrogatepass") + b"\0")
    prompt = prompt_of(request)
    return Conversation(digest.hexdigest(), prompt.after_tool, _is_signed(question.fields), prompt.tools)


def turns_of(request: InferenceRequest) -> Turns:
    """Read from the end, as far as the last answer reaches: histories are long."""
    if isinstance(request, ChatRequest):
        chat = request.messages
        return _turns(len(chat), lambda place: chat[place].role == "assistant")
    if isinstance(request, MessagesRequest):
        messages = request.messages
        return _turns(len(messages), lambda place: messages[place].role == "assistant")
    if isinstance(request, ResponsesRequest) and isinstance(request.input, list):
        items = request.input
        return _turns(len(items), lambda place: _is_output(_block(items[place])))
    if isinstance(request, GenerateContentRequest):
        contents = request.contents
        return _turns(len(contents), lambda place: _content(contents[place]).role == "model")
    return Turns(1, 0)


_LAST_MESSAGES: Final = 1_000
"""Messages that are looked at for the last answer: whoever sends more behind it is no agent."""


def _turns(count: int, is_answer: Callable[[int], bool]) -> Turns:
    place, least = count, max(0, count - _LAST_MESSAGES)
    while place > least and not is_answer(place - 1):
        place -= 1
    while place > least and is_answer(place - 1):
        place -= 1
    return Turns(count, place if place > least or not least else 0)


_ASKED_FOR: Final = frozenset({"", "message", "mcp_approval_response", "item_reference"})


def _is_output(item: _Block) -> bool:
    """Whether a model made it: its messages, its reasoning and its calls."""
    if item.role:
        return item.role == "assistant"
    return item.type not in _ASKED_FOR and not item.type.endswith("_output")


_TOOL_ROLES = frozenset({"tool", "function"})


def _beginning(question: RoutingQuestion) -> Sequence[str]:
    if question.attribution.session:
        return ("session", question.attribution.session)
    request = question.request
    if isinstance(request, ChatRequest):
        texts = []
        for message in request.messages:
            texts.append(f"{message.role}:{_text_of(message.content)}")
            if message.role == "user":
                break
        return texts
    if isinstance(request, MessagesRequest):
        return [_text_of(request.system), _text_of(request.messages[0].content)]
    if isinstance(request, ResponsesRequest):
        first = request.input if isinstance(request.input, str) else bytes(request.input[0]) if request.input else ""
        return [request.instructions or "", first if isinstance(first, str) else first.decode(errors="replace")]
    if isinstance(request, GenerateContentRequest):
        return [_content(given(request.system_instruction) or Json(b"{}")).text, _content(request.contents[0]).text]
    return list(request.prompt_texts())[:1]


_SIGNED: Final[Mapping[str, tuple[bytes, ...]]] = {
    "messages": (
        b'"thinking_blocks"',  # of a chat's assistant: Anthropic's, signed
        b'"reasoning_details"',  # OpenRouter's, some of it encrypted
        b'"extra_content"',  # of a call: Gemini's signature
        b'"redacted_thinking"',
        b'"signature"',
    ),
    "input": (b'"encrypted_content"',),
    "contents": (b'"thoughtSignature"',),
}
"""Names that the history has where it holds what is signed. A text cannot have them: its quotes are escaped."""


def _is_signed(fields: Mapping[str, Json]) -> bool:
    for field, names in _SIGNED.items():
        history = bytes(fields[field]) if field in fields else b""
        if any(name in history for name in names):
            return True
    return False


def _is_tool_result(message: MessageParam) -> bool:
    return not isinstance(message.content, str) and any(
        _block(block).type == "tool_result" for block in message.content
    )


def _text_of(content: object) -> str:
    """The texts of a message's content, be it text, parts or blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (
        _block(part).text if isinstance(part, msgspec.Raw) else getattr(part, "text", None) or "" for part in content
    )
    return "\n".join(filter(None, texts))


def _content(raw: Json) -> _Content:
    try:
        return _read_content(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Content()


def _block(raw: Json) -> _Block:
    try:
        return _read_block(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Block()
