"""Who may change an object: what the environment, the file or the demo declares is changed there."""

from typing import NoReturn

from application.snapshot import GatewayState
from domain.errors import Conflict, NotFound
from domain.providers import Owner, Provider, ProviderPreset


def no_such_provider(provider_id: str) -> NotFound:
    return NotFound(
        f"There is no provider '{provider_id}'. GET /admin/providers lists them.", code="provider_not_found"
    )


def read_only(what: str, owner: Owner, preset: ProviderPreset | None) -> Conflict:
    """The refusal, with the owner and the place where the change can be made."""
    if owner == "environment":
        variable = f" ({preset.env[0]})" if preset and preset.env else ""
        where = f"the environment{variable}: change it there, or declare it in the settings file, and restart"
    elif owner == "file":
        where = "the settings file: change it there and restart"
    else:
        where = "the demo: start without --demo to be rid of it"
    return Conflict(f"{what} is declared by {where}.", code="read_only")


def declared(state: GatewayState, provider_id: str) -> Provider | None:
    """The provider of this id that is not the database's, if there is one."""
    return next((provider for provider in state.declared.providers if provider.id == provider_id), None)


def preset_of(state: GatewayState, provider_id: str) -> ProviderPreset | None:
    live = state.current.by_id.get(provider_id)
    return live.preset if live else None


def refuse_declared(state: GatewayState, provider_id: str) -> NoReturn:
    """Raises `Conflict` for a declared provider, `NotFound` for one that is nowhere."""
    provider = declared(state, provider_id)
    if provider is None:
        raise no_such_provider(provider_id)
    raise read_only(f"Provider '{provider_id}'", provider.owner, preset_of(state, provider_id))
