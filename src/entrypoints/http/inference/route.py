"""One definition an inference route: what serves it and what OpenAPI says of it stand in one place."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from litestar.openapi import ResponseSpec

from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.error_styles import OPENAI_ERRORS, ErrorStyle
from entrypoints.http.errors import ERRORS

InferenceHandler = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceRoute:
    """A route that the edge serves, where `pinned` also under `/{provider}`.

    `path` may end with `/{name}`, which takes the rest of the path, slashes included; what stands behind the brace is
    how that rest has to end.
    `handler` authenticates, reads and answers by itself; what it raises becomes the error answer.
    """

    path: str
    method: Literal["GET", "POST", "DELETE"]
    operation_id: str
    tag: str
    summary: str
    description: str
    handler: InferenceHandler
    response: type
    response_example: object
    request: type | None = None
    request_example: object = None
    query: Mapping[str, str] = field(default_factory=dict)  # parameters of the address, and what they mean
    request_type: str = "application/json"
    response_type: str = "application/json"
    pinned: bool = True  # also served under `/{provider}`
    status: int = 200  # of an answer that is no error
    streams: bool = False  # may answer with server-sent events instead
    stream_example: str = ""  # the beginning and the end of such a stream, where it is not a chat's
    error_style: ErrorStyle = OPENAI_ERRORS
    errors: Mapping[int, ResponseSpec] = field(default_factory=lambda: ERRORS)

    @property
    def prefix(self) -> str | None:
        """What stands before the rest of the path, None for a route that takes none."""
        head, brace, _ = self.path.partition("{")
        return head if brace else None

    @property
    def suffix(self) -> str:
        """What stands behind the rest of the path."""
        return self.path.partition("}")[2]
