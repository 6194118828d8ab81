"""What is well-formed and yet not what its writer may think: told at the start and by `omg doctor`, never refused."""

from collections.abc import Iterable, Iterator, Mapping

from application.configuration.credentials import placeholders
from application.configuration.declared import credential_variables
from domain.providers import ProviderPreset
from entrypoints.settings.loading import unknown_variables
from entrypoints.settings.model import ANY_ADDRESS, Settings

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def remarks(settings: Settings, environ: Mapping[str, str], presets: Iterable[ProviderPreset]) -> Iterator[str]:
    """One line each. `environ` is the process's environment; no line shows a value of it."""
    yield from settings.ignored
    for name, hint in unknown_variables(environ):
        yield f"{name} is no setting{hint}"
    for preset in presets:
        for name in credential_variables(preset):
            for variable in placeholders(settings.variables, name):
                yield f"{variable} holds a placeholder, not a key, and is ignored"
    proxies = [name for name in environ if name.upper() in _PROXIES and environ[name].strip()]
    if proxies and not settings.proxy:
        yield (
            f"{', '.join(sorted(proxies))} is set and not used: the gateway calls providers directly; "
            "where only a proxy leads out, set OMG_PROXY (to its address, or to environment)"
        )
    if settings.host in ANY_ADDRESS:
        yield (
            f"{settings.host} is reachable from other machines over plain HTTP; put a proxy with TLS in front, "
            "and name the hosts clients use in OMG_ALLOWED_HOSTS or OMG_PUBLIC_URL"
        )
