"""Every id that `/v1/models` lists reaches who listed it, under its own name (contract 4): generated."""

from collections.abc import Sequence
from itertools import combinations

import pytest

from domain.models import Model
from domain.providers import Offering, ProviderPreset, ProviderSettings
from domain.routing import AUTO_MODEL
from tests.builders import NOW, a_chat_payload, a_provider
from tests.fakes.gateway import ANYONE, FakeGateway
from tests.fakes.providers import FakeChatProvider

LISTS = {
    "nvidia": ("nvidia/llama-3.3-nemotron-super-49b-v1.5", "meta/llama-3.3-70b-instruct"),
    "groq": ("groq/compound", "openai/gpt-oss-120b", "llama-3.3-70b-versatile"),
    "openai": ("gpt-4o", "gpt-oss-120b"),
    "deepseek": ("deepseek-chat",),
    "openrouter": (
        "openrouter/auto",
        "openrouter/free",
        "deepseek/deepseek-r1:free",
        "openai/gpt-4o",
        "@cf/meta/llama",
    ),
    "chained": ("auto", "openai/gpt-4o", "gpt-4o", "chained/auto", "groq/llama-3.3-70b-versatile"),
}
"""What real providers list, and one that is a gateway itself; `openai` lists what two others call by its name."""

KINDS = ("read", "preset", "set", "unread")
"""How a provider's list is known: its own list, its preset's, its operator's, or not at all."""


async def a_gateway(kinds: dict[str, str]) -> FakeGateway:
    providers, presets = [], []
    for place, (name, models) in enumerate(LISTS.items()):
        kind = kinds.get(name, "read")
        settings = ProviderSettings(models=models) if kind == "set" else ProviderSettings()
        providers.append(a_provider(name, priority=place, settings=settings))
        if kind == "preset":
            presets.append(ProviderPreset(name, "openai", name, "https://x.example", (), 1, models=models))
    gateway = FakeGateway({name: FakeChatProvider() for name in LISTS}, providers=providers, presets=presets)
    async with gateway.store.write() as unit:
        for name, models in LISTS.items():
            if kinds.get(name, "read") == "read":
                await unit.offerings.replace(name, NOW, [Offering(model) for model in models])
    await gateway.directory.load()
    return await gateway.started()


def plan(gateway: FakeGateway, name: str, pinned: str | None = None) -> list[tuple[str, str]]:
    found = gateway.plan(a_chat_payload(model=name).value, pinned, "chat.completions", auto=True)
    return [(candidate.provider.id, candidate.model) for candidate in found]


def check(gateway: FakeGateway, listed: Sequence[Model], pinned: str | None) -> None:
    assert len({model.id for model in listed}) == len(listed), "an id is listed twice"
    for model in listed:
        if model.provider is None:
            assert model.id == AUTO_MODEL
            continue
        provider, asked = plan(gateway, model.id, pinned)[0]
        assert provider == model.provider, f"{model.id} of {model.provider} goes to {provider}"
        assert asked in LISTS[provider]
        assert model.id in (asked, f"{provider}/{asked}"), f"{model.id} is asked for as {asked}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pinned", [None, *LISTS])
async def test_each_listed_id_reaches_who_listed_it(kind: str, pinned: str | None) -> None:
    gateway = await a_gateway(dict.fromkeys(LISTS, kind))

    listed = gateway.directory.visible_to(ANYONE, pinned)

    assert bool(listed) == (kind != "unread")
    check(gateway, listed, pinned)


@pytest.mark.parametrize("kinds", list(combinations(KINDS, 2)), ids="-".join)
@pytest.mark.parametrize("other", list(LISTS))
async def test_so_it_does_where_providers_are_known_in_different_ways(kinds: tuple[str, str], other: str) -> None:
    gateway = await a_gateway({name: kinds[name == other] for name in LISTS})

    for pinned in (None, *LISTS):
        check(gateway, gateway.directory.visible_to(ANYONE, pinned), pinned)


@pytest.mark.parametrize(("provider", "model"), [(name, model) for name, models in LISTS.items() for model in models])
async def test_each_model_can_be_asked_for_by_its_provider_and_under_its_path(provider: str, model: str) -> None:
    gateway = await a_gateway({})

    assert plan(gateway, f"{provider}/{model}") == [(provider, model)]
    assert plan(gateway, model, provider) == [(provider, model)]
    if f"{provider}/{model}" not in LISTS[provider]:  # which would be another model of its list
        assert plan(gateway, f"{provider}/{model}", provider) == [(provider, model)]


# (asked for, pinned to, the plan)
ROWS = [
    ("openai/gpt-oss-120b", None, [("openai", "gpt-oss-120b")]),
    ("meta/llama-3.3-70b-instruct", None, [("nvidia", "meta/llama-3.3-70b-instruct")]),
    ("groq/compound", None, [("groq", "groq/compound")]),
    ("openrouter/auto", None, [("openrouter", "openrouter/auto")]),
    ("openrouter/auto", "openrouter", [("openrouter", "openrouter/auto")]),
    ("openrouter/horizon-alpha", None, [("openrouter", "openrouter/horizon-alpha")]),
    ("openrouter/horizon-alpha", "openrouter", [("openrouter", "openrouter/horizon-alpha")]),
    ("openrouter/x-ai/grok", None, [("openrouter", "x-ai/grok")]),
    ("deepseek/deepseek-r1:free", None, [("openrouter", "deepseek/deepseek-r1:free")]),
    ("deepseek/not-listed", None, [("deepseek", "not-listed")]),
    ("openai/not-listed", None, [("openai", "not-listed")]),
    ("not-listed", "openai", [("openai", "not-listed")]),
    ("gpt-4o", None, [("openai", "gpt-4o"), ("chained", "gpt-4o")]),
    ("auto", None, [("chained", "auto")]),
]


@pytest.mark.parametrize(("asked", "pinned", "expected"), ROWS)
async def test_names_are_understood_in_the_contracts_order(
    asked: str, pinned: str | None, expected: list[tuple[str, str]]
) -> None:
    assert plan(await a_gateway({}), asked, pinned) == expected


async def test_an_id_that_only_another_provider_lists_goes_there_though_it_begins_like_a_provider() -> None:
    gateway = await a_gateway({"openai": "unread", "chained": "unread"})

    assert plan(gateway, "openai/gpt-oss-120b")[0] == ("groq", "openai/gpt-oss-120b")


@pytest.mark.parametrize("provider_id", ["groq", "my-groq"])
@pytest.mark.parametrize(
    ("known", "asked", "expected"),
    [
        (("openai/gpt-oss-120b", "qwen/qwen3.8-27b"), "m", "m"),
        (("openai/gpt-oss-120b", "qwen/qwen3.8-27b"), "openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        (("openai/gpt-oss-120b", "qwen/qwen3.8-27b"), "other/m", "other/m"),
        (("openai/gpt-oss-120b", "groq/compound"), "compound-mini", "groq/compound-mini"),
        (("openai/gpt-oss-120b", "llama-3.3"), "m", "m"),
        ((), "m", "m"),
    ],
)
@pytest.mark.parametrize("pinned", [False, True])
async def test_the_prefix_by_a_providers_own_id_is_taken_off_as_that_of_its_preset(
    provider_id: str, known: tuple[str, ...], asked: str, expected: str, *, pinned: bool
) -> None:
    provider = a_provider(provider_id, settings=ProviderSettings(preset="groq"))
    preset = ProviderPreset("groq", "openai", "Groq", "https://x.example", (), 1, models=known)
    gateway = await FakeGateway({provider_id: FakeChatProvider()}, providers=[provider], presets=[preset]).started()

    found = plan(gateway, f"{provider_id}/{asked}", provider_id if pinned else None)

    assert found == [(provider_id, expected)]
