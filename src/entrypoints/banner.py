"""What `omg serve` prints once it listens: the addresses, and after a first start the credentials and a first call."""

from collections.abc import Iterator

from application.bootstrap import FirstStart
from domain.secrets import Secret
from entrypoints.lifespan import RunningGateway
from entrypoints.settings.model import Settings

FREE_PROVIDERS = (
    ("CEREBRAS_API_KEY", "https://cloud.cerebras.ai"),
    ("OPENROUTER_API_KEY", "https://openrouter.ai/keys"),
    ("GEMINI_API_KEY", "https://aistudio.google.com/apikey"),
)
"""Providers with a free tier: what to set where nothing is set."""


def banner(settings: Settings, gateway: RunningGateway, address: str) -> str:
    """The whole text, with secrets only where `gateway.first_start` holds them."""
    return "\n".join(_lines(settings, gateway, address)) + "\n"


def _lines(settings: Settings, gateway: RunningGateway, address: str) -> Iterator[str]:
    first, model = gateway.first_start, _model(gateway)
    yield ""
    yield "Open Model Gateway is listening."
    yield ""
    yield f"  API    {address}/v1"
    yield f"  Docs   {address}/docs"
    yield f"  Models {_offered(gateway)}"
    if first is not None:
        yield ""
        yield "First start. These are shown once; only their digests are kept:"
        yield ""
        yield f"  Admin token   {_shown(first.admin_token, 'OMG_ADMIN_TOKEN')}"
        yield f"  Virtual key   {_shown(first.virtual_key, 'OMG_BOOTSTRAP_KEY')}"
        yield ""
        yield "Try it:" if model else "When a provider is set up (below), try it:"
        yield ""
        yield from _curl(settings, first, address, model or "auto")
    if not gateway.services.state.current.live:
        yield ""
        yield "No provider is set up yet. Set one of these (free tiers), or any other provider's variable, and restart;"
        yield "or add one with 'omg providers add'; or look around with 'omg serve --demo':"
        yield ""
        for variable, where in FREE_PROVIDERS:
            yield f"  {variable:<20} {where}"
    yield ""


def _curl(settings: Settings, first: FirstStart, address: str, model: str) -> Iterator[str]:
    key = first.virtual_key.reveal() if first.virtual_key else "$OMG_BOOTSTRAP_KEY"
    yield f"  curl {address}/v1/chat/completions \\"
    if settings.auth == "keys":
        yield f'    -H "Authorization: Bearer {key}" \\'
    yield '    -H "Content-Type: application/json" \\'
    yield f'    -d \'{{"model": "{model}", "messages": [{{"role": "user", "content": "Say hello."}}]}}\''


def _shown(made: Secret | None, variable: str) -> str:
    return made.reveal() if made else f"as set in {variable}"


def _model(gateway: RunningGateway) -> str | None:
    """A model that the first provider in order is known to serve."""
    for live in gateway.services.state.current.live:
        if model := gateway.services.directory.default_model(live):
            return model if "'" not in model and '"' not in model else None
    return None


def _offered(gateway: RunningGateway) -> str:
    names = [live.provider.id for live in gateway.services.state.current.live]
    return "from " + ", ".join(names) if names else "none yet"
