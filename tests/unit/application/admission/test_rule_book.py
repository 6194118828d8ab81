"""Whose limits a request meets: of fields, of what is stored beside, by default, of models and of providers."""

from decimal import Decimal

import msgspec
import pytest

from application.admission.default_rules import Defaults
from application.admission.rule_book import RuleBook
from application.inference.calls import CHAT
from domain.attribution import Attribution
from domain.errors import LimitExceeded
from domain.keys import Principal
from domain.limits import Budget, RateLimits
from domain.prices import PriceRow, Prices
from domain.subject_limits import StoredRule, Subject, SubjectKind, SubjectRules
from domain.usage import TokenUsage
from tests.builders import NOW, a_chat_payload, a_provider_key
from tests.fakes.gateway import FakeGateway
from tests.fakes.providers import FakeChatProvider

CALLER = Principal("virtual_key", "key_1", "ten_1")
TEN_OUT = TokenUsage(0, 10)


def stored(kind: SubjectKind, name: str, *, budget: str | None = None, **limits: int) -> StoredRule:
    """A budget is in USD."""
    money = None if budget is None else Budget(limit_usd=Decimal(budget))
    return StoredRule(f"{kind}_{name}_{budget}", Subject(kind, name), RateLimits(**limits), money, NOW, NOW)


async def a_gateway(*rules: StoredRule, providers: int = 1) -> FakeGateway:
    names = ["a", "b"][:providers]
    prices = [PriceRow(f"p_{name}", name, "m", Prices(0, 1_000_000_000), "admin", NOW) for name in names]
    keys = [a_provider_key(f"pk_{name}{number}", name) for name in names for number in (1, 2)]
    chats = {name: FakeChatProvider(TEN_OUT) for name in names}
    gateway = await FakeGateway(chats, keys=keys, prices=prices).started()
    gateway.rules.take(rules)
    return gateway


async def ask(gateway: FakeGateway, caller: Principal = CALLER) -> str:
    """The provider key that was asked with."""
    call = gateway.call(a_chat_payload(max_tokens=10), caller)
    await gateway.pipeline.complete(CHAT, call)
    key = call.trace.attempts[-1].key
    return key.id if key is not None else ""


BLOCKING: list[tuple[SubjectKind, str]] = [("key", "key_1"), ("tenant", "ten_1"), ("model", "m"), ("model", "a/*")]


@pytest.mark.parametrize(("kind", "name"), BLOCKING)
async def test_a_stored_limit_of_whom_a_request_is_for_refuses_and_names_it(kind: SubjectKind, name: str) -> None:
    gateway = await a_gateway(stored(kind, name, rpm=1))
    await ask(gateway)

    with pytest.raises(LimitExceeded) as refusal:
        await ask(gateway)

    assert (refusal.value.subject_kind, refusal.value.subject_id) == (kind, name)


@pytest.mark.parametrize(
    "rule", [stored("tag", "web", rpm=1), stored("tag", "web", budget="0.00001")], ids=["limit", "budget"]
)
@pytest.mark.parametrize(
    "own", [("web",), ("other",), ()], ids=["of the key", "of the request beside", "of the request"]
)
async def test_a_tag_has_its_limits_whoever_gave_it_to_the_request(rule: StoredRule, own: tuple[str, ...]) -> None:
    """Contract 10: "every limit and every budget on the way applies", and tags come from keys and from `x-omg-tags`."""
    gateway, caller = await a_gateway(rule), msgspec.structs.replace(CALLER, tags=own)
    tagged = Attribution(tags=tuple(dict.fromkeys((*own, "web"))))

    async def once(attribution: Attribution) -> None:
        call = msgspec.structs.replace(gateway.call(a_chat_payload(max_tokens=10), caller), attribution=attribution)
        await gateway.pipeline.complete(CHAT, call)

    await once(tagged)
    with pytest.raises(LimitExceeded) as refusal:
        await once(tagged)
    if "web" not in own:
        await once(Attribution(tags=(*own, "another")))

    assert (refusal.value.subject_kind, refusal.value.subject_id) == ("tag", "web")


@pytest.mark.parametrize(("kind", "name"), BLOCKING)
async def test_and_so_does_a_stored_budget(kind: SubjectKind, name: str) -> None:
    gateway = await a_gateway(stored(kind, name, budget="0.00001"))
    await ask(gateway)

    with pytest.raises(LimitExceeded) as refusal:
        await ask(gateway)

    assert refusal.value.code == "budget_exceeded"
    assert (refusal.value.subject_kind, refusal.value.subject_id) == (kind, name)


@pytest.mark.parametrize("limit", [{"rpm": 1}, {"budget": "0.00001"}])
async def test_a_provider_that_may_not_be_asked_leaves_the_others(limit: dict[str, object]) -> None:
    gateway = await a_gateway(stored("provider", "a", **limit), providers=2)  # type: ignore[arg-type]  # a table's row

    assert [(await ask(gateway))[:4] for _ in range(3)] == ["pk_a", "pk_b", "pk_b"]


async def test_a_provider_key_that_may_not_be_asked_leaves_the_others() -> None:
    gateway = await a_gateway(stored("provider_key", "pk_a1", budget="0.00001"))

    assert sorted([await ask(gateway) for _ in range(4)]) == ["pk_a1", "pk_a2", "pk_a2", "pk_a2"]


async def test_where_caps_leave_nobody_the_client_is_told_of_one() -> None:
    gateway = await a_gateway(stored("provider", "a", budget="0.00001"))
    await ask(gateway)

    with pytest.raises(LimitExceeded) as refusal:
        await ask(gateway)

    assert (refusal.value.code, refusal.value.subject_id) == ("budget_exceeded", "a")


async def test_what_is_stored_beside_a_field_makes_it_tighter_and_never_wider() -> None:
    field = Principal("virtual_key", "key_1", "t", rules=(SubjectRules(Subject("key", "key_1"), RateLimits(rpm=3)),))
    book = RuleBook()
    for beside, expected in ((5, 3), (2, 2)):
        book.take([stored("key", "key_1", rpm=beside, parallel=7)])

        (rules,) = book.of(field)

        assert (rules.limits.rpm, rules.limits.parallel) == (expected, 7)


def test_defaults_hold_for_what_nobody_set() -> None:
    budget = Budget(limit_usd=Decimal(5))
    book = RuleBook(Defaults(RateLimits(rpm=60, parallel=4), RateLimits(rpm=600), (budget,), ()))
    own = SubjectRules(Subject("key", "key_1"), RateLimits(rpm=10))

    found = {rules.subject.kind: rules for rules in book.of(Principal("virtual_key", "key_1", "t", rules=(own,)))}

    assert (found["key"].limits.rpm, found["key"].limits.parallel) == (10, 4)
    assert found["key"].budgets == (budget,)
    assert found["tenant"].limits == RateLimits(rpm=600)


def test_an_empty_book_adds_nothing() -> None:
    book = RuleBook()

    assert book.idle
    assert book.of(CALLER) is CALLER.rules
    assert book.of_model("a", "m") == book.of_upstream("a", "pk_a") == ()
