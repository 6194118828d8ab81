"""Eight subjects, and every endpoint that spends: who has used up a budget is refused, by name (P-06)."""

from collections.abc import Iterator

import pytest

from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_budgets import price
from tests.e2e.test_limits import COUNTING, SPENDING, Caller

pytestmark = pytest.mark.process

MODEL = "sim-echo"
SUBJECTS = ("key", "member", "user", "tenant", "tag", "model", "provider", "provider_key")


class Poor:
    """A caller of an upstream of its own, who meets a budget of nothing, of one subject of the eight."""

    def __init__(self, gateway: Gateway, simulator: Simulator, kind: str) -> None:
        self._gateway = gateway
        self.upstream = f"poor-{kind.replace('_', '-')}"
        simulator.script(self.upstream)
        gateway.add_provider(self.upstream, simulator.base_url(self.upstream))
        price(gateway, self.upstream, MODEL, output="1000", input_="1000")
        made = gateway.admin.post("/tenants", json={"name": self.upstream})
        assert made.status_code == 201, made.text
        self.tenant = made.json()["id"]
        user = gateway.admin.post("/users", json={"email": f"{self.upstream}@people.example", "name": "P"})
        assert user.status_code == 201, user.text
        self.user = user.json()["id"]
        joined = gateway.admin.post(f"/tenants/{self.tenant}/members", json={"user_id": self.user, "role": "member"})
        assert joined.status_code == 201, joined.text
        fields = {"tenant_id": self.tenant, "owner_id": self.user, "tags": [self.upstream]}
        self.caller = Caller(gateway, f"{self.upstream}/{MODEL}", fields)
        self.subject = {
            "key": self.caller.key_id,
            "member": f"{self.tenant}/{self.user}",
            "user": self.user,
            "tenant": self.tenant,
            "tag": self.upstream,
            "model": f"{self.upstream}/*",
            "provider": self.upstream,
            "provider_key": gateway.admin.get(f"/providers/{self.upstream}/keys").json()["data"][0]["id"],
        }[kind]
        body = {"subject": {"kind": kind, "id": self.subject}, "limit_usd": "0", "period": "never"}
        rule = gateway.admin.post("/budgets", json=body)
        assert rule.status_code == 201, rule.text
        self.rule = rule.json()["id"]

    def end(self) -> None:
        assert self._gateway.admin.delete(f"/budgets/{self.rule}").status_code == 204
        assert self._gateway.admin.delete(f"/providers/{self.upstream}").status_code == 204


@pytest.fixture(scope="module", params=SUBJECTS)
def poor(request: pytest.FixtureRequest, gateway: Gateway, simulator: Simulator) -> Iterator[Poor]:
    made = Poor(gateway, simulator, request.param)
    yield made
    made.end()


@pytest.mark.parametrize("path", SPENDING)
def test_who_has_nothing_left_is_refused_by_name_at_every_endpoint_that_spends(
    poor: Poor, simulator: Simulator, path: str
) -> None:
    """P-06. `test_every_endpoint_that_spends_is_in_the_table` keeps the table whole."""
    refusal = poor.caller.ask(path)

    if path in COUNTING:  # it costs nothing
        assert refusal.status_code == 200, refusal.text
        return
    assert refusal.status_code == 429, refusal.text
    assert refusal.headers["x-should-retry"] == "false"
    assert "budget_exceeded" in refusal.text.lower()
    assert f"'{poor.subject}'" in refusal.text
    assert not [entry for entry in simulator.requests(poor.upstream) if entry["method"] == "POST"]
