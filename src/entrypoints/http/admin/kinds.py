"""`GET /admin/provider-kinds`: the adapters, the providers they know, and what each makes of every parameter."""

from datetime import date

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get

from domain.fidelity import Fidelity, ParamSupport
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.providers import KindDescription, ProviderPreset
from entrypoints.http.admin.free_tiers import EXAMPLE as FREE_TIER_EXAMPLE
from entrypoints.http.admin.free_tiers import FreeTierResponse, free_tier_answer
from entrypoints.http.admin.operations import READ_ERRORS, example
from entrypoints.http.authorization import require_admin


class PresetResponse(msgspec.Struct, frozen=True):
    """A provider that is known by name: `env` and `ambient` are the variables that switch it on."""

    id: str
    kind: str
    name: str
    base_url: str
    env: tuple[str, ...]
    priority: int
    requires_key: bool
    default_model: str | None
    models: tuple[str, ...]
    free_tier: FreeTierResponse
    key_url: str
    ambient: tuple[str, ...]


class ProviderKindResponse(msgspec.Struct, frozen=True):
    """One adapter: its endpoints, what becomes of chat's parameters (`params`), where a preset differs from that."""

    kind: str
    name: str
    endpoints: tuple[str, ...]
    params: dict[str, ParamSupport]
    presets: tuple[PresetResponse, ...]
    preset_params: dict[str, dict[str, ParamSupport]]
    fidelity: dict[str, Fidelity]


class ProviderKindList(msgspec.Struct, frozen=True):
    """Every registered adapter; the list is short and has one page."""

    data: tuple[ProviderKindResponse, ...]
    next_cursor: str | None = None


_EXAMPLE = {
    "data": [
        {
            "kind": "openai",
            "name": "OpenAI and every OpenAI-compatible API",
            "endpoints": ["chat", "models"],
            "params": {"temperature": "honored", "max_completion_tokens": "mapped"},
            "presets": [
                {
                    "id": "openrouter",
                    "kind": "openai",
                    "name": "OpenRouter",
                    "base_url": "https://openrouter.ai/api/v1",
                    "env": ["OPENROUTER_API_KEY"],
                    "priority": 20,
                    "requires_key": True,
                    "default_model": "openrouter/free",
                    "models": ["openrouter/free"],
                    "free_tier": FREE_TIER_EXAMPLE,
                    "key_url": "https://openrouter.ai/keys",
                    "ambient": [],
                }
            ],
            "preset_params": {"cerebras": {"frequency_penalty": "dropped"}},
        }
    ],
    "next_cursor": None,
}


class ProviderKindController(Controller):
    path = "/admin/provider-kinds"
    tags = ("Providers",)
    guards = (require_admin,)

    @get(
        operation_id="listProviderKinds",
        summary="List the adapters",
        description="Every adapter with its endpoints, the providers it knows by id (their address, variables, "
        "what they give away and where to get a key), and for each parameter whether it is honored, mapped, dropped or "
        "refused.",
        responses={200: example(_EXAMPLE, "The adapters", ProviderKindList), **READ_ERRORS},
    )
    @inject
    async def list_kinds(self, registry: FromDishka[ProviderRegistry], clock: FromDishka[Clock]) -> ProviderKindList:
        today = clock.now().date()
        return ProviderKindList(tuple(_kind(kind, today) for kind in registry.kinds()))


def _kind(kind: KindDescription, today: date) -> ProviderKindResponse:
    return ProviderKindResponse(
        kind=kind.kind,
        name=kind.name,
        endpoints=kind.endpoints,
        params=kind.params,
        presets=tuple(_preset(preset, today) for preset in kind.presets),
        preset_params=kind.preset_params,
        fidelity=kind.fidelity,
    )


def _preset(preset: ProviderPreset, today: date) -> PresetResponse:
    return PresetResponse(
        id=preset.id,
        kind=preset.kind,
        name=preset.name,
        base_url=preset.base_url,
        env=preset.env,
        priority=preset.priority,
        requires_key=preset.requires_key,
        default_model=preset.default_model,
        models=preset.models,
        free_tier=free_tier_answer(preset.free_tier, today),
        key_url=preset.key_url,
        ambient=preset.ambient,
    )
