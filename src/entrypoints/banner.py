"""What `omg serve` prints once it listens: the addresses, and after a first start the credentials and a first call."""

from collections.abc import Iterable, Iterator
from datetime import date

from application.bootstrap import FirstStart
from domain.free_tiers import age_in_words, worth_trying
from domain.providers import ProviderPreset
from domain.secrets import Secret
from entrypoints.http.auth.links import PublicAddress
from entrypoints.ioc.upstream import provider_presets
from entrypoints.lifespan import RunningGateway
from entrypoints.settings.model import Settings

_SUGGESTIONS = 4


def banner(settings: Settings, gateway: RunningGateway, address: str) -> str:
    """The whole text, with secrets only where `gateway.first_start` holds them."""
    return "\n".join(_lines(settings, gateway, address)) + "\n"


def _lines(settings: Settings, gateway: RunningGateway, address: str) -> Iterator[str]:
    first, model = gateway.first_start, _model(gateway)
    yield ""
    yield "Open Model Gateway is listening."
    yield ""
    yield f"  Chat   {address}/app{_pages(gateway)}"
    yield f"  API    {address}/v1"
    yield f"  Docs   {address}/docs"
    yield f"  Models {_offered(gateway)}"
    yield f"  Stores {stores(settings)}"
    if settings.auth == "open" and not settings.on_loopback:
        yield ""
        yield "Anyone on this network can use this gateway and set it up: OMG_AUTH=open, OMG_OPEN_ON_NETWORK=true."
    if first is not None:
        yield ""
        yield "First start. These are shown once; only their digests are kept:"
        yield ""
        yield f"  Admin token   {_shown(first.admin_token, 'OMG_ADMIN_TOKEN')}"
        yield f"  Virtual key   {_shown(first.virtual_key, 'OMG_BOOTSTRAP_KEY')}"
        if gateway.sign_in_token is not None:
            yield f"  Sign in       {PublicAddress(address).link(gateway.sign_in_token)}"
            yield "                (once, within 15 minutes; 'omg link' makes a new one)"
        yield ""
        yield "Try it:" if model else "When a provider is set up (below), try it:"
        yield ""
        yield from _curl(settings, first, address, model or "auto")
    if not gateway.services.state.current.live:
        yield ""
        yield "No provider is set up yet. Set one of these (free tiers), or any other provider's variable, and restart;"
        yield "or add one with 'omg providers add'; or look around with 'omg serve --demo':"
        yield ""
        yield from free_tiers(provider_presets(), gateway.services.clock.now().date())
    yield ""


def stores(settings: Settings) -> str:
    """In one line: where things are kept, for how many processes, and what that can promise."""
    if settings.uses_sqlite:
        counted = "limits are counted in Valkey" if settings.valkey_url else "limits are exact, in memory"
        return f"SQLite, for this one process: {counted}; for more workers or hosts set OMG_DATABASE_URL (Postgres)"
    workers = f"{settings.workers} worker{'s' if settings.workers > 1 else ''} here and any on other hosts"
    counted = (
        "limits are exact in Valkey, and a share each while it is away; budgets in Postgres"
        if settings.valkey_url
        else "limits and budgets are exact in Postgres"
    )
    pooled = " (through a pooler)" if settings.database_pooler else ""
    return f"Postgres{pooled}, for {workers}: {counted}; changes hold in all within a second"


def free_tiers(presets: Iterable[ProviderPreset], today: date) -> Iterator[str]:
    """What costs nothing now: the variable to set, where the key is made, how much it is, and how old that fact is."""
    by_id = {preset.id: preset for preset in presets if preset.env}
    for found in worth_trying(((name, preset.free_tier) for name, preset in by_id.items()), today, _SUGGESTIONS):
        preset = by_id[found]
        age = age_in_words(preset.free_tier, today)
        yield f"  {preset.env[0]:<20} {preset.key_url:<40} {preset.free_tier.in_brief()}{f' ({age})' if age else ''}"


def _pages(gateway: RunningGateway) -> str:
    """Behind the address of the pages: nothing, or why they are not there and how to get them."""
    missing = gateway.services.pages.missing
    return "" if missing is None else f"  (not built: {missing}; 'omg web build' makes it)"


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
