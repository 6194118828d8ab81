"""One behaviour: everything the simulator can be scripted to do with one request."""

from typing import Any, Literal

import msgspec

from entrypoints.simulator.errors import ScriptInvalid

Fault = Literal[
    "silent",  # reads the request and never answers
    "reset",  # RST: before the headers, or with `after_chunks` in the middle of the body
    "cut",  # FIN in the middle of the body, without its end
    "stall",  # stops in the middle of the body and leaves the connection open
    "end",  # a stream that ends cleanly after `after_chunks` chunks: no finish chunk, no [DONE]
    "error_event",  # an error event after `after_chunks` chunks; plain: a 200 whose body is an error
    "bad_json",  # an event that is no JSON after `after_chunks` chunks; plain: half an object
    "split_utf8",  # every multi-byte character is split between two writes
    "leak_key",  # an error body that repeats the credential it was sent
]

Oddity = Literal[
    "comment",
    "id-field",
    "event-only",
    "event-message",
    "no-done",
    "no-finish",
    "crlf",
    "no-space",
    "multi-line",
    "bom",
    "error-null",
    "error-string",
    "usage-then-more",
    "usage-every-chunk",
    "role-repeat",
    "no-role",
    "empty-choices-first",
    "content-null",
    "finish-twice",
    "tool-repeat",
    "tool-no-index",
    "tool-index-1",
    "tool-dict-args",
    "one-write",
    "byte-by-byte",
]


class ScriptedToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call to answer with. `arguments` is a JSON value, or a string that is sent as it is."""

    name: str
    arguments: Any = {}
    id: str | None = None


class ScriptedUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Token counts to report instead of the counted words."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0  # of the written ones, those kept for an hour


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What to do with one request. The default repeats the last user message.

    `after_chunks` counts `chat.completion.chunk` events, 0 where it is absent; the first one carries the
    role and no text. A plain body breaks in its middle, or after no byte where it is given as 0. All
    delays are milliseconds: `delay_ms` before the status line, `first_chunk_delay_ms` between the headers
    and the body, `chunk_delay_ms` before each further event of a stream. `after_bytes` is the same for
    `cut`, `reset`, `stall` and `end`, counted in bytes of the body.
    """

    status: int = 200
    headers: dict[str, str] = {}
    body: Any = None  # sent as it is: a string as text, anything else as JSON
    pad_bytes: int = 0  # spaces added to `body`, to make it as long as one likes
    error_code: str | None = None  # one of OpenAI's error codes, said in the words of the API that was called
    compress: bool = False  # gzip the padded body whatever the client accepts
    reply: str | None = None  # the answer's text
    echo: Literal["last", "system", "request"] = "last"  # what is repeated where no text is scripted
    words: int | None = None  # or this many numbered words
    endless: bool = False  # a stream of words that only ends when the client leaves
    chunks: tuple[str, ...] | None = None  # the answer's text, cut like this when streamed
    events: tuple[Any, ...] | None = None  # sent as they are: a string as an SSE block, anything else as `data:`
    tool_calls: tuple[ScriptedToolCall, ...] | None = None
    tools: Literal["first", "all"] | None = None  # call the tools that the request declares
    json_answer: bool = False  # an instance of the requested JSON schema
    plain: bool = False  # a JSON body even where a stream was asked for
    reasoning: str | None = None
    refusal: str | None = None  # the model declines, with this explanation
    floats_only: bool = False  # embeddings are lists of numbers, whatever was asked
    usage: ScriptedUsage | Literal[False] | None = None  # False: none, whatever was asked
    finish_reason: str | None = None
    delay_ms: float = 0
    first_chunk_delay_ms: float = 0
    chunk_delay_ms: float = 0
    fault: Fault | None = None
    after_chunks: int | None = None
    after_bytes: int | None = None
    odd: Oddity | None = None
    times: int = 1  # how many requests it serves; the last of a list serves all that follow


def behaviour_from(value: object) -> Behaviour:
    """Convert decoded JSON or YAML. Raises `ScriptInvalid` with the field's path inside `value`."""
    try:
        behaviour = msgspec.convert(value, Behaviour)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise ScriptInvalid(message, path.rstrip("`")) from error
    if not 200 <= behaviour.status <= 599:
        raise ScriptInvalid(f"a status is 200 to 599, not {behaviour.status}", ".status")
    if behaviour.times < 1:
        raise ScriptInvalid(f"a behaviour serves at least one request, not {behaviour.times}", ".times")
    return behaviour
