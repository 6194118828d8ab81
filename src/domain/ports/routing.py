"""The port that turns what a request asks for into the deployments that may serve it."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from domain.attribution import UNATTRIBUTED, Attribution
from domain.inference import InferenceRequest, Json
from domain.keys import Principal
from domain.routing import Candidate, Plan, TaskReading


class RoutingQuestion(msgspec.Struct, frozen=True):
    """What a plan may depend on.

    `endpoint` is what the request came to, and `auto` whether a provider's default model can serve it.
    `pinned_provider` is the only one allowed, where there is one. `prompt_tokens` estimates the prompt's tokens, which
    costs enough to be asked only where something depends on it. `principal` is None where nobody in particular asks.
    `fields` are the body's, raw; `reading` is the task, where somebody was asked for it before. `may_wait`: a plan that
    is not settled will be settled, and made again.
    """

    request: InferenceRequest
    endpoint: str
    auto: bool
    pinned_provider: str | None = None
    principal: Principal | None = None
    attribution: Attribution = UNATTRIBUTED
    prompt_tokens: Callable[[], int] = lambda: 0
    fields: Mapping[str, Json] = {}
    reading: TaskReading | None = None
    may_wait: bool = False


class Router(Protocol):
    """Plans from what is in memory: asked on every request."""

    def plan(self, question: RoutingQuestion) -> Plan:
        """Candidates in the order to try them, never none.

        Raises `NotFound` (`model_not_found`, `provider_not_found`) and `RequestInvalid`.
        """
        ...

    def is_settled(self, plan: Plan) -> bool:
        """Whether nothing that is not known yet could change the plan, or give one where there is none.

        Else `settle`, and plan again, once, with a question that may not wait.
        """
        ...

    async def settle(self, plan: Plan) -> None:
        """Find out what is not known yet, within seconds: providers' lists of models that were never read, and where
        another process has served the plan's conversation.
        """
        ...

    def served(
        self, conversation: str, candidate: Candidate, prompt_tokens: int, turns: int = 0, *, tells: bool = False
    ) -> None:
        """A candidate has answered, or begun to, a request whose plan named this `Policy.conversation`, with its
        `Policy.turns` and `Policy.tells`.
        """
        ...

    async def told(self) -> None:
        """Return once other processes know what they have to of what was `served` here; soon, whatever happens."""
        ...
