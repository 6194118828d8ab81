"""Where the secrets are that settings, files and documents refer to."""

import asyncio
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from adapters.clock import SystemClock
from adapters.security.vault import VaultSecretReferences
from application.configuration.secret_references import ChainedReferences
from domain.ports.runtime import Clock
from domain.ports.security import SecretReferences
from domain.secrets import Secret
from entrypoints.ioc.outbound import calls_out
from entrypoints.settings.model import Settings
from entrypoints.settings.secret_references import LocalSecretReferences


def secret_references(settings: Settings, clock: Clock | None = None) -> SecretReferences:
    """Of this process' variables and files, and of the Vault that its variables name."""
    transport = calls_out(settings, [settings.variables.get("VAULT_CACERT")])
    vault = VaultSecretReferences(settings.variables, transport, clock or SystemClock())
    return ChainedReferences((LocalSecretReferences(settings.variables), vault))


def resolved_at_start(settings: Settings, references: Collection[str]) -> Mapping[str, Secret]:
    """What they lead to, before anything runs: in a thread, so that whoever loads settings may have a loop or none.

    Raises `SecretMissing`.
    """

    async def resolved() -> Mapping[str, Secret]:
        places = secret_references(settings)
        return {reference: await places.resolve(reference) for reference in references}

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(resolved())).result()
