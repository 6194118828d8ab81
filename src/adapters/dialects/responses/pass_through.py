"""OpenAI's Responses at an upstream that has them: passed through, both ways."""

import re
from collections.abc import Iterable
from typing import Final

from adapters.dialects.responses.answer import Facts, read_native
from adapters.dialects.responses.replay import response_replay
from adapters.dialects.responses.request import encode_native
from adapters.dialects.responses.stream import NativeStreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.error_body import read_error
from adapters.wire.errors import RefusalTable, failure_from_answer
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.replay import Replay
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from domain.responses import ResponsesRequest

NO_RESPONSES: Final = "endpoint_not_supported"
"""The code of a server that turns out to be older than the API."""

_NO_ADDRESS = re.compile(
    r"\s*(?:(?:404 )?(?:file |page |resource )?not found|method not allowed|unexpected endpoint\b.*"
    r"|invalid url\b.*|cannot post\b.*|no route\b.*|unknown (?:request )?(?:url|endpoint|path|route)\b.*)?[.!]?\s*",
    re.IGNORECASE | re.DOTALL,
)

CODEX_ONLY: Final = ("client_metadata",)
"""What Codex tells OpenAI of itself, and no other upstream knows."""


class ResponsesPassThrough:
    """One upstream's Responses. `provider_id` is told by the ids of what it keeps.

    `silent` are fields left out without a word, `drop` those that an operator, or the upstream's row, has left out
    and reported.
    """

    stream_types = frozenset({"text/event-stream"})

    def __init__(
        self,
        provider_id: str,
        refusals: RefusalTable,
        *,
        drop: Iterable[str] = (),
        silent: Iterable[str] = CODEX_ONLY,
    ) -> None:
        self._provider_id = provider_id
        self._refusals = refusals
        self._drop = frozenset(drop)
        self._silent = frozenset(silent)

    def encode(self, call: DialectCall[ResponsesRequest], *, stream: bool) -> Encoded:
        return encode_native(
            call.payload,
            call.model,
            self._provider_id,
            stream=stream,
            strict=call.strict,
            silent=self._silent,
            drop=self._drop,
        )

    def read(self, body: bytes, call: DialectCall[ResponsesRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_native(body, self._facts(call))

    def decoder(self, call: DialectCall[ResponsesRequest], content_type: str) -> NativeStreamDecoder:  # noqa: ARG002 - events
        return NativeStreamDecoder(self._facts(call))

    def replay(self, answer: PlainAnswer, call: DialectCall[ResponsesRequest]) -> Replay:  # noqa: ARG002 - a `Dialect`
        return response_replay(answer)

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ResponsesRequest]
    ) -> UpstreamFailure:
        if status in {404, 405} and _is_no_address(body):
            return UpstreamFailure(
                FailureKind.UNSUPPORTED,
                "This provider has no Responses API at its address.",
                status=400,
                type_="invalid_request_error",
                code=NO_RESPONSES,
                param="model",
            )
        return failure_from_answer(status, headers, body, self._refusals, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        table = self._refusals.limits
        return read_limits(headers, table, now, by_model=self._refusals.limits_by_model) if table else ()

    def _facts(self, call: DialectCall[ResponsesRequest]) -> Facts:
        return Facts(self._provider_id, call.model, self._refusals, call.secret, call.now(), call.owner_key)


def _is_no_address(body: bytes) -> bool:
    """Whether a 404 speaks of no model, response or item: the server knows no such path.

    Source: FastAPI (vLLM), llama.cpp, LM Studio, Ollama and OpenAI for unknown paths (2026-11).
    """
    facts = read_error(body)
    return facts.param is None and _NO_ADDRESS.fullmatch(facts.message) is not None
