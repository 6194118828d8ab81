"""What can be carried over from LiteLLM, as a document."""

from collections.abc import Collection, Mapping

from adapters.litellm.database import DatabaseUnreadable, read_tables
from adapters.litellm.sealed import SealUnsupported
from adapters.litellm.translation import Carried, Installation, carried
from application.inference.calls import ENDPOINTS
from entrypoints.settings.model import Settings, SettingsError

__all__ = ["Carried", "carry_over"]


async def carry_over(
    settings: Settings,
    config: Mapping[str, object],
    database_url: str | None,
    declared: Collection[str],
    *,
    approximate: bool,
) -> Carried:
    """`declared` are the providers that are here already and cannot be made. Raises `SettingsError`."""
    variables = settings.variables
    salt = variables.get("LITELLM_SALT_KEY") or variables.get("LITELLM_MASTER_KEY") or ""
    try:
        here = Installation(variables, declared, ENDPOINTS)
        return carried(config, await read_tables(database_url), salt, here, approximate=approximate)
    except (DatabaseUnreadable, SealUnsupported) as error:
        raise SettingsError(str(error)) from None
