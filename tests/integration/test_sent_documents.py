"""`/admin/config` and `omg config --url`: a document goes to a gateway elsewhere, its secrets are the shell's."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from domain.keys import VIRTUAL_KEY_PREFIX, generate_key
from entrypoints.cli import remote_config
from entrypoints.cli.config import command
from tests.fakes.administration import FakeAdministration
from tests.integration.admin_app import AdminApp

CI_KEY = generate_key(VIRTUAL_KEY_PREFIX).reveal()
DOCUMENT: dict[str, Any] = {
    "tenants": [{"name": "Research", "limits": {"rpm": 5}}],
    "keys": [{"name": "ci", "tenant": "Research", "secret": "env:CI_KEY"}],
    "settings": {"routing": {"priority": "cost"}},
}


@pytest.fixture
async def app() -> AdminApp:
    return await AdminApp.make()


@pytest.fixture
async def http(app: AdminApp) -> AsyncIterator[httpx.AsyncClient]:
    async with app.client() as client:
        yield client


def actions(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(step["action"], step["key"]) for step in answer.json()["data"] if step["action"] not in ("same", "extra")]


async def test_a_document_is_planned_without_a_change_then_made_by_the_admin_who_sent_it(
    app: AdminApp, http: httpx.AsyncClient
) -> None:
    sent = {"document": DOCUMENT, "secrets": {"env:CI_KEY": CI_KEY}}

    planned = await http.post("/admin/config/plan", json=sent)
    assert (await http.get("/admin/tenants")).json()["data"][-1]["name"] != "Research"
    made = await http.post("/admin/config/apply", json=sent)
    again = await http.post("/admin/config/plan", json=sent)
    exported = (await http.get("/admin/config/export")).json()

    assert actions(planned) == [("update", "routing"), ("create", "Research"), ("create", "Research/ci")]
    assert actions(made) == actions(planned)
    assert actions(again) == []
    assert actions(await http.post("/admin/config/plan", json={"document": exported, "prune": True})) == []
    audited = (await http.get("/admin/audit?action=create")).json()["data"]
    assert {entry["actor"]["kind"] for entry in audited if entry["object"]["kind"] == "tenant"} == {"admin_token"}
    assert CI_KEY not in planned.text + made.text + json.dumps(exported) + json.dumps(audited)


async def test_a_new_key_without_a_secret_is_shown_this_once(http: httpx.AsyncClient) -> None:
    answer = await http.post("/admin/config/apply", json={"document": {"keys": [{"name": "made"}]}})

    (step,) = answer.json()["data"]
    assert step["secret"].startswith(VIRTUAL_KEY_PREFIX)


@pytest.mark.parametrize("reference", ["env:HOME", "file:/etc/hostname", "vault:secret/omg#key"])
async def test_no_reference_of_a_sent_document_is_followed_here(http: httpx.AsyncClient, reference: str) -> None:
    """Else whoever may write a provider could read the gateway's own variables and files."""
    document = {"providers": [{"id": "own", "base_url": "https://own.example/v1", "keys": [{"secret": reference}]}]}

    for action in ("plan", "apply"):
        answer = await http.post(f"/admin/config/{action}", json={"document": document})
        assert ("problem", "own/") in [(step["action"], step["key"]) for step in answer.json()["data"]] or [
            step["why"] for step in answer.json()["data"] if reference in step["why"]
        ]
    assert "own" not in [each["id"] for each in (await http.get("/admin/providers")).json()["data"]]


@pytest.mark.parametrize("document", [{"tennants": []}, {"settings": {"rooting": {}}}, {"tenants": {"name": "A"}}])
async def test_what_is_no_document_is_a_400(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    answer = await http.post("/admin/config/plan", json={"document": document})

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("section", ["limits", "budgets"])
@pytest.mark.parametrize("subject", [{"kind": ["tenant"]}, {"kind": {}}, {"kind": "tenant", "id": [1]}, [], 5])
async def test_a_subject_that_is_none_is_a_problem_and_no_failure(
    http: httpx.AsyncClient, section: str, subject: object
) -> None:
    answer = await http.post("/admin/config/plan", json={"document": {section: [{"subject": subject}]}})

    assert answer.status_code == 200, answer.text
    assert "problem" in [step["action"] for step in answer.json()["data"]]


class There:
    """A gateway elsewhere, reached without a socket: the shell's client over the application."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.sent: list[tuple[str, Mapping[str, Any]]] = []

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        self.sent.append((f"{method} {path}", body or {}))
        return self.answers[path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI_KEY", CI_KEY)
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")
    return tmp_path


def config(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--url", "https://gateway.example"])


STEP = {"action": "create", "kind": "tenants", "key": "Research", "changes": [], "why": ""}
SETTING = {"action": "update", "kind": "settings.routing", "key": "routing", "changes": [], "why": ""}
PROBLEM = STEP | {"action": "problem", "why": "no such thing"}


@pytest.mark.parametrize(
    ("command_name", "steps", "exit_code", "said"),
    [
        ("plan", [STEP, SETTING], 3, "1 to create, 1 to update"),
        ("plan", [], 0, "no changes"),
        ("plan", [PROBLEM], 1, "no such thing"),
        ("apply", [STEP, SETTING], 0, "~ setting routing changed"),
        ("apply", [STEP | {"secret": "sk-omg-new"}], 0, "sk-omg-new"),
        ("apply", [STEP | {"error": "it is taken"}], 1, "it is taken"),
        ("apply", [PROBLEM], 1, "Nothing was changed"),
        ("apply", [], 0, "no changes"),
    ],
)
def test_the_shell_prints_and_ends_as_it_does_on_a_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command_name: str, steps: list[Any], exit_code: int, said: str
) -> None:
    there = There({f"/admin/config/{command_name}": {"data": steps}})
    monkeypatch.setattr(remote_config, "connect", lambda _: there)

    result = config(command_name, str(folder / "gateway.yaml"))

    assert (result.exit_code, said in result.output) == (exit_code, True), result.output
    ((asked, body),) = there.sent
    assert asked == f"POST /admin/config/{command_name}"
    assert body == {"document": DOCUMENT, "secrets": {"env:CI_KEY": CI_KEY}, "prune": False}


def test_a_secret_that_the_shell_has_not_is_named_and_not_sent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI_KEY")
    there = There({"/admin/config/plan": {"data": [PROBLEM]}})
    monkeypatch.setattr(remote_config, "connect", lambda _: there)

    result = config("plan", str(folder / "gateway.yaml"))

    assert result.exit_code == 1
    assert "keys[0]: the variable CI_KEY is not set" in result.output
    assert there.sent[0][1]["secrets"] == {}


async def test_what_the_file_of_the_gateway_declares_is_not_changed_by_a_sent_document() -> None:
    fakes: FakeAdministration = (await AdminApp.make()).fakes
    fakes.state.owned_by_file = {("setting", "routing"): "omg.yaml"}
    from application.desired_state.sent import SentDocuments
    from tests.fakes.administration import ACTOR

    plan = await SentDocuments(fakes.administration).plan(ACTOR, DOCUMENT, {"env:CI_KEY": CI_KEY}, prune=True)

    assert [step.why for step in plan.problems] == ["it is declared by omg.yaml"]
