"""What a dialect knows of the call it encodes and whose answer it reads."""

import secrets
from collections.abc import Callable
from functools import cached_property
from typing import Generic, TypeVar

from domain.inference import InferenceRequest
from domain.secrets import Secret
from domain.wire import Payload

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


class WireCall(AnswerFacts, Generic[R]):
    """One call at one upstream: what its request is encoded from, and its answer read with."""

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
    ) -> None:
        super().__init__(model, secret, now)
        self.payload = payload
        self.include_usage = include_usage
        self.strict = strict
        self.client_headers = client_headers
