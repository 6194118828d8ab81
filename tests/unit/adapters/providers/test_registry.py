"""The registry: every provider once, in order, and open to more."""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
import respx

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.providers import free_tiers
from adapters.providers.anthropic import adapter as anthropic
from adapters.providers.azure import adapter as azure
from adapters.providers.base_url import is_local
from adapters.providers.bedrock import adapter as bedrock
from adapters.providers.cohere import adapter as cohere
from adapters.providers.gemini import adapter as gemini
from adapters.providers.huggingface import adapter as huggingface
from adapters.providers.kind import AdapterModule, AnyServer, Cloud, Entry, Hosted, Kind, LocalServer, OptIn
from adapters.providers.kinds import ENTRIES, KINDS, OPENAI
from adapters.providers.ollama import adapter as ollama
from adapters.providers.openai_compatible import adapter as openai_compatible
from adapters.providers.registry import Registry
from adapters.providers.vertex import adapter as vertex
from domain.errors import RequestInvalid
from domain.failover import FailureKind
from domain.ports.providers import ProviderCall
from domain.providers import Provider, ProviderSettings, check_provider_id
from domain.timeouts import TimeoutOverrides, Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import ANSWER, Progress

ADDRESS_VARIABLES = ("_HOST", "_BASE_URL", "_API_BASE", "_ENDPOINT")


def with_openai(*more: Entry) -> tuple[Kind, ...]:
    return tuple(replace(kind, entries=(*kind.entries, *more)) if kind is OPENAI else kind for kind in KINDS)


def a_registry(*more: Entry) -> Registry:
    return Registry(
        lambda provider, timeouts: httpx.MockTransport(lambda _: httpx.Response(500)), {}, kinds=with_openai(*more)
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_row_is_sound(entry: Entry) -> None:
    preset, quirks = entry.preset, entry.quirks

    check_provider_id(entry.id)
    assert quirks.message_fields <= set(REASONING_FIELDS)
    assert not quirks.drop & quirks.refused
    assert {kind.partition(" ")[0] for kind in quirks.error_kinds.values()} <= {kind.value for kind in FailureKind}
    assert all(name == name.lower() for name in quirks.limits)
    assert all(variable.isupper() for variable in preset.env)
    assert set(entry.endpoint_quirks) <= {*entry.paths, "embeddings"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_row_is_of_the_sort_its_address_and_its_variables_say(entry: Entry) -> None:
    preset = entry.preset
    address = httpx.URL(preset.base_url.replace("{", "").replace("}", ""))
    sort: type[Entry]
    if not preset.base_url:
        sort = AnyServer
    elif is_local(address):
        sort = LocalServer
        assert preset.env[0].endswith(ADDRESS_VARIABLES)
        assert not entry.quirks.limits
        assert not entry.quirks.quota_resets
    else:
        sort = OptIn if not preset.env else Hosted if preset.requires_key else Cloud
        assert address.scheme == "https"
        assert not any(variable.endswith(ADDRESS_VARIABLES) for variable in preset.env)

    assert type(entry) is sort


@pytest.mark.parametrize(
    ("sort", "lacking"),
    [
        (Hosted, ("requires_key", "ambient")),
        (OptIn, ("env", "requires_key", "ambient")),
        (Cloud, ("requires_key",)),
        (LocalServer, ("requires_key", "ambient", "key_url", "free_tier", "default_model", "models")),
        (AnyServer, ("base_url", "ambient", "default_model", "models")),
    ],
)
def test_a_row_cannot_hold_what_its_sort_cannot_have(sort: Any, lacking: tuple[str, ...]) -> None:
    required = {"id": "x", "name": "x", "base_url": "x", "key_url": "x", "free_tier": "x", "priority": 1, "env": ("X",)}
    having = {name: value for name, value in required.items() if name in sort.__struct_fields__}

    sort(**having)
    for name in lacking:
        with pytest.raises(TypeError, match=name):
            sort(**having, **{name: "x"})


def test_every_entry_is_of_the_kind_it_stands_in() -> None:
    assert [(kind.id, entry.id) for kind in KINDS for entry in kind.entries if entry.kind != kind.id] == []


def test_every_kind_names_an_adapter() -> None:
    adapters: tuple[AdapterModule, ...] = (
        openai_compatible,
        openai_compatible,
        azure,
        huggingface,
        anthropic,
        bedrock,
        cohere,
        ollama,
        gemini,
        vertex,
    )

    assert tuple(kind.load() for kind in KINDS) == adapters


def test_ids_are_unique_and_the_order_is_the_listed_one() -> None:
    presets = a_registry().presets()

    assert len({preset.id for preset in presets}) == len(ENTRIES)
    assert [(preset.id, preset.priority) for preset in presets[:3]] == [
        ("cerebras", 10),
        ("openrouter", 20),
        ("gemini", 30),
    ]
    assert all(preset.priority >= 100 for preset in presets[3:])
    assert list(presets) == sorted(presets, key=lambda preset: preset.priority)


def test_no_variable_switches_on_two_providers() -> None:
    variables = [variable for entry in ENTRIES for variable in entry.preset.env]

    assert len(variables) == len(set(variables))
    assert "GITHUB_TOKEN" not in variables


@pytest.mark.parametrize(
    ("provider", "preset"),
    [
        (a_provider("groq", base_url=None), "groq"),
        (a_provider("mine", settings=ProviderSettings(preset="mistral")), "mistral"),
        (a_provider("mine", base_url="https://api.deepseek.com"), "deepseek"),
        (a_provider("mine", base_url="https://api.cloudflare.com/client/v4/accounts/x/ai/v1"), "cloudflare"),
        (a_provider("mine"), None),
        (a_provider("mine", base_url=None), None),
        (a_provider("mine", base_url="http://127.0.0.1:11434"), None),
        (a_provider("mine", base_url="https://[::1"), None),
        (a_provider("demo-a", kind="simulated"), "simulated"),
        (a_provider("groq", kind="simulated"), "simulated"),
    ],
)
def test_a_providers_preset_is_found_by_setting_id_or_host(provider: Provider, preset: str | None) -> None:
    found = a_registry().preset_for(provider)

    assert (found.id if found else None) == preset


@pytest.mark.parametrize(
    ("provider", "needs_key"),
    [
        (a_provider("groq", base_url=None), True),
        (a_provider("ollama", kind="ollama", base_url=None), False),
        (a_provider("mine"), True),
        (a_provider("mine", base_url="http://192.168.1.5:8000"), False),
        (a_provider("mine", base_url="https://[::1"), True),
        (a_provider("demo-a", kind="simulated"), False),
    ],
)
def test_only_servers_of_ones_own_are_called_without_a_key(provider: Provider, needs_key: bool) -> None:
    assert a_registry().requires_key(provider) is needs_key


@pytest.mark.parametrize(
    ("provider", "param"),
    [
        (a_provider(kind="telepathy"), "kind"),
        (a_provider(settings=ProviderSettings(preset="nobody")), "settings.preset"),
        (a_provider(base_url=None), "base_url"),
        (a_provider("cloudflare", base_url=None), "base_url"),
    ],
)
def test_what_cannot_be_built_is_refused_with_its_field(provider: Provider, param: str) -> None:
    with pytest.raises(RequestInvalid) as checked:
        a_registry().check(provider)
    with pytest.raises(RequestInvalid):
        a_registry().build(provider, Timeouts())

    assert checked.value.param == param


async def test_the_transport_is_made_for_the_address_and_the_timeouts_in_force() -> None:
    made: list[tuple[str | None, Timeouts]] = []

    def transport(provider: Provider, timeouts: Timeouts) -> httpx.AsyncBaseTransport:
        made.append((provider.base_url, timeouts))
        return httpx.MockTransport(lambda _: httpx.Response(500))

    settings = ProviderSettings(timeouts=TimeoutOverrides(connect=1.0))
    client = Registry(transport, {}).build(a_provider("groq", base_url=None, settings=settings), Timeouts())
    await client.aclose()

    assert made == [("https://api.groq.com/openai/v1", Timeouts(connect=1.0))]


def test_kinds_say_what_becomes_of_each_parameter() -> None:
    openai, simulated, *_ = a_registry().kinds()

    assert (openai.kind, simulated.kind) == ("openai", "simulated")
    assert "chat.completions" in openai.endpoints
    assert openai.params["temperature"] == "honored"
    assert openai.preset_params["groq"]["logprobs"] == "dropped"
    assert openai.preset_params["groq"]["max_tokens"] == "mapped"
    assert openai.preset_params["perplexity"]["tools"] == "refused"
    assert openai.preset_params["custom"] == {}
    assert {preset.id for preset in openai.presets} > {"cerebras", "openrouter", "gemini-openai"}


async def test_a_new_provider_is_one_row() -> None:
    row = Hosted(
        id="rockets",
        name="Rockets",
        base_url="https://llm.rockets.example/api/v2",
        env=("ROCKETS_API_KEY",),
        priority=150,
        free_tier=free_tiers.none(as_of="2026-11-21", source="https://rockets.example/prices"),
        key_url="https://rockets.example/keys",
        quirks=Quirks(max_tokens_field="max_tokens", drop=frozenset({"seed"})),
    )
    router = respx.Router()
    wire = router.post("https://llm.rockets.example/api/v2/chat/completions").respond(200, json=ANSWER)
    registry = Registry(
        lambda provider, timeouts: httpx.MockTransport(router.async_handler), {}, kinds=with_openai(row)
    )

    client = registry.build(a_provider("rockets", base_url=None), Timeouts())
    assert client.capabilities.chat is not None
    call = ProviderCall(
        a_chat_payload(seed=4, max_completion_tokens=9), "rocket-1", a_provider_key(), False, Progress()
    )
    answer = await client.capabilities.chat.complete(call)

    assert answer.dropped_params == ("seed",)
    assert json.loads(wire.calls.last.request.content) == {
        "model": "rocket-1",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 9,
    }
    assert registry.kinds()[0].preset_params["rockets"]["seed"] == "dropped"
    assert "rockets" in {preset.id for preset in registry.presets()}
