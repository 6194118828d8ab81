"""`/admin/decisions` and what a route explains, over HTTP (contract 11)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from domain.decisions import DecisionNote, Weighed
from domain.providers import ProviderSettings
from tests.builders import a_provider, a_provider_key, a_request_record, an_attempt_record
from tests.integration.admin_app import AdminApp

CHAT = {"messages": [{"role": "user", "content": "Why is the sky blue?"}], "max_tokens": 100}
NOTE = DecisionNote(
    "fast",
    "lowest_cost",
    3,
    (
        Weighed("alpha", "m", "unavailable", cost_nano_usd=1_000),
        Weighed("groq", "m", cost_nano_usd=2_000),
        Weighed("groq", "big", cost_nano_usd=9_000),
        Weighed("groq", "small", "capability:tools"),
    ),
    priced_against="groq/big",
    baseline_price_id="price_1",
    baseline_nano_usd=9_000,
)


@pytest.fixture
async def app() -> AdminApp:
    providers = [a_provider(name, settings=ProviderSettings(models=("m",))) for name in ("alpha", "groq")]
    return await AdminApp.make(providers, [a_provider_key(f"pk_{each.id}", each.id) for each in providers])


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


async def test_a_decision_says_who_was_chosen_and_why_the_others_were_not(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    served = an_attempt_record(provider_id="groq", model="m", cost_nano_usd=2_000)
    app.fakes.usage.records.append(
        a_request_record(
            requested_model="fast", route="fast", decision=NOTE, attempts=(served,), savings_nano_usd=7_000
        )
    )

    found = (await http.get("/admin/decisions/dec_req_1")).json()

    assert [(each["provider"], each["model"], each["chosen"], each["excluded_by"]) for each in found["candidates"]] == [
        ("alpha", "m", False, "unavailable"),
        ("groq", "m", True, None),
        ("groq", "big", False, None),
        ("groq", "small", False, "capability:tools"),
    ]
    assert [each["estimated_cost_usd"] for each in found["candidates"][:3]] == ["0.000001", "0.000002", "0.000009"]
    assert found["baseline"] == {"model": "groq/big", "cost_usd": "0.000009", "price_id": "price_1"}
    assert (found["savings_usd"], found["route"], found["strategy"], found["policy_version"]) == (
        "0.000007", "fast", "lowest_cost", 3,
    )  # fmt: skip
    assert [each["outcome"] for each in found["attempts"]] == ["ok"]
    request = (await http.get("/admin/requests/req_1")).json()
    assert (request["decision_id"], request["route"], request["savings_usd"]) == ("dec_req_1", "fast", "0.000007")


async def test_of_a_request_that_named_a_model_its_calls_are_told(app: AdminApp, http: httpx.AsyncClient) -> None:
    failed = an_attempt_record(1, provider_id="alpha", outcome="overloaded", usage=None, cost_nano_usd=None)
    app.fakes.usage.records.append(a_request_record(attempts=(failed, an_attempt_record(2, provider_id="groq"))))

    found = (await http.get("/admin/decisions/dec_req_1")).json()

    assert [(each["provider"], each["chosen"], each["excluded_by"]) for each in found["candidates"]] == [
        ("alpha", False, "failed:overloaded"), ("groq", True, None),
    ]  # fmt: skip
    assert (found["route"], found["task"], found["baseline"], found["savings_usd"]) == (None, None, None, None)


async def test_where_nobody_served_the_first_counts_as_chosen(app: AdminApp, http: httpx.AsyncClient) -> None:
    app.fakes.usage.records.append(a_request_record(route="fast", decision=NOTE, attempts=(), outcome="error"))

    found = (await http.get("/admin/decisions/dec_req_1")).json()

    assert [each["chosen"] for each in found["candidates"]] == [False, True, False, False]


async def test_a_decision_that_is_not_there_is_not_found(http: httpx.AsyncClient) -> None:
    answer = await http.get("/admin/decisions/dec_none")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_route_explains_itself_and_calls_nobody(app: AdminApp, http: httpx.AsyncClient) -> None:
    targets = [{"provider": "groq", "model": "m"}, {"provider": "alpha", "model": "m"}]
    await http.post("/admin/routes", json={"alias": "fast", "targets": targets})
    await http.post("/admin/models", json={"provider": "alpha", "model": "m", "prices": {"input": "1", "output": "10"}})

    answer = await http.post("/admin/routes/fast/explain", json=CHAT)

    found = answer.json()
    assert answer.status_code == 200, answer.text
    assert [(each["provider"], each["chosen"]) for each in found["candidates"]] == [("groq", True), ("alpha", False)]
    assert (found["id"], found["request_id"], found["attempts"], found["route"]) == (None, None, [], "fast")
    assert found["candidates"][0]["estimated_cost_usd"] is None
    assert float(found["candidates"][1]["estimated_cost_usd"]) > 0.001
    assert found["baseline"]["model"] == "alpha/m"
    assert app.fakes.usage.records == []


async def test_a_key_sees_only_what_it_may_use(http: httpx.AsyncClient) -> None:
    targets = [{"provider": "groq", "model": "m"}, {"provider": "alpha", "model": "m"}]
    await http.post("/admin/routes", json={"alias": "fast", "targets": targets})
    key = (await http.post("/admin/keys", json={"name": "k", "allowed_models": ["alpha/*"]})).json()["id"]

    found = (await http.post(f"/admin/routes/fast/explain?key_id={key}", json=CHAT)).json()

    assert {(each["provider"], each["chosen"], each["excluded_by"]) for each in found["candidates"]} == {
        ("alpha", True, None), ("groq", False, "not_allowed"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/admin/routes/none/explain", CHAT, 404),
        ("/admin/routes/fast/explain", {"messages": []}, 400),
        ("/admin/routes/fast/explain", {"messages": "hi", "temperature": 9}, 400),
        ("/admin/routes/fast/explain?key_id=key_none", CHAT, 404),
    ],
)
async def test_what_cannot_be_explained_is_told(
    http: httpx.AsyncClient, path: str, body: dict[str, object], status: int
) -> None:
    await http.post("/admin/routes", json={"alias": "fast", "targets": [{"provider": "groq", "model": "m"}]})

    assert (await http.post(path, json=body)).status_code == status
