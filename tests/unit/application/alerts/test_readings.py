"""Each event, from what it is really about to its delivery."""

from datetime import timedelta

import pytest

from application.alerts.book import AlertBook
from application.alerts.dispatch import AlertDispatch
from application.alerts.error_rates import ErrorRates
from application.alerts.readings import ExpiryReadings, ModelReadings, ProviderReadings
from application.alerts.watch import AlertWatch
from application.inference.calls import CHAT
from application.usage.naming import Naming
from application.usage.report import UsageReport
from domain.alerts import Alert, AlertChannel, AlertEvent, AlertRule
from domain.errors import AllCandidatesFailed
from domain.failover import FailureKind
from domain.lifecycle import Retirement
from domain.quotas import QuotaRule, provider_owner_id
from domain.usage import BillingFacts, TokenUsage
from tests.builders import NOW, a_chat_payload, a_request_record, a_tenant, a_virtual_key, an_attempt_record
from tests.fakes.alerts import RememberingSender
from tests.fakes.gateway import FakeGateway
from tests.fakes.ids import CountingIds
from tests.fakes.names import MemoryNames
from tests.fakes.providers import FakeChatProvider, Step, failure
from tests.fakes.usage_reader import MemoryUsage

CHANNEL = AlertChannel("alc_1", "webhook", "", "https://hooks.example", (), None, True, NOW, NOW)
OK = TokenUsage(1, 1)


class Told:
    """A gateway with one rule, and what its one channel gets."""

    def __init__(self, gateway: FakeGateway, event: AlertEvent) -> None:
        self.gateway = gateway
        self.clock = gateway.clock
        self.usage = MemoryUsage()
        self._rule = AlertRule("alr_1", event, None, 0, ("alc_1",), True, NOW, NOW)
        self._sender = RememberingSender()
        book = AlertBook()
        report = UsageReport(self.usage, Naming(MemoryNames(gateway.store), gateway.state), self.clock)
        rates = ErrorRates(gateway.books, gateway.state, book, self.clock)
        sources = (
            ProviderReadings(gateway.state, gateway.availability, self.clock).source(),
            rates.source(),
            ExpiryReadings(self.clock).source(),
            *ModelReadings(gateway.directory, report, self.clock).sources(),
        )
        self._book, self._rates = book, rates
        self._watch = AlertWatch(gateway.store, book, sources, self.clock, CountingIds())
        self._dispatch = AlertDispatch(gateway.store, book, {"webhook": self._sender}, self.clock)

    @classmethod
    async def of(cls, event: AlertEvent, *script: Step) -> "Told":
        told = cls(await FakeGateway({"a": FakeChatProvider(*script)}).started(), event)
        async with told.gateway.store.write() as unit:
            await unit.alert_config.put_channel(CHANNEL)
            await unit.alert_config.put_rule(told._rule)
            await told._book.reload(unit)
        told._rates.follow_rules()
        return told

    async def delivered(self) -> list[Alert]:
        """What was sent until now."""
        self.clock.advance(11.0)
        await self._watch.turn()
        await self._dispatch.send_due()
        return [delivery.alert for _, delivery in self._sender.sent]

    async def ask(self, times: int = 1) -> None:
        for _ in range(times):
            call = self.gateway.call(a_chat_payload())
            try:
                await self.gateway.pipeline.complete(CHAT, call)
            except AllCandidatesFailed:
                self.clock.advance(1.0)


async def test_a_key_that_its_provider_refuses_is_told_once() -> None:
    told = await Told.of("provider_down", failure(FailureKind.INVALID_CREDENTIAL))
    assert await told.delivered() == []

    await told.ask()
    first = await told.delivered()

    assert {(alert.subject.kind, alert.subject.id) for alert in first} == {("provider_key", "pk_a"), ("provider", "a")}
    assert await told.delivered() == first


@pytest.mark.parametrize("owner", ["pk_a", provider_owner_id("a")])
async def test_a_quota_of_which_little_is_left_is_told_before_it_is_used_up(owner: str) -> None:
    told = await Told.of("quota_low", OK)
    told.gateway.availability.plan_quotas({"pk_a": [(owner, QuotaRule("requests", 10, "month", "admin"))]})

    await told.ask(8)
    assert await told.delivered() == []
    await told.ask()

    (alert,) = await told.delivered()
    assert (alert.value, alert.limit, alert.threshold) == (1, 10, 0.9)
    assert alert.subject.kind == ("provider_key" if owner == "pk_a" else "provider")
    assert "90%" in alert.text


async def test_that_a_quota_is_used_up_is_no_other_news_in_the_same_month() -> None:
    told = await Told.of("quota_low", OK)
    told.gateway.availability.plan_quotas({"pk_a": [("pk_a", QuotaRule("requests", 10, "month", "admin"))]})
    await told.ask(9)
    first = await told.delivered()

    await told.ask()

    assert await told.delivered() == first


async def test_a_minutes_quota_is_no_news() -> None:
    told = await Told.of("quota_low", OK)
    told.gateway.availability.plan_quotas({"pk_a": [("pk_a", QuotaRule("requests", 10, "hour", "admin"))]})

    await told.ask(10)

    assert await told.delivered() == []


async def test_credit_that_is_used_up_is_told() -> None:
    told = await Told.of("quota_low", failure(FailureKind.QUOTA_EXHAUSTED, retry_after_seconds=10_000.0))

    await told.ask()

    (alert,) = await told.delivered()
    assert (alert.subject.id, alert.value) == ("pk_a", 1.0)


async def test_a_provider_half_of_whose_calls_fail_is_told() -> None:
    script: list[Step] = [failure(FailureKind.SERVER_ERROR), OK]
    told = await Told.of("error_rate", *script * 12)

    await told.ask(9)
    assert await told.delivered() == []  # of fewer than 20 calls nothing can be said
    await told.ask(3)

    (alert,) = await told.delivered()
    assert alert.subject.id == "a"
    assert alert.value == 0.5


async def test_a_key_that_ends_within_a_week_is_told_and_a_revoked_one_is_not() -> None:
    told = await Told.of("key_expiring")
    soon = told.clock.now() + timedelta(days=3)
    async with told.gateway.store.write() as unit:
        await unit.tenants.add(a_tenant())
        await unit.virtual_keys.add(a_virtual_key("key_soon", expires_at=soon))
        await unit.virtual_keys.add(a_virtual_key("key_later", expires_at=soon + timedelta(days=30)))
        await unit.virtual_keys.add(a_virtual_key("key_gone", expires_at=soon, revoked_at=NOW))

    (alert,) = await told.delivered()

    assert (alert.subject.id, alert.period_end) == ("key_soon", soon)


async def test_a_model_in_use_that_ends_within_a_month_is_told_and_one_that_nobody_uses_is_not() -> None:
    told = await Told.of("model_retiring")
    ends = told.clock.now().date() + timedelta(days=10)
    for model in ("m", "unused"):
        told.gateway.ends["a", model] = Retirement(ends, "its page", "better")
    attempt = an_attempt_record(provider_id="a")
    told.usage.records.append(
        a_request_record(provider_id="a", attempts=(attempt,), created_at=told.clock.now() - timedelta(days=2))
    )

    (alert,) = await told.delivered()

    assert alert.subject.id == "a/m"
    assert ends.isoformat() in alert.text
    assert "better" in alert.text


async def test_a_model_that_is_charged_otherwise_than_our_prices_say_is_told() -> None:
    told = await Told.of("cost_drift")
    usage = TokenUsage(1, 1, billing=BillingFacts(cost_nano_usd=2_000_000))
    attempt = an_attempt_record(provider_id="a", usage=usage, computed_nano_usd=1_000_000)
    for number in range(5):
        told.usage.records.append(
            a_request_record(f"req_{number}", attempts=(attempt,), created_at=told.clock.now() - timedelta(hours=1))
        )

    (alert,) = await told.delivered()

    assert alert.subject.id == "a/m"
    assert "$0.01" in alert.text
