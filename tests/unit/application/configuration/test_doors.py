"""Every provider the gateway knows, through every way of adding one: the same provider comes out of each."""

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest
import respx
from click.testing import CliRunner

from adapters.providers.kinds import ENTRIES
from adapters.providers.registry import Registry
from application.configuration.declared import declared_config
from application.configuration.new_providers import NewProvider
from domain.keys import ADMIN_TOKEN_PREFIX, generate_key
from domain.providers import Provider, ProviderPreset
from entrypoints.cli.main import omg
from entrypoints.settings.loading import load_settings
from tests.builders import NOW, a_provider
from tests.fakes.administration import ACTOR, FakeAdministration

ACCOUNT = {"CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef"}
"""What the address of Cloudflare is made with."""

PRESETS = {entry.preset.id: entry.preset for entry in ENTRIES}
ELSEWHERE = "https://proxy.example/v1"


REGISTRY = Registry(lambda provider, timeouts: httpx.MockTransport(lambda request: httpx.Response(404)), ACCOUNT)

TOKEN = generate_key(ADMIN_TOKEN_PREFIX).reveal()


async def by_api(body: dict[str, object], _: Path) -> Provider:
    """`POST /admin/providers`: what it decodes, and what is stored."""
    fakes = await FakeAdministration(known=REGISTRY).started()
    await fakes.providers.create(ACTOR, msgspec.convert(body, NewProvider))
    async with fakes.store.read() as unit:
        stored = await unit.providers.get(str(body["id"]))
    assert stored is not None
    return stored


async def by_command(body: dict[str, object], folder: Path) -> Provider:
    """`omg providers add`, whose request is what the API is then asked."""
    options = [part for name, value in body.items() if name != "id" for part in (f"--{name.replace('_', '-')}", value)]
    with respx.mock(base_url="http://127.0.0.1:8000") as gateway:
        route = gateway.post("/admin/providers").mock(httpx.Response(201, json={}))
        arguments = ["providers", "add", str(body["id"]), *map(str, options)]
        result = CliRunner().invoke(omg, arguments, env={"OMG_ADMIN_TOKEN": TOKEN, "OMG_URL": None})
    assert result.exit_code == 0, result.output
    return await by_api(json.loads(route.calls.last.request.content), folder)


async def by_file(body: dict[str, object], folder: Path) -> Provider:
    """`providers:` of omg.yaml."""
    (folder / "omg.yaml").write_text(json.dumps({"providers": [body]}))
    settings = load_settings(environ=ACCOUNT, folder=folder)
    (provider,) = declared_config(settings.providers, {}, REGISTRY, NOW).providers
    return provider


Door = Callable[[dict[str, object], Path], Awaitable[Provider]]
DOORS: Sequence[Door] = (by_api, by_command, by_file)


def as_added(provider: Provider) -> dict[str, object]:
    """What the ways have to agree on: everything but who declares it, and when."""
    fields = msgspec.structs.asdict(provider)
    return {name: value for name, value in fields.items() if name not in ("owner", "created_at", "updated_at")}


def expected(preset: ProviderPreset, base_url: str | None) -> dict[str, object]:
    known = a_provider(preset.id, kind=preset.kind, name=preset.name, priority=preset.priority, base_url=base_url)
    return as_added(known)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("preset_id", [preset.id for preset in PRESETS.values() if preset.base_url])
async def test_a_known_provider_is_added_by_its_id_alone(tmp_path: Path, door: Door, preset_id: str) -> None:
    added = await door({"id": preset_id}, tmp_path)

    assert as_added(added) == expected(PRESETS[preset_id], None)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("preset_id", PRESETS)
async def test_a_known_provider_stays_of_its_kind_at_another_address(
    tmp_path: Path, door: Door, preset_id: str
) -> None:
    added = await door({"id": preset_id, "base_url": ELSEWHERE}, tmp_path)

    assert as_added(added) == expected(PRESETS[preset_id], ELSEWHERE)


@pytest.mark.parametrize("preset_id", [preset.id for preset in PRESETS.values() if preset.env])
def test_its_variable_adds_the_same_provider(preset_id: str) -> None:
    preset = PRESETS[preset_id]
    address = next((name for name in preset.env if name.endswith(("_HOST", "_BASE_URL", "_API_BASE", "_ENDPOINT"))), "")
    variables = {preset.env[0]: "http://10.0.0.5:8000"} | ({address: "http://10.0.0.5:8000"} if address else {})

    config = declared_config((), variables, REGISTRY, NOW)

    (provider,) = (provider for provider in config.providers if provider.id == preset_id)
    assert as_added(provider) == expected(preset, provider.base_url)


@pytest.mark.parametrize("door", [by_api, by_file])
@pytest.mark.parametrize("preset_id", [preset.id for preset in PRESETS.values() if preset.base_url])
async def test_a_provider_of_another_id_is_of_its_presets_kind(tmp_path: Path, door: Door, preset_id: str) -> None:
    added = await door({"id": "mine", "settings": {"preset": preset_id}}, tmp_path)

    assert (added.kind, added.name, added.priority) == (PRESETS[preset_id].kind, "mine", PRESETS[preset_id].priority)


@pytest.mark.parametrize("door", DOORS)
async def test_what_is_said_wins_over_the_preset(tmp_path: Path, door: Door) -> None:
    said: dict[str, object] = {
        "id": "anthropic",
        "kind": "openai",
        "name": "Mine",
        "base_url": ELSEWHERE,
        "priority": 3,
    }

    added = await door(said, tmp_path)

    assert {name: getattr(added, name) for name in said} == said
