"""Readiness and the admin's health report (R-38, R-40, S-26)."""

from application.configuration.new_providers import NewProvider
from domain.errors import UpstreamFailure
from domain.failover import FailureKind
from entrypoints.background import following
from tests.fakes.administration import ACTOR, FakeAdministration


async def test_a_database_that_was_never_reached_is_not_ready(admin: FakeAdministration) -> None:
    admin.store.broken = True

    assert not await admin.watch.ready()


async def test_a_database_that_goes_away_is_forgiven_for_a_minute(admin: FakeAdministration) -> None:
    assert await admin.watch.ready()
    admin.store.broken = True

    admin.clock.advance(59)
    assert await admin.watch.ready()
    assert not await admin.watch.answers()
    admin.clock.advance(1)
    assert not await admin.watch.ready()
    admin.store.broken = False
    admin.clock.advance(1)
    assert await admin.watch.ready()


async def test_the_minute_begins_when_the_database_last_answered_anybody(admin: FakeAdministration) -> None:
    """R-40: readiness may not have been asked for long before the outage; the look for changes is, each second."""
    assert await admin.watch.ready()
    look = following(admin.state, admin.watch)
    admin.clock.advance(600)
    await look()
    admin.store.broken = True

    admin.clock.advance(59)
    await look()
    assert await admin.watch.ready()
    admin.clock.advance(1)
    assert not await admin.watch.ready()


async def test_the_database_is_asked_at_most_once_a_second(admin: FakeAdministration) -> None:
    await admin.watch.answers()
    admin.store.broken = True

    assert await admin.watch.answers()
    admin.clock.advance(1)

    assert not await admin.watch.answers()


async def test_the_report_tells_database_breakers_keys_and_uptime(admin: FakeAdministration) -> None:
    await admin.providers.create(ACTOR, NewProvider(id="alpha", base_url="https://alpha.example"))
    failure = UpstreamFailure(FailureKind.CONNECT, "no")
    for _ in range(5):
        admin.availability.record_failure("groq", "pk_env_groq", "m", failure)
    admin.clock.advance(10)

    report = await admin.health.report()

    assert (report.status, report.database.status, report.uptime_seconds) == ("degraded", "ok", 10.0)
    assert report.config_version == 1
    groq, alpha = report.providers
    assert (groq.id, groq.status, groq.breaker, groq.keys, groq.keys_available) == ("groq", "unhealthy", "open", 1, 1)
    assert (alpha.id, alpha.status, alpha.breaker, alpha.keys) == ("alpha", "no_key", "closed", 0)


async def test_one_available_provider_is_enough_to_be_well(admin: FakeAdministration) -> None:
    assert (await admin.health.report()).status == "ok"

    admin.store.broken = True
    admin.clock.advance(1)

    assert (await admin.health.report()).status == "degraded"


async def test_usage_that_cannot_be_written_down_is_no_good_health(admin: FakeAdministration) -> None:
    """R-30."""
    admin.ledger.can_write = False

    report = await admin.health.report()

    assert (report.status, report.usage.writable) == ("degraded", False)
