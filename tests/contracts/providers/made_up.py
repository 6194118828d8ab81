"""Two made-up providers, as a contributor would add them: a row of data, and a kind with a wire format of its own.

In the tree the row would be a module of `adapters/providers/openai_compatible`, the kind
`adapters/providers/parrot/kind.py`. `docs/adding-a-provider.md` walks through both.
"""

from typing import Final

from adapters.dialects.openai.quirks import TEXT_ONLY, Quirks
from adapters.providers.entry import PATHS, Entry, also
from adapters.providers.kind import Code, Kind
from domain.providers import ProviderPreset

ROW: Final = Entry(
    ProviderPreset(
        id="acme",
        kind="openai",
        name="Acme",
        base_url="https://llm.acme.example/v1",
        env=("ACME_API_KEY",),
        priority=320,
        default_model="rocket-1",
    ),
    Quirks(max_tokens_field="max_tokens", drop=frozenset({"logit_bias"})),
    paths=also(*PATHS),
    endpoint_quirks={"embeddings": TEXT_ONLY},
)
"""The first way: speaks OpenAI's API, and has every endpoint of it."""

PARROT: Final = Entry(
    ProviderPreset("parrot", "parrot", "Parrot", "https://parrot.example", ("PARROT_SEED",), 330), version_path=""
)


def _code() -> Code:
    from tests.contracts.providers import parrot

    return Code(build=parrot.build, fidelity=parrot.fidelity)


KIND: Final = Kind(
    id="parrot",
    name="Parrot",
    code=_code,
    endpoints=("chat.completions",),
    entries=(PARROT,),
    unknown=PARROT,
)
