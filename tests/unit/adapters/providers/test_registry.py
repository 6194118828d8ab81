"""The registry: every provider once, in order, and open to more."""

import json
from dataclasses import replace

import httpx
import pytest
import respx

from adapters.dialects.openai.quirks import REASONING_FIELDS, Quirks
from adapters.providers.entry import Entry
from adapters.providers.kind import Kind
from adapters.providers.registry import ENTRIES, KINDS, OPENAI, Registry
from domain.errors import RequestInvalid
from domain.failover import FailureKind
from domain.ports.providers import ProviderCall
from domain.providers import Provider, ProviderPreset, ProviderSettings, check_provider_id
from domain.timeouts import TimeoutOverrides, Timeouts
from tests.builders import a_chat_payload, a_provider, a_provider_key
from tests.contracts.providers.test_chat_providers import ANSWER, Progress


def with_openai(*more: Entry) -> tuple[Kind, ...]:
    return tuple(replace(kind, entries=(*kind.entries, *more)) if kind is OPENAI else kind for kind in KINDS)


def a_registry(*more: Entry) -> Registry:
    return Registry(
        lambda provider, timeouts: httpx.MockTransport(lambda _: httpx.Response(500)), {}, kinds=with_openai(*more)
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.preset.id)
def test_every_row_is_sound(entry: Entry) -> None:
    preset, quirks = entry.preset, entry.quirks

    check_provider_id(preset.id)
    assert quirks.message_fields <= set(REASONING_FIELDS)
    assert not quirks.drop & quirks.refused
    assert set(quirks.error_kinds.values()) <= {kind.value for kind in FailureKind}
    assert all(name == name.lower() for name in quirks.limits)
    assert all(variable.isupper() for variable in preset.env)
    assert preset.default_model is None or preset.requires_key or preset.ambient


def test_ids_are_unique_and_the_free_tiers_come_first() -> None:
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
    row = Entry(
        ProviderPreset("acme", "openai", "Acme", "https://llm.acme.example/api/v2", ("ACME_API_KEY",), 150),
        Quirks(max_tokens_field="max_tokens", drop=frozenset({"seed"})),
    )
    router = respx.Router()
    wire = router.post("https://llm.acme.example/api/v2/chat/completions").respond(200, json=ANSWER)
    registry = Registry(
        lambda provider, timeouts: httpx.MockTransport(router.async_handler), {}, kinds=with_openai(row)
    )

    client = registry.build(a_provider("acme", base_url=None), Timeouts())
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
    assert registry.kinds()[0].preset_params["acme"]["seed"] == "dropped"
    assert "acme" in {preset.id for preset in registry.presets()}
