"""What the environment, the settings file and the demo declare: providers and keys that no one edits by API."""

from collections.abc import AsyncIterator, Iterable

import msgspec
from dishka import Provider as Module
from dishka import Scope, provide

from application.configuration.declared import DeclarationInvalid, Declared, with_secrets
from application.configuration.declared import declared_config as declared_by
from application.configuration.routes import declared_routes
from application.snapshot import DeclaredConfig
from domain.errors import RequestInvalid
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.ports.security import SecretReferences
from entrypoints.demo import DemoUpstream, demo_config, demo_facts, demo_prices, demo_upstream
from entrypoints.settings.model import Settings, SettingsError


class DeclaredModule(Module):
    scope = Scope.APP

    @provide
    async def demo(self, settings: Settings) -> AsyncIterator[DemoUpstream]:
        async with demo_upstream(enabled=settings.demo) as upstream:
            yield upstream

    @provide
    async def declared(
        self,
        settings: Settings,
        registry: ProviderRegistry,
        clock: Clock,
        demo: DemoUpstream,
        references: SecretReferences,
    ) -> DeclaredConfig:
        config = declared_config(settings, registry, clock, demo_config(demo, clock))
        found = msgspec.structs.replace(config, prices=demo_prices(demo), facts=demo_facts(demo))
        return await resolved(found, references)


async def resolved(config: DeclaredConfig, references: SecretReferences) -> DeclaredConfig:
    """The same with what its secrets lead to. Raises `SettingsError`."""
    try:
        return await with_secrets(config, references)
    except DeclarationInvalid as error:
        raise SettingsError(str(error)) from None


def declared_config(
    settings: Settings, registry: ProviderRegistry, clock: Clock, demo: Iterable[Declared] = ()
) -> DeclaredConfig:
    """Everything that these settings declare. Raises `SettingsError`."""
    try:
        variables = settings.variables
        config = declared_by(settings.providers, variables, registry, clock.now(), demo, variables.kept_in_files())
        return msgspec.structs.replace(config, routes=declared_routes(settings.routes, clock.now()))
    except DeclarationInvalid as error:
        raise SettingsError(str(error)) from None
    except RequestInvalid as error:
        raise SettingsError(f"{error.param}: {error.message}") from None
