"""`POST /v1/messages` and `POST /v1/messages/count_tokens`: Anthropic's API, in front of every provider."""

from typing import Literal

import msgspec
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example

from application.inference.calls import MESSAGES, TOKEN_COUNTS
from domain.messages import MessageAnswer, MessagesRequest, TokenCount, TokenCountRequest
from entrypoints.http.error_styles import ANTHROPIC_ERRORS
from entrypoints.http.errors import ERRORS, ErrorAnswer, ErrorBody, ErrorDetail
from entrypoints.http.inference.json_body import JsonBody
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import Serving

_FORWARDED = frozenset({b"anthropic-version", b"anthropic-beta"})
"""Headers that an Anthropic upstream may see (S-24)."""

create_message = Serving(
    decode=JsonBody(MessagesRequest), answering=MESSAGES, streaming=MESSAGES, client_headers=_FORWARDED
)
count_tokens = Serving(
    decode=JsonBody[MessagesRequest](TokenCountRequest), answering=TOKEN_COUNTS, client_headers=_FORWARDED
)


class MessagesErrorDetail(msgspec.Struct):
    """What went wrong, in Anthropic's words."""

    type: str
    message: str
    details: dict[str, str] | None = None


class MessagesErrorBody(msgspec.Struct):
    """The body of every error, as Anthropic's clients read it."""

    error: MessagesErrorDetail
    type: Literal["error"] = "error"
    request_id: str = ""


def _errors() -> dict[int, ResponseSpec]:
    """The error answers of these routes, for OpenAPI: what other routes answer, in Anthropic's shape."""
    specs = {}
    for status, spec in ERRORS.items():
        body = msgspec.convert(spec.examples[0].value, ErrorBody) if spec.examples else ErrorBody(ErrorDetail("", ""))
        shown_status, shown = ANTHROPIC_ERRORS.plain(ErrorAnswer(status, body.error), body.request_id)
        value = msgspec.json.decode(shown)
        examples = [Example(summary=value["error"]["type"], value=value)]
        specs[shown_status] = ResponseSpec(
            MessagesErrorBody, generate_examples=False, description=spec.description, examples=examples
        )
    return specs


_ERRORS = _errors()

_EXAMPLE = {
    "model": "auto",
    "max_tokens": 64,
    "system": "You are brief.",
    "messages": [{"role": "user", "content": "Name a prime above ten."}],
}

MESSAGES_ROUTE = InferenceRoute(
    path="/v1/messages",
    method="POST",
    operation_id="createMessage",
    tag="Messages",
    summary="Create a message",
    description=(
        "Anthropic's Messages API, served by whichever provider can: over chat where a provider has no such API. "
        "With `stream: true` the answer is a stream of server-sent events, `message_stop` last. Both "
        "`anthropic-version`s are taken. Errors have Anthropic's shape: `type`, `error.type`, `error.message`, "
        "`request_id`."
    ),
    handler=create_message,
    request=MessagesRequest,
    request_example=_EXAMPLE,
    response=MessageAnswer,
    response_example={
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "gpt-oss-120b",
        "content": [{"type": "text", "text": "11"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 21,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    },
    streams=True,
    stream_example=(
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
        '"role":"assistant","model":"gpt-oss-120b","content":[],"stop_reason":null,"stop_sequence":null,'
        '"usage":{"input_tokens":0,"output_tokens":0}}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    ),
    error_style=ANTHROPIC_ERRORS,
    errors=_ERRORS,
)

COUNT_TOKENS_ROUTE = InferenceRoute(
    path="/v1/messages/count_tokens",
    method="POST",
    operation_id="countMessageTokens",
    tag="Messages",
    summary="Count a message's input tokens",
    description=(
        "Asked of a provider that counts, else estimated here. It costs nothing and counts as no tokens in the usage."
    ),
    handler=count_tokens,
    request=MessagesRequest,
    request_example={name: value for name, value in _EXAMPLE.items() if name != "max_tokens"},
    response=TokenCount,
    response_example={"input_tokens": 21},
    error_style=ANTHROPIC_ERRORS,
    errors=_ERRORS,
)
