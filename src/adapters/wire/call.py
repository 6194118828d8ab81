"""What a dialect knows of a call, and what it makes of it: a body to send, an answer, the text that was generated."""

import hashlib
import secrets
from collections.abc import Callable
from functools import cached_property
from typing import Final, Generic, TypeVar

import msgspec

from domain.background_responses import KeptState
from domain.inference import InferenceRequest
from domain.payload import Payload
from domain.secrets import Secret
from domain.usage import TokenUsage

R = TypeVar("R", bound=InferenceRequest)


class AnswerFacts:
    """The call an answer belongs to, and what stands in for what the upstream leaves out of it.

    `model` is the one asked for; `secret` is masked in whatever is shown; `now` gives Unix seconds.
    """

    def __init__(self, model: str, secret: Secret | None, now: Callable[[], float]) -> None:
        self.model = model
        self.secret = secret
        self.now = now

    @cached_property
    def answer_id(self) -> str:
        """As OpenAI's chat has it; other formats take the part behind the dash."""
        return f"chatcmpl-{secrets.token_hex(12)}"

    @cached_property
    def created(self) -> int:
        return int(self.now())


class DialectCall(AnswerFacts, Generic[R]):
    """One call at one upstream: what its request is encoded from, and its answer read with.

    `omit` are fields the gateway adds by itself that this upstream has refused for this model.
    """

    def __init__(
        self,
        payload: Payload[R],
        model: str,
        secret: Secret | None,
        now: Callable[[], float],
        *,
        include_usage: bool = False,
        strict: bool = False,
        client_headers: tuple[tuple[str, str], ...] = (),
        carried_from: str = "",
        omit: frozenset[str] = frozenset(),
        owner_key: bytes = b"",
    ) -> None:
        super().__init__(model, secret, now)
        self.payload = payload
        self.include_usage = include_usage
        self.strict = strict
        self.client_headers = client_headers
        self.carried_from = carried_from
        self.omit = omit
        self.owner_key = owner_key


def made_call_id(seed: str) -> str:
    """For a tool call that came without an id; the same for the same seed."""
    return "call_" + hashlib.sha256(seed.encode()).hexdigest()[:24]


class Encoded(msgspec.Struct, frozen=True):
    """A request body ready to send. `dropped` are the parameters that could not be carried over, sorted."""

    body: bytes
    dropped: tuple[str, ...] = ()
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()  # further ones this request needs


class PlainAnswer(msgspec.Struct, frozen=True):
    """A complete, valid answer in the ingress's format."""

    body: bytes
    model: str
    usage: TokenUsage | None
    output_text: str = ""  # what was generated, read only where there is no usage
    content_type: str = "application/json"
    kept: KeptState | None = None  # of what the upstream keeps, how it stands


MAX_KEPT_TEXT_CHARS: Final = 16 * 1024


class KeptText:
    """`bytes` counts all of it."""

    __slots__ = ("_chars", "_kept", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        self._chars = 0
        self._kept: list[str] = []

    def add(self, text: str) -> None:
        self.bytes += len(text.encode(errors="replace"))
        if self._chars < MAX_KEPT_TEXT_CHARS:
            self._kept.append(text)
            self._chars += len(text)

    def text(self) -> str:
        return "".join(self._kept)
