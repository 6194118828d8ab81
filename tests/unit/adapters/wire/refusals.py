"""The table of refusals: real bodies of providers, one a line, and what each means (contract 7).

`refusals.jsonl` holds them: `provider` (a preset, a kind, or `custom` for an unknown server), `status`, `headers`,
`body` (JSON, or a text), and what is expected: `kind`, `scope`, `wait` in seconds from `NOW` where the answer names or
implies one. `stream` is the kind where the same body is told inside a stream that answered 200 and the status was what
decided. `held` marks bodies that were kept back while the rules were written. A new case is one more line.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from adapters.dialects.anthropic import errors as anthropic
from adapters.dialects.bedrock.errors import failure_from_bedrock, failure_in_event
from adapters.dialects.cohere import errors as cohere
from adapters.dialects.gemini.errors import REFUSALS as GOOGLE
from adapters.dialects.ollama.errors import failure_from_ollama, reported_failure
from adapters.providers.kinds import ENTRIES
from adapters.wire.errors import RefusalTable, failure_from_answer, failure_in_body, failure_in_stream
from domain.errors import UpstreamFailure
from tests.unit.adapters.dialects.openai.samples import NOW, SECRET


class Refusal(msgspec.Struct, frozen=True):
    """One line of the table."""

    provider: str
    status: int
    body: Any
    kind: str
    scope: str
    headers: dict[str, str] = {}
    wait: float | None = None
    stream: str | None = None
    held: bool = False

    @property
    def raw(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()

    @property
    def name(self) -> str:
        return f"{self.provider}-{self.status}-{self.kind}"

    def answered(self) -> UpstreamFailure:
        """What the plain refusal means."""
        sent = tuple((name.encode(), value.encode()) for name, value in self.headers.items())
        read = _ANSWERED.get(self.provider)
        if read is not None:
            return read(self.status, sent, self.raw, secret=SECRET, now=NOW)
        return failure_from_answer(self.status, sent, self.raw, row_of(self.provider), secret=SECRET, now=NOW)

    def in_stream(self) -> UpstreamFailure:
        """What the same body means as an event of a stream that answered 200."""
        if self.provider == "anthropic":
            return anthropic.reported_failure(self.raw, secret=SECRET, now=NOW)
        if self.provider == "bedrock":
            name = self.headers["x-amzn-ErrorType"].partition(":")[0]
            return failure_in_event(name, self.raw, "", secret=SECRET, now=NOW)
        if self.provider == "cohere":
            return failure_in_body(self.raw, cohere.REFUSALS, secret=SECRET, now=NOW)
        body = self.body[0] if isinstance(self.body, list) else self.body
        error = body["error"] if isinstance(body, dict) and isinstance(body.get("error"), dict) else body
        if self.provider == "ollama":
            return reported_failure(self.body["error"], secret=SECRET, now=NOW)
        if isinstance(error, dict) and error is body:
            return failure_in_body(self.raw, row_of(self.provider), secret=SECRET, now=NOW)
        return failure_in_stream(error, row_of(self.provider), secret=SECRET, now=NOW)


def row_of(provider: str) -> RefusalTable:
    """What the provider's row says of its refusals."""
    return GOOGLE if provider in {"gemini", "vertex"} else _ROWS[provider]


_ROWS: dict[str, RefusalTable] = {entry.id: entry.quirks for entry in ENTRIES}

_ANSWERED: dict[str, Callable[..., UpstreamFailure]] = {
    "anthropic": anthropic.failure,
    "bedrock": failure_from_bedrock,
    "cohere": cohere.failure_from_cohere,
    "ollama": failure_from_ollama,
}

REFUSALS = [
    msgspec.json.decode(line, type=Refusal)
    for line in (Path(__file__).parent / "refusals.jsonl").read_text().splitlines()
    if line.strip()
]
