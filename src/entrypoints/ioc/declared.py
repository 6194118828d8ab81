"""What the environment, the settings file and the demo declare: providers and keys that no one edits by API."""

from collections.abc import AsyncIterator, Iterable, Iterator

from dishka import Provider as Module
from dishka import Scope, provide

from application.snapshot import DeclaredConfig
from domain.errors import RequestInvalid
from domain.keys import ProviderKey
from domain.ports.providers import ProviderRegistry
from domain.ports.runtime import Clock
from domain.providers import Owner, Provider, ProviderPreset, ProviderSettings, check_provider_id
from domain.secrets import Secret
from entrypoints.ioc.demo import DemoUpstream, demo_config
from entrypoints.settings.model import DeclaredProvider, Settings, SettingsError, Variables

FILE_PRIORITY = 50
"""Of a provider the file declares without one and that is no preset: before the presets."""

_ADDRESS_VARIABLES = ("_HOST", "_BASE_URL", "_API_BASE", "_ENDPOINT")


class DeclaredModule(Module):
    scope = Scope.APP

    @provide
    async def demo(self, settings: Settings) -> AsyncIterator[DemoUpstream]:
        """The simulated upstream, running for as long as the container lives, where the demo is on."""
        upstream = DemoUpstream()
        if settings.demo:
            await upstream.start()
        yield upstream
        await upstream.stop()

    @provide
    def declared(
        self, settings: Settings, registry: ProviderRegistry, clock: Clock, demo: DemoUpstream
    ) -> DeclaredConfig:
        return declared_config(settings, registry, clock, demo_config(demo, clock))


Declared = tuple[Provider, tuple[ProviderKey, ...]]


def declared_config(
    settings: Settings, registry: ProviderRegistry, clock: Clock, demo: Iterable[Declared] = ()
) -> DeclaredConfig:
    """Everything declared, each provider once. Raises `SettingsError`.

    The file's declaration of a provider wins over the environment's; a key that only the environment has for it
    stays, so that the file can set a priority and leave the secret where it is.
    """
    declaring = _Declaring(registry, clock)
    found = {declared.id: declaring.from_file(declared) for declared in settings.providers}
    for provider, keys in declaring.from_environment(settings.variables):
        known, known_keys = found.get(provider.id, (provider, ()))
        found[provider.id] = (known, known_keys or keys)
    everything = (*found.values(), *demo)
    return DeclaredConfig(
        tuple(provider for provider, _ in everything), tuple(key for _, keys in everything for key in keys)
    )


class _Declaring:
    def __init__(self, registry: ProviderRegistry, clock: Clock) -> None:
        self._registry = registry
        self._presets = {preset.id: preset for preset in registry.presets()}
        self._now = clock.now()

    def from_environment(self, variables: Variables) -> Iterator[Declared]:
        """A provider for each preset whose usual variable is set, with its key where the variable holds one."""
        for preset in self._presets.values():
            address, secret = _address(preset, variables), _credential(preset, variables)
            ambient = any(variables.get(name) for name in preset.ambient)
            if secret is None and (preset.requires_key or address is None) and not ambient:
                continue
            provider = self._provider(preset, address)
            yield provider, (self._key(f"pk_env_{preset.id}", preset.id, "environment", secret),) if secret else ()

    def from_file(self, declared: DeclaredProvider) -> Declared:
        """Raises `SettingsError` for a provider that could never be called."""
        where = f"providers ({declared.id})"
        preset = self._presets.get(declared.id)
        try:
            check_provider_id(declared.id)
            if preset is None and declared.base_url is None:
                raise SettingsError(f"{where}: base_url is missing, and no preset has this id")
            provider = Provider(
                id=declared.id,
                kind=declared.kind or (preset.kind if preset else "openai"),
                name=declared.name or (preset.name if preset else declared.id),
                base_url=declared.base_url,
                priority=_priority(declared, preset),
                enabled=declared.enabled,
                settings=declared.settings,
                owner="file",
                version=1,
                created_at=self._now,
                updated_at=self._now,
            )
            self._registry.check(provider)
        except RequestInvalid as error:
            raise SettingsError(f"{where}: {error.message}") from None
        keys = tuple(
            self._key(
                f"pk_file_{declared.id}_{key.label or number}",
                declared.id,
                "file",
                key.secret,
                key.label or str(number),
                key.weight,
            )
            for number, key in enumerate(declared.keys, 1)
        )
        return provider, keys

    def _provider(self, preset: ProviderPreset, base_url: str | None) -> Provider:
        return Provider(
            id=preset.id,
            kind=preset.kind,
            name=preset.name,
            base_url=base_url,
            priority=preset.priority,
            enabled=True,
            settings=ProviderSettings(),
            owner="environment",
            version=1,
            created_at=self._now,
            updated_at=self._now,
        )

    def _key(
        self, key_id: str, provider_id: str, owner: Owner, secret: Secret, label: str = "environment", weight: int = 1
    ) -> ProviderKey:
        return ProviderKey(key_id, provider_id, label, secret, weight, owner, self._now, self._now)


def _priority(declared: DeclaredProvider, preset: ProviderPreset | None) -> int:
    if declared.priority is not None:
        return declared.priority
    return preset.priority if preset else FILE_PRIORITY


def _credential(preset: ProviderPreset, variables: Variables) -> Secret | None:
    """The first of the preset's variables that is set and holds a credential."""
    for name in preset.env:
        if not name.endswith((*_ADDRESS_VARIABLES, "_ACCOUNT_ID")) and (value := variables.get(name)):
            return Secret(value)
    return None


def _address(preset: ProviderPreset, variables: Variables) -> str | None:
    """Where a local server listens, from a variable such as `OLLAMA_HOST`; a bare host gets the preset's port."""
    for name in preset.env:
        if name.endswith(_ADDRESS_VARIABLES) and (value := variables.get(name)):
            return _as_url(value, preset.base_url)
    return None


def _as_url(value: str, default: str) -> str:
    """`0.0.0.0` is where a server listens, not where it is found (Ollama's variable serves both)."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    authority, slash, path = rest.partition("/")
    if ":" not in authority.rpartition("]")[2]:
        port = default.partition("://")[2].partition("/")[0].rpartition(":")[2]
        authority += f":{port}" if port.isdigit() and not separator else ""
    authority = authority.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced, not bound
    return f"{scheme}://{authority}{slash}{path}".rstrip("/")
