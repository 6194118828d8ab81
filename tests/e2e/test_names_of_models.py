"""Every id that `/v1/models` lists reaches who listed it, under its own name, over the wire (contract 4)."""

from urllib.parse import quote

import pytest

from tests.e2e.conftest import AddUpstream
from tests.e2e.processes import Gateway, Simulator

pytestmark = pytest.mark.process

MESSAGES = [{"role": "user", "content": "hi"}]
ODD = (
    *("a/b", "a/b:free", "a/b/c", "@cf/meta/llama-3", "Upper/Case-1B", "auto", "auto:free", "model", "v1"),
    *("x y", "ü/ö", "50%", "a+b", "q?r#s"),
)


def test_each_listed_id_is_asked_for_under_its_own_name(
    gateway: Gateway, simulator: Simulator, add_upstream: AddUpstream
) -> None:
    one = add_upstream("one", models=[*ODD])
    two = add_upstream("two", models=[*ODD, one, f"{one}/{one}", f"{one}/a", f"{one}/auto"])
    for base, providers in (("", (one, two)), (f"/{one}", (one,)), (f"/{two}", (two,))):
        listed = [m for m in gateway.http.get(f"{base}/v1/models").json()["data"] if m["provider"] in (one, two)]
        assert len(listed) >= len(ODD)
        for model in listed:
            provider, name = model["provider"], model["id"]
            assert provider in providers
            before = len(simulator.calls(provider))

            answer = gateway.http.post(f"{base}/v1/chat/completions", json={"model": name, "messages": MESSAGES})

            assert answer.status_code == 200, (name, answer.text)
            asked = [entry["model"] for entry in simulator.calls(provider)[before:]]
            assert len(asked) == 1, (name, provider)
            assert name in (asked[0], f"{provider}/{asked[0]}")
            assert gateway.http.get(f"{base}/v1/models/{quote(name)}").json()["id"] == name


def test_a_key_whose_list_is_empty_may_call_nothing_and_one_without_a_list_everything(
    gateway: Gateway, add_upstream: AddUpstream
) -> None:
    name = add_upstream("granting", models=["m"], settings={"default_model": "m"})
    none = gateway.admin.post("/keys", json={"allowed_models": []}).json()
    every = gateway.admin.post("/keys", json={"allowed_models": None}).json()

    def listed(secret: str) -> list[str]:
        answer = gateway.http.get("/v1/models", headers={"authorization": f"Bearer {secret}"})
        return [model["id"] for model in answer.json()["data"]]

    assert listed(none["secret"]) == []
    assert {"auto", f"{name}/m"} <= set(listed(every["secret"]))
    for model in ("auto", f"{name}/m"):
        refused = gateway.http.post(
            "/v1/chat/completions",
            json={"model": model, "messages": MESSAGES},
            headers={"authorization": f"Bearer {none['secret']}"},
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")


def test_auto_is_listed_where_it_means_a_model_that_the_key_may_use(
    gateway: Gateway, add_upstream: AddUpstream
) -> None:
    name = add_upstream("narrow", models=["m", "n"], settings={"default_model": "m"})
    for model, expected in (("m", True), ("n", False)):
        key = gateway.admin.post("/keys", json={"allowed_models": [f"{name}/{model}"]}).json()["secret"]

        listed = gateway.http.get("/v1/models", headers={"authorization": f"Bearer {key}"}).json()["data"]
        answer = gateway.http.post(
            "/v1/chat/completions",
            json={"model": "auto", "messages": MESSAGES},
            headers={"authorization": f"Bearer {key}"},
        )

        assert ("auto" in [entry["id"] for entry in listed]) is expected
        assert answer.status_code == (200 if expected else 403), answer.text
