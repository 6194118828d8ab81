"""Errors in the middle of a stream of response events, as clients of OpenAI's Responses read them."""

import msgspec
from typing_extensions import override

from entrypoints.http.error_styles import OpenAIErrors
from entrypoints.http.errors import ErrorAnswer

_encode = msgspec.json.Encoder().encode


class ResponsesErrors(OpenAIErrors):
    """Before the stream, as everywhere. In it one `error` event, in both forms that clients know.

    The facts stand at the top as OpenAI's types have them, and under `error` as its servers send them: openai-python
    and openai-node raise on the second, Vercel's AI SDK reads either (2026-11). Codex takes a stream that ends
    without `response.completed` as broken, and asks again.
    """

    @override
    def event(self, answer: ErrorAnswer, request_id: str, events_before: int = 0) -> bytes:
        error = answer.error
        code = error.code or error.type
        facts = {
            "type": "error",
            "sequence_number": events_before,
            "code": code,
            "message": error.message,
            "param": error.param,
            "error": {"type": error.type, "code": code, "message": error.message, "param": error.param},
        }
        return b"event: error\ndata: " + _encode(facts) + b"\n\n"


RESPONSES_ERRORS = ResponsesErrors()
