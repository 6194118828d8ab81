"""`GET /admin/provider-kinds`: the adapters, the providers they know, and what each makes of every parameter."""

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get

from domain.ports.providers import ProviderRegistry
from domain.providers import KindDescription
from entrypoints.http.admin.operations import READ_ERRORS, example
from entrypoints.http.authorization import require_admin


class ProviderKindList(msgspec.Struct, frozen=True):
    """Every registered adapter; the list is short and has one page."""

    data: tuple[KindDescription, ...]
    next_cursor: str | None = None


_EXAMPLE = {
    "data": [
        {
            "kind": "openai",
            "name": "OpenAI and every OpenAI-compatible API",
            "endpoints": ["chat", "models"],
            "params": {"temperature": "honored", "max_completion_tokens": "mapped"},
            "presets": [],
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
        description="Every adapter with its endpoints, the providers it knows by id (their address, variables and "
        "where to get a key), and for each parameter whether it is honored, mapped, dropped or refused.",
        responses={200: example(_EXAMPLE, "The adapters", ProviderKindList), **READ_ERRORS},
    )
    @inject
    async def list_kinds(self, registry: FromDishka[ProviderRegistry]) -> ProviderKindList:
        return ProviderKindList(tuple(registry.kinds()))
