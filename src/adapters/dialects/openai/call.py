"""What a decoder must know of the call whose answer it reads."""

import secrets
from collections.abc import Callable
from functools import cached_property

from adapters.dialects.openai.quirks import Quirks
from domain.secrets import Secret


class CallFacts:
    """The call an answer belongs to, and what stands in for what the upstream left out of it.

    `model` is the one asked for; `secret` is masked in whatever is shown; `now` gives Unix seconds.
    """

    def __init__(self, quirks: Quirks, model: str, secret: Secret | None, now: Callable[[], float]) -> None:
        self.quirks = quirks
        self.model = model
        self.secret = secret
        self.now = now

    @cached_property
    def answer_id(self) -> str:
        return f"chatcmpl-{secrets.token_hex(12)}"

    @cached_property
    def created(self) -> int:
        return int(self.now())
