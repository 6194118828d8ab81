"""Providers as an admin changes them."""

import pytest

from application.admin.provider_changes import ProviderChange, SettingsChange
from application.admin.providers import KEYS_REMOVED
from application.configuration.new_providers import NewProvider
from domain.availability import ProviderStatus
from domain.configuration import Section
from domain.errors import Conflict, NotFound, RequestInvalid, UpstreamFailure
from domain.failover import FailureKind
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import TimeoutOverrides
from tests.builders import a_provider, a_provider_key
from tests.fakes.administration import ACTOR, FakeAdministration


async def create(admin: FakeAdministration, provider_id: str = "alpha", key: str | None = "upstream-key-1") -> None:
    await admin.providers.create(ACTOR, NewProvider(id=provider_id, base_url=f"https://{provider_id}.example/v1"))
    if key is not None:
        await admin.keys.add(ACTOR, provider_id, secret=Secret(key), label="", weight=1)


async def test_a_known_provider_needs_only_its_id(admin: FakeAdministration) -> None:
    view = await admin.providers.create(ACTOR, NewProvider(id="openrouter"))

    assert (view.provider.name, view.provider.kind, view.provider.priority) == ("OpenRouter", "openai", 20)
    assert (view.provider.base_url, view.base_url) == (None, "https://openrouter.example/api/v1")
    assert (view.status, view.keys) == (ProviderStatus.NO_KEY, 0)


async def test_a_provider_of_ones_own_needs_a_url_too(admin: FakeAdministration) -> None:
    view = await admin.providers.create(
        ACTOR, NewProvider(id="mine", base_url="http://127.0.0.1:8080/v1", kind="keyless")
    )

    assert (view.provider.priority, view.provider.owner) == (100, "database")
    assert view.status is ProviderStatus.AVAILABLE
    assert view.capabilities == ("chat",)


@pytest.mark.parametrize("provider_id", ["v1", "Upper", "", "a/b", "-x"])
async def test_an_id_that_could_not_stand_in_a_url_is_refused(admin: FakeAdministration, provider_id: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await admin.providers.create(ACTOR, NewProvider(id=provider_id, base_url="https://x.example"))

    assert caught.value.param == "id"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example",
        "x.example/v1",
        "https://",
        "https://user:secret@x.example",
        "https://x.example/v1?key=1",
        "https://x.example:0/v1",
        "https://x.example:port/v1",
        "https://x .example",
        "https://[::1",
    ],
)
async def test_a_base_url_that_is_no_plain_address_is_refused(admin: FakeAdministration, url: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url=url))

    assert caught.value.param == "base_url"
    assert "secret@" not in caught.value.message


async def test_an_id_is_taken_once(admin: FakeAdministration) -> None:
    await create(admin)

    with pytest.raises(Conflict, match="exists already"):
        await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url="https://other.example"))


async def test_a_declared_provider_is_changed_where_it_is_declared(admin: FakeAdministration) -> None:
    with pytest.raises(Conflict, match="environment") as caught:
        await admin.providers.update(ACTOR, "groq", ProviderChange(priority=1))
    assert caught.value.code == "read_only"
    with pytest.raises(Conflict, match="environment"):
        await admin.providers.delete(ACTOR, "groq")
    with pytest.raises(Conflict, match=r"exists already.*environment"):
        await admin.providers.create(ACTOR, NewProvider(id="groq", base_url="https://evil.example"))


async def test_the_refusal_names_the_variable_of_a_known_provider() -> None:

    declared = a_provider("openrouter", owner="environment", base_url=None)
    admin = await FakeAdministration(declared=[declared]).started()

    with pytest.raises(Conflict, match="OPENROUTER_API_KEY"):
        await admin.providers.delete(ACTOR, "openrouter")


async def test_a_provider_that_is_nowhere_is_not_found(admin: FakeAdministration) -> None:
    for attempt in (
        admin.providers.get("nobody"),
        admin.providers.update(ACTOR, "nobody", ProviderChange(priority=1)),
        admin.providers.delete(ACTOR, "nobody"),
        admin.providers.retry(ACTOR, "nobody"),
    ):
        with pytest.raises(NotFound) as caught:
            await attempt
        assert caught.value.code == "provider_not_found"


async def test_a_change_leaves_what_it_does_not_name(admin: FakeAdministration) -> None:
    await admin.providers.create(
        ACTOR,
        NewProvider(
            id="alpha",
            base_url="https://alpha.example/v1",
            priority=7,
            settings=ProviderSettings(models=("m",), default_model="m"),
        ),
    )
    admin.clock.advance(5)

    view = await admin.providers.update(
        ACTOR,
        "alpha",
        ProviderChange(
            name="New name", settings=SettingsChange(default_model=None, timeouts=TimeoutOverrides(connect=1.5))
        ),
    )

    assert (view.provider.name, view.provider.priority) == ("New name", 7)
    assert view.provider.settings == ProviderSettings(models=("m",), timeouts=TimeoutOverrides(connect=1.5))
    assert view.provider.version == 2
    assert view.provider.updated_at == admin.clock.now()


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        (ProviderSettings(timeouts=TimeoutOverrides(connect=0)), "settings.timeouts.connect"),
        (ProviderSettings(model_timeouts={"m": TimeoutOverrides(idle=-1)}), "settings.model_timeouts.m.idle"),
        (ProviderSettings(max_connections=0), "settings.max_connections"),
    ],
)
async def test_settings_no_call_could_live_with_are_refused(
    admin: FakeAdministration, settings: ProviderSettings, param: str
) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url="https://a.example", settings=settings))

    assert caught.value.param == param


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/v1",
        "http://alpha.example/v1",
        "https://alpha.example:8443/v1",
    ],
)
async def test_another_origin_removes_the_stored_keys_and_says_so(admin: FakeAdministration, url: str) -> None:
    """S-07: a credential is bound to scheme, host and port."""
    await create(admin)

    view = await admin.providers.update(ACTOR, "alpha", ProviderChange(base_url=url))

    assert (view.keys, view.status, view.notice) == (0, ProviderStatus.NO_KEY, KEYS_REMOVED)
    async with admin.store.read() as unit:
        assert await unit.keys.list_for("alpha") == []


@pytest.mark.parametrize("url", ["https://alpha.example/other", "https://ALPHA.example:443/v1"])
async def test_the_same_origin_keeps_the_keys(admin: FakeAdministration, url: str) -> None:
    await create(admin)

    view = await admin.providers.update(ACTOR, "alpha", ProviderChange(base_url=url))

    assert (view.keys, view.notice) == (1, None)


async def test_a_preset_that_leads_elsewhere_removes_the_keys_too(admin: FakeAdministration) -> None:
    await admin.providers.create(ACTOR, NewProvider(id="openrouter"))
    await admin.keys.add(ACTOR, "openrouter", secret=Secret("upstream-key-1"), label="", weight=1)

    view = await admin.providers.update(ACTOR, "openrouter", ProviderChange(base_url="https://evil.example/v1"))

    assert (view.keys, view.status) == (0, ProviderStatus.NO_KEY)


async def test_a_key_from_the_environment_forbids_another_origin() -> None:

    admin = FakeAdministration(declared_keys=[a_provider_key("pk_env_alpha", "alpha", owner="environment")])
    await admin.started()
    await create(admin, key=None)

    with pytest.raises(Conflict, match="environment") as caught:
        await admin.providers.update(ACTOR, "alpha", ProviderChange(base_url="https://evil.example"))

    assert caught.value.param == "base_url"
    assert (await admin.providers.get("alpha")).base_url == "https://alpha.example/v1"


async def test_keys_that_outlived_a_provider_do_not_come_back_with_its_id(admin: FakeAdministration) -> None:

    async with admin.store.write() as unit:
        await unit.keys.add(a_provider_key("pk_old", "alpha"))

    view = await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url="https://evil.example"))

    assert view.keys == 0


async def test_a_deleted_provider_takes_its_keys_along(admin: FakeAdministration) -> None:
    await create(admin)

    await admin.providers.delete(ACTOR, "alpha")

    assert "alpha" not in admin.state.current.by_id
    async with admin.store.read() as unit:
        assert await unit.keys.list_for("alpha") == []


async def test_every_write_reaches_other_processes_by_the_version(admin: FakeAdministration) -> None:
    versions = [await admin.config_version()]
    await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url="https://alpha.example"))
    versions.append(await admin.config_version())
    await admin.providers.update(ACTOR, "alpha", ProviderChange(enabled=False))
    versions.append(await admin.config_version())
    await admin.providers.delete(ACTOR, "alpha")
    versions.append(await admin.config_version())

    assert versions == [0, 1, 2, 3]
    assert admin.state.version == 3


async def test_a_refused_write_changes_nothing(admin: FakeAdministration) -> None:
    await create(admin)
    version = await admin.config_version()

    with pytest.raises(RequestInvalid):
        await admin.providers.update(ACTOR, "alpha", ProviderChange(kind="unknown"))

    assert await admin.config_version() == version
    assert (await admin.providers.get("alpha")).provider.kind == "openai"


async def test_what_another_process_wrote_is_listed(admin: FakeAdministration) -> None:

    async with admin.store.write() as unit:
        await unit.providers.add(a_provider("beta", priority=1))
        await unit.config_versions.bump(Section.PROVIDERS)

    page = await admin.providers.list_page(50, None)

    assert [view.provider.id for view in page.data] == ["beta", "groq"]


async def test_a_list_comes_in_pages(admin: FakeAdministration) -> None:
    for name in ("alpha", "beta", "gamma"):
        await create(admin, name, key=None)

    first = await admin.providers.list_page(3, None)
    second = await admin.providers.list_page(3, first.next_cursor)

    assert [view.provider.id for view in (*first.data, *second.data)] == ["groq", "alpha", "beta", "gamma"]
    assert (first.next_cursor, second.next_cursor) == ("beta", None)
    with pytest.raises(RequestInvalid):
        await admin.providers.list_page(3, "gone")


def fail(admin: FakeAdministration, kind: FailureKind, seconds: float | None = None, times: int = 1) -> None:
    key_id = admin.state.current.by_id["alpha"].keys[0].id
    for _ in range(times):
        failure = UpstreamFailure(kind, "they said no", retry_after_seconds=seconds)
        admin.availability.record_failure("alpha", key_id, "m", failure)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FailureKind.RATE_LIMITED, ProviderStatus.RATE_LIMITED),
        (FailureKind.QUOTA_EXHAUSTED, ProviderStatus.EXHAUSTED),
        (FailureKind.INVALID_CREDENTIAL, ProviderStatus.INVALID_KEY),
    ],
)
async def test_the_status_says_what_the_only_key_suffers_from(
    admin: FakeAdministration, kind: FailureKind, status: ProviderStatus
) -> None:
    await create(admin)
    fail(admin, kind, 60)

    view = await admin.providers.get("alpha")

    assert (view.status, view.reason) == (status, "they said no")
    assert view.available_at is not None


async def test_one_good_key_makes_a_provider_available(admin: FakeAdministration) -> None:
    await create(admin)
    fail(admin, FailureKind.RATE_LIMITED, 60)

    await admin.keys.add(ACTOR, "alpha", secret=Secret("upstream-key-2"), label="", weight=1)

    assert (await admin.providers.get("alpha")).status is ProviderStatus.AVAILABLE


async def test_failures_in_a_row_show_as_unhealthy_until_the_next_probe(admin: FakeAdministration) -> None:
    await create(admin)
    fail(admin, FailureKind.CONNECT, times=5)

    view = await admin.providers.get("alpha")

    assert view.status is ProviderStatus.UNHEALTHY
    assert view.available_at is not None
    assert (view.available_at - admin.clock.now()).total_seconds() == 30


async def test_a_disabled_provider_shows_as_disabled(admin: FakeAdministration) -> None:
    await create(admin)

    view = await admin.providers.update(ACTOR, "alpha", ProviderChange(enabled=False))

    assert (view.status, view.available_at) == (ProviderStatus.DISABLED, None)


async def test_a_retry_brings_a_provider_back_at_once(admin: FakeAdministration) -> None:
    await create(admin)
    fail(admin, FailureKind.INVALID_CREDENTIAL)
    fail(admin, FailureKind.CONNECT, times=5)

    view = await admin.providers.retry(ACTOR, "alpha")

    assert view.status is ProviderStatus.AVAILABLE


async def test_another_address_gets_a_fresh_chance(admin: FakeAdministration) -> None:
    await create(admin)
    fail(admin, FailureKind.CONNECT, times=5)

    view = await admin.providers.update(ACTOR, "alpha", ProviderChange(base_url="https://alpha.example/v2"))

    assert view.status is ProviderStatus.AVAILABLE


@pytest.mark.parametrize(("scheme", "left"), [("http", 0), ("https", 1)])
async def test_a_key_leaves_with_the_proxy_that_could_read_it(
    admin: FakeAdministration, scheme: str, left: int
) -> None:
    await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url=f"{scheme}://alpha.example/v1"))
    async with admin.store.write() as unit:
        await unit.keys.add(a_provider_key("pk_1", "alpha"))
        await unit.config_versions.bump(Section.PROVIDERS)

    change = ProviderChange(settings=SettingsChange(proxy="http://proxy.example:3128"))
    view = await admin.providers.update(ACTOR, "alpha", change)

    assert view.keys == left
