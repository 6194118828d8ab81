"""How an error is written down for the client: each ingress's API has a shape of its own, decided in one place."""

from typing import Protocol

import msgspec
from typing_extensions import override

from entrypoints.http.errors import ErrorAnswer

_encode = msgspec.json.Encoder().encode


class ErrorStyle(Protocol):
    """Writes errors as one API's clients read them. `ping` is what keeps a silent stream alive for them."""

    ping: bytes

    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        """The status and the JSON body of an answer that is an error."""
        ...

    def event(self, answer: ErrorAnswer, request_id: str) -> bytes:
        """The last server-sent event of a stream that had begun."""
        ...


class OpenAIErrors(ErrorStyle):
    """Contract section 6. OpenAI's SDKs raise on a `data` line whose object has `error`."""

    ping = b": ping\n\n"

    @override
    def plain(self, answer: ErrorAnswer, request_id: str) -> tuple[int, bytes]:
        return answer.status, answer.body(request_id)

    @override
    def event(self, answer: ErrorAnswer, request_id: str) -> bytes:
        return b"data: " + _encode({"error": answer.error}) + b"\n\n"


OPENAI_ERRORS = OpenAIErrors()
