"""What every wire format of the simulator has: how a request is read, and how answers and errors are written."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

import msgspec

from entrypoints.simulator.answers import SimulatedAnswer, answer_to
from entrypoints.simulator.behaviour import Behaviour
from entrypoints.simulator.script import ListedModel

EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"

_ENDLESS_WORDS = 100_000


class Memory(msgspec.Struct):
    """What the simulator remembers between requests, of all personas."""

    responses: dict[str, list[dict[str, Any]]] = {}  # by persona and id: the messages so far
    kept: dict[str, dict[str, Any]] = {}  # by persona and id: the response itself
    tokens: set[str] = set()  # bearers that the token endpoint gave out


class Call(msgspec.Struct, frozen=True):
    """One request as it came in. `captures` are the named parts of its path, header names are in lower case."""

    number: int
    method: str
    path: str
    persona: str
    captures: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    fields: dict[str, Any]
    credential: str
    listed: tuple[ListedModel, ...]
    memory: Memory


class Body(msgspec.Struct, frozen=True):
    """A whole body, ready to be sent."""

    content: bytes
    content_type: str = JSON


class Failure(msgspec.Struct, frozen=True):
    """An error answer in one API's words. A text body is sent as it is."""

    status: int
    body: Any
    headers: dict[str, str] = {}


class Refused(Exception):
    """The request is not one that this API accepts. Raised before the status line is sent."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.status)
        self.failure = failure


class Endpoint:
    """One endpoint of one API, for one request. Subclasses say what differs; `check` is called before all else."""

    needs_model: ClassVar[bool] = True

    def __init__(self, call: Call) -> None:
        self.call = call

    @property
    def fields(self) -> dict[str, Any]:
        """The request's JSON object, empty where it is none."""
        return self.call.fields

    @property
    def stream_type(self) -> str:
        """The content type of a stream."""
        return EVENT_STREAM

    @property
    def model(self) -> str:
        """The model that was asked for, or empty."""
        given = self.fields.get("model")
        return given if isinstance(given, str) else ""

    def check(self) -> None:
        """Raise `Refused` where the real API would."""

    def asked(self) -> dict[str, Any]:
        """The request in the words of OpenAI chat, as far as answers depend on it."""
        return self.fields

    @cached_property
    def request(self) -> dict[str, Any]:
        """`asked`, once."""
        return self.asked()

    def answer(self, behaviour: Behaviour) -> SimulatedAnswer:
        """What to say."""
        return answer_to(self.request, behaviour, self.fields)

    def streams(self) -> bool:
        """Whether a stream was asked for."""
        return self.fields.get("stream") is True

    def plain(self, behaviour: Behaviour) -> Body:
        """The whole answer."""
        raise NotImplementedError(self.call.path)

    def blocks(self, behaviour: Behaviour) -> Iterable[bytes]:
        """The stream, a block an event."""
        raise NotImplementedError(self.call.path)

    def endless(self, behaviour: Behaviour) -> Iterator[bytes]:
        """A stream of words with no end worth waiting for."""
        yield from self.blocks(msgspec.structs.replace(behaviour, words=_ENDLESS_WORDS))

    def failure(
        self,
        status: int,
        message: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Failure:
        """An error in this API's words; `code` is one of OpenAI's codes, `headers` may hold a `retry-after`."""
        raise NotImplementedError(self.call.path)

    def headers(self) -> dict[str, str]:
        """What this API sends with every answer, in lower case."""
        return {}

    def unauthorized(self) -> Failure:
        """No key, or a wrong one."""
        return self.failure(401)

    def error_block(self) -> bytes:
        """An error inside a stream."""
        return event(self.failure(500, "scripted error").body)

    def broken_block(self) -> bytes:
        """An event that is no JSON, and the end."""
        return b'data: {"choices": [{"delta": {"cont\n\n'


def encoded(value: object) -> bytes:
    """JSON as it is sent."""
    return json.dumps(value, ensure_ascii=False).encode()


def event(value: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + encoded(value) + b"\n\n"


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list, and nothing where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def halves(text: str) -> Iterator[str]:
    """A text in two parts, the empty ones left out."""
    half = (len(text) + 1) // 2
    yield from (part for part in (text[:half], text[half:]) if part)
