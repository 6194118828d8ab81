"""Two made-up providers, as a contributor would add them: a row of data, and a kind with a wire format of its own.

In the tree the one would be a row of a table in `adapters/providers/openai_compatible`, the other of
`adapters/providers/kinds.py`. `docs/adding-a-provider.md` walks through both.
"""

from typing import Final

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers import free_tiers
from adapters.providers.kind import PATHS, Hosted, Kind, also
from domain.free_tiers import Quota

ROW: Final = Hosted(
    id="rockets",
    name="Rockets",
    base_url="https://llm.rockets.example/v1",
    env=("ROCKETS_API_KEY",),
    priority=320,
    default_model="rocket-1",
    free_tier=free_tiers.renewing(
        Quota("requests", 60, "minute"), as_of="2026-11-21", source="https://rockets.example/limits"
    ),
    key_url="https://rockets.example/keys",
    quirks=Quirks(max_tokens_field="max_tokens", drop=frozenset({"logit_bias"})),
    paths=also(*PATHS),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
"""The first way: speaks OpenAI's API, and has every endpoint of it."""

KIND: Final = Kind(
    id="parrot",
    name="Parrot",
    adapter="tests.contracts.providers.parrot",
    endpoints=("chat.completions",),
    entries=(
        Hosted(
            id="parrot",
            kind="parrot",
            name="Parrot",
            base_url="https://parrot.example",
            env=("PARROT_SEED",),
            priority=330,
            free_tier=free_tiers.none(as_of="2026-11-21", source="https://parrot.example/seeds"),
            key_url="https://parrot.example/seeds",
            version_path="",
        ),
    ),
)
