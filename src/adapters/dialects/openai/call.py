"""What a decoder must know of the call whose answer it reads."""

from collections.abc import Callable

from adapters.dialects.openai.quirks import Quirks
from adapters.wire.call import AnswerFacts
from domain.secrets import Secret


class CallFacts(AnswerFacts):
    """The same facts as every dialect's, and how this upstream differs from OpenAI."""

    def __init__(self, quirks: Quirks, model: str, secret: Secret | None, now: Callable[[], float]) -> None:
        super().__init__(model, secret, now)
        self.quirks = quirks
