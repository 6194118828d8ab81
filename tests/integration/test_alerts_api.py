"""`/admin/alerts`: channels with their test, rules, deliveries."""

import pytest

from application.alerts.dispatch import AlertDispatch
from domain.ports.alerts import AlertNotDelivered
from tests.integration.admin_app import AdminApp

WEBHOOK = {"kind": "webhook", "url": "https://hooks.example.org/omg"}
EMAIL = {"kind": "email", "to": ["ops@example.org"]}


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


async def test_a_channel_is_created_listed_changed_and_deleted_and_its_secret_shown_once(app: AdminApp) -> None:
    async with app.client() as http:
        made = await http.post("/admin/alerts/channels", json=WEBHOOK)
        path = f"/admin/alerts/channels/{made.json()['id']}"
        own = await http.post("/admin/alerts/channels", json=WEBHOOK | {"secret": "one-of-my-own"})
        changed = await http.patch(path, json={"name": "on call", "secret": "another-one", "enabled": False})
        read = await http.get(path)
        listed = await http.get("/admin/alerts/channels")
        audited = await http.get("/admin/audit?object_kind=alert_channel")
        gone = await http.delete(path)

        assert made.status_code == own.status_code == 201, made.text
        assert made.json()["secret"].startswith("whsec_")
        assert "secret" not in own.json()
        assert (changed.json()["name"], changed.json()["enabled"]) == ("on call", False)
        assert changed.json()["fingerprint"] != made.json()["fingerprint"]
        assert read.json() == changed.json()
        assert [channel["id"] for channel in listed.json()["data"]] == [made.json()["id"], own.json()["id"]]
        assert gone.status_code == 204
        assert (await http.get(path)).status_code == 404
    everything = "".join(answer.text for answer in (own, changed, read, listed, audited))
    assert made.json()["secret"] not in everything
    assert "one-of-my-own" not in everything
    assert "another-one" not in everything
    update = next(entry for entry in audited.json()["data"] if entry["action"] == "update")
    assert {"field": "secret", "old": "changed", "new": "changed"} in update["changes"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"kind": "webhook"}, "url"),
        ({"kind": "webhook", "url": "ftp://hooks.example.org"}, "url"),
        ({"kind": "webhook", "url": "https://user:pass@hooks.example.org"}, "url"),
        ({"kind": "webhook", "url": "https://hooks.example.org/\r\nx: y"}, "url"),
        ({"kind": "webhook", "url": "https://[::1"}, "url"),
        ({"kind": "webhook", "url": "https://hooks.example.org:99999"}, "url"),
        (WEBHOOK | {"to": ["a@example.org"]}, "to"),
        (WEBHOOK | {"secret": ""}, "secret"),
        ({"kind": "email"}, "to"),
        (EMAIL | {"url": "https://hooks.example.org"}, "url"),
        ({"kind": "email", "to": ["a@example.org", "nobody"]}, "to.1"),
        ({"kind": "email", "to": ["a@example.org\r\nBcc: b@example.org"]}, "to.0"),
        ({"kind": "pager"}, "kind"),
    ],
)
async def test_a_channel_that_leads_nowhere_is_refused_by_its_place(
    app: AdminApp, body: dict[str, object], param: str
) -> None:
    async with app.client() as http:
        refused = await http.post("/admin/alerts/channels", json=body)

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param


async def test_a_rule_is_created_listed_changed_and_deleted(app: AdminApp) -> None:
    async with app.client() as http:
        channel = (await http.post("/admin/alerts/channels", json=EMAIL)).json()["id"]
        made = await http.post("/admin/alerts/rules", json={"event": "budget_threshold", "channels": [channel]})
        path = f"/admin/alerts/rules/{made.json()['id']}"
        changed = await http.patch(path, json={"threshold": 0.9, "cooldown_seconds": 60})
        read, listed = await http.get(path), await http.get("/admin/alerts/rules")
        undone = await http.patch(path, json={"threshold": None})
        gone = await http.delete(path)

        assert made.status_code == 201, made.text
        assert made.json()["channels"] == [channel]
        assert (changed.json()["threshold"], changed.json()["cooldown_seconds"]) == (0.9, 60)
        assert listed.json()["data"] == [read.json()]
        assert undone.json()["threshold"] is None
        assert gone.status_code == 204
        assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"channels": ["alc_unknown"]}, "channels.0"),
        ({"channels": []}, "channels"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": 0}, "threshold"),
        ({"cooldown_seconds": -1}, "cooldown_seconds"),
        ({"event": "weather"}, "event"),
    ],
)
async def test_a_rule_that_tells_nothing_is_refused_by_its_place(
    app: AdminApp, change: dict[str, object], param: str
) -> None:
    async with app.client() as http:
        channel = (await http.post("/admin/alerts/channels", json=EMAIL)).json()["id"]
        refused = await http.post(
            "/admin/alerts/rules", json={"event": "budget_threshold", "channels": [channel]} | change
        )

    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param


async def test_a_test_says_whether_it_arrived_and_is_among_the_deliveries(app: AdminApp) -> None:
    sender = app.fakes.sender
    async with app.client() as http:
        path = f"/admin/alerts/channels/{(await http.post('/admin/alerts/channels', json=WEBHOOK)).json()['id']}"
        good = await http.post(f"{path}/test")
        sender.failures = [AlertNotDelivered("The webhook answered 503.")]
        bad = await http.post(f"{path}/test")
        deliveries = (await http.get("/admin/alerts/deliveries")).json()["data"]
        failed = (await http.get("/admin/alerts/deliveries?status=failed")).json()["data"]
        first = (await http.get("/admin/alerts/deliveries?limit=1")).json()
        second = (await http.get(f"/admin/alerts/deliveries?limit=1&cursor={first['next_cursor']}")).json()
        nobody = await http.post("/admin/alerts/channels/alc_unknown/test")

    assert (good.status_code, good.json()["ok"]) == (200, True)
    assert (bad.status_code, bad.json()["ok"], bad.json()["message"]) == (200, False, "The webhook answered 503.")
    assert [each["status"] for each in deliveries] == ["failed", "delivered"]
    assert [each["id"] for each in deliveries] == [bad.json()["delivery_id"], good.json()["delivery_id"]]
    assert deliveries[0]["next_attempt_at"] is None
    assert deliveries[1]["body"]["event"] == deliveries[1]["event"] == "test"
    assert failed == deliveries[:1]
    assert first["data"] + second["data"] == deliveries
    assert second["next_cursor"] is None
    assert [delivery.id for _, delivery in sender.sent] == [good.json()["delivery_id"]]
    assert nobody.status_code == 404


async def test_what_failed_is_sent_again_as_the_same_alert_and_nothing_else_is(app: AdminApp) -> None:
    sender = app.fakes.sender
    async with app.client() as http:
        channel = f"/admin/alerts/channels/{(await http.post('/admin/alerts/channels', json=WEBHOOK)).json()['id']}"
        sender.failures = [AlertNotDelivered("The webhook answered 503.")]
        failed = f"/admin/alerts/deliveries/{(await http.post(f'{channel}/test')).json()['delivery_id']}/resend"
        good = f"/admin/alerts/deliveries/{(await http.post(f'{channel}/test')).json()['delivery_id']}/resend"
        await http.patch(channel, json={"enabled": False})
        silenced = await http.post(failed)
        await http.patch(channel, json={"enabled": True})

        again, twice = await http.post(failed), await http.post(failed)
        refused, nobody = await http.post(good), await http.post("/admin/alerts/deliveries/ald_unknown/resend")
        before = (await http.get("/admin/alerts/deliveries?status=pending")).json()["data"]
        fakes = app.fakes
        await AlertDispatch(fakes.store, fakes.alert_book, fakes.senders, fakes.clock).send_due()
        after = (await http.get("/admin/alerts/deliveries?status=delivered")).json()["data"]
        entries = (await http.get("/admin/audit?object_kind=alert_delivery")).json()["data"]

    assert (again.status_code, again.json()["status"], again.json()["attempts"]) == (200, "pending", 1)
    assert before == [again.json()]
    delivered = next(each for each in after if each["id"] == again.json()["id"])
    assert (delivered["attempts"], delivered["error"], delivered["body"]) == (2, "", again.json()["body"])
    for answer in (silenced, twice, refused):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert nobody.status_code == 404
    assert [entry["action"] for entry in entries] == ["retry"]
    assert {"field": "status", "old": "failed", "new": "pending"} in entries[0]["changes"]
