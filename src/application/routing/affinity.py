"""Keeps a conversation with the deployment that holds its prompt cache, unless going elsewhere pays.

What is remembered of a conversation is where it was served last, how many tokens are in that cache, and when: in this
process, for as long as the provider keeps them, and of so many conversations at most. Where processes share a database,
what was served elsewhere is asked for (`shared_places`).
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import msgspec

from application.routing.prompts import Conversation, Turns, turns_of
from application.routing.shared_places import TELL_AGAIN_SECONDS, SharedPlaces
from domain.inference import InferenceRequest
from domain.ports.conversation_places import Place
from domain.ports.runtime import Clock
from domain.routing import Candidate

MAX_CONVERSATIONS: Final = 20_000

CACHE_SECONDS: Final[Mapping[str, float]] = {
    "anthropic": 300.0,
    "bedrock": 300.0,
    "vertex_claude": 300.0,
    "openai": 1_800.0,
    "azure": 600.0,
    "gemini": 300.0,
    "deepseek": 7_200.0,
}
"""How long a provider keeps a prompt's prefix after its last use, by kind or preset, where it says so.

Sources: Anthropic's and Bedrock's prompt caching (5 minutes, renewed by each use), OpenAI's (30 minutes at least for
its newest models, 5 to 10 for older ones at Azure), Gemini's implicit and DeepSeek's disk cache (read 2026-11).
"""
USUAL_CACHE_SECONDS: Final = 300.0

NO_TURNS: Final = Turns(0, 0)

TOOL_LOOP_SECONDS: Final = 3_600.0
"""A tool may take long; its result goes to who asked for it all the same."""


class Held(msgspec.Struct, frozen=True):
    """The deployment that served a conversation last. `fresh`: the provider should still have its prefix cached."""

    provider_id: str
    model: str
    cached_tokens: int
    overpaid: int  # nano-USD that it has cost more here than it would have elsewhere
    fresh: bool

    def is_at(self, candidate: Candidate) -> bool:
        """Whether this is the deployment."""
        return (self.provider_id, self.model) == (candidate.provider.id, candidate.model)


class _Entry(msgspec.Struct, frozen=True):
    provider_id: str
    model: str
    tokens: int
    overpaid: int
    at: float
    keeps_seconds: float
    turns: int = 0  # of the request that was served; 0 where others served it
    told_at: float = 0.0


class AffinityMemory:
    """What is remembered. Only `look_up` and `tell` wait; the conversation that was seen longest ago goes first."""

    def __init__(self, clock: Clock, most: int = MAX_CONVERSATIONS, shared: SharedPlaces | None = None) -> None:
        self._clock = clock
        self._most = most
        self._shared = shared if shared is not None and shared.on else None
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    @property
    def is_shared(self) -> bool:
        """Whether other processes may serve a part of what is remembered here."""
        return self._shared is not None

    def turns(self, request: InferenceRequest) -> Turns:
        """How far the request's conversation is, where somebody wants to know."""
        return turns_of(request) if self._shared is not None else NO_TURNS

    def tells(self, conversation: Conversation, turns: Turns) -> bool:
        """Whether others should know who serves a request: not of the many that ask once, and call no tool."""
        return self._shared is not None and (conversation.has_tools or turns.before > 0)

    def is_elsewhere(self, conversation: str, turns: Turns) -> bool:
        """Whether the answer that the request goes on from may have come from another process: `look_up` finds out."""
        if self._shared is None or not turns.before:
            return False
        entry = self._entries.get(conversation)
        return (entry is None or entry.turns != turns.before) and not self._shared.untold(conversation)

    async def look_up(self, conversation: str) -> None:
        """Take up where the conversation was served last, by any process."""
        place = await self._shared.find(conversation) if self._shared is not None else None
        if place is None:
            return
        now, before = self._clock.monotonic(), self._entries.pop(conversation, None)
        age = max(0.0, (self._clock.now() - place.served_at).total_seconds())
        same = before is not None and (before.provider_id, before.model) == (place.provider_id, place.model)
        self._keep(
            conversation,
            _Entry(
                place.provider_id,
                place.model,
                place.tokens,
                before.overpaid if before is not None and same else 0,
                max(now - age, before.at) if before is not None and same else now - age,
                place.keeps_seconds,
                told_at=now - age,
            ),
        )

    async def tell(self) -> None:
        """What others have to know of what was served here is with them when this returns."""
        if self._shared is not None:
            await self._shared.tell()

    def holder(self, conversation: str) -> Held | None:
        """None for one that was never seen, or so long ago that nothing holds it any more."""
        entry = self._entries.get(conversation)
        if entry is None:
            return None
        age = self._clock.monotonic() - entry.at
        if age > max(entry.keeps_seconds, TOOL_LOOP_SECONDS):
            del self._entries[conversation]
            return None
        return Held(entry.provider_id, entry.model, entry.tokens, entry.overpaid, age <= entry.keeps_seconds)

    def served(
        self,
        conversation: str,
        provider_id: str,
        kinds: tuple[str, ...],
        model: str,
        tokens: int,
        turns: int = 0,
        *,
        tells: bool = False,
    ) -> None:
        """A deployment has answered, or begun to: its cache has the prompt now. `kinds` are its preset and its kind."""
        before, now = self._entries.pop(conversation, None), self._clock.monotonic()
        keeps = next((CACHE_SECONDS[kind] for kind in kinds if kind in CACHE_SECONDS), USUAL_CACHE_SECONDS)
        same = before is not None and (before.provider_id, before.model) == (provider_id, model)
        overpaid = before.overpaid if before is not None and same and now - before.at <= keeps else 0
        told_at = before.told_at if before is not None and same else 0.0
        if tells and self._shared is not None and (not told_at or now - told_at > TELL_AGAIN_SECONDS):
            told_at = now
            self._shared.note(Place(conversation, provider_id, model, tokens, int(keeps), self._clock.now()))
        self._keep(conversation, _Entry(provider_id, model, tokens, overpaid, now, keeps, turns, told_at))

    def overpaid(self, conversation: str, nano_usd: int) -> None:
        """So much more than elsewhere does the request under way cost where its conversation is."""
        entry = self._entries.get(conversation)
        if entry is not None:
            self._entries[conversation] = msgspec.structs.replace(entry, overpaid=entry.overpaid + nano_usd)

    def _keep(self, conversation: str, entry: _Entry) -> None:
        self._entries[conversation] = entry
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)


class Turn(msgspec.Struct, frozen=True):
    """What a request costs somewhere, in nano-USD: now, and once the prefix is cached there."""

    now: int
    cached: int


def switch_pays(overpaid: int, stay: Turn, switch: Turn) -> bool:
    """Whether staying has cost as much more than the other place would have, as re-reading the prefix there costs.

    Nobody knows how many turns are to come: who switches by then has paid at most twice what the best would have.
    """
    return switch.cached < stay.cached and overpaid >= switch.now - stay.now


def stays_why(conversation: Conversation, held: Held | None) -> str:
    """Why a conversation may not move at all, as the decision says it; empty where it may."""
    if held is None:
        return ""
    if conversation.in_tool_loop:
        return "stay:tool_loop"
    return "stay:reasoning" if conversation.signed else ""
