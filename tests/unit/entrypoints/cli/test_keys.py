"""`omg keys` and `omg tokens`: what their options say to the admin API, and what comes of the answers."""

import json
from typing import Any

import msgspec
import pytest
import respx
from click.testing import CliRunner, Result

from application.admin.admin_tokens import NewAdminToken
from application.admin.virtual_keys import NewVirtualKey, VirtualKeyChange
from entrypoints.cli.main import omg
from entrypoints.http.admin.virtual_keys import KEY_EXAMPLE, Rotation

URL = "http://127.0.0.1:8000"
EVERY_OPTION = (
    "--name ci --model openai/* --model @fast --provider openai --endpoint chat.completions --scope inference "
    "--cidr 10.0.0.0/8 --tag a --tag b --metadata ticket=42 --expires 2027-01-31T00:00:00Z --limit rpm=60 --strict "
    "--budget 25/month --set metadata={}"
).split()
EVERY_FIELD: dict[str, Any] = {
    "name": "ci",
    "allowed_models": ["openai/*", "@fast"],
    "allowed_providers": ["openai"],
    "allowed_endpoints": ["chat.completions"],
    "scopes": ["inference"],
    "cidrs": ["10.0.0.0/8"],
    "tags": ["a", "b"],
    "metadata": {},
    "expires_at": "2027-01-31T00:00:00Z",
    "limits": {"rpm": 60},
    "strict": True,
    "budgets": [{"limit_usd": "25", "period": "month"}],
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(omg, arguments, env={"OMG_ADMIN_TOKEN": "omg-admin-x", "OMG_URL": URL})


def sent(route: respx.Route) -> Any:
    return json.loads(route.calls.last.request.content)


@respx.mock
def test_every_field_of_a_key_has_an_option() -> None:
    made = KEY_EXAMPLE | {"secret": "sk-omg-x"}
    create = respx.post(f"{URL}/admin/keys").respond(201, json=made)

    result = run("keys", "create", "--tenant", "ten_1", "--owner", "usr_1", *EVERY_OPTION)

    assert result.stdout == "sk-omg-x\n"
    assert sent(create) == EVERY_FIELD | {"tenant_id": "ten_1", "owner_id": "usr_1"}
    msgspec.convert(sent(create), NewVirtualKey)
    assert sent(create).keys() == set(NewVirtualKey.__struct_fields__)


@respx.mock
def test_what_is_not_given_is_not_sent() -> None:
    create = respx.post(f"{URL}/admin/keys").respond(201, json=KEY_EXAMPLE | {"secret": "sk-omg-x"})

    run("keys", "create")

    assert sent(create) == {}


@respx.mock
def test_a_change_sends_what_is_given_and_keeps_the_other_limits() -> None:
    path = f"{URL}/admin/keys/key_1"
    respx.get(path).respond(200, json=KEY_EXAMPLE)
    change = respx.patch(path).respond(200, json=KEY_EXAMPLE)

    run("keys", "change", "key_1", "--limit", "rpm=none", "--set", "allowed_models=null", "--lenient")

    assert sent(change) == {"limits": KEY_EXAMPLE["limits"] | {"rpm": None}, "allowed_models": None, "strict": False}  # type: ignore[operator]  # an object
    run("keys", "change", "key_1", *EVERY_OPTION)
    assert sent(change).keys() == set(VirtualKeyChange.__struct_fields__)


@respx.mock
@pytest.mark.parametrize("as_json", [True, False])
def test_a_rotation_prints_the_new_secret_and_may_leave_the_old_one_a_while(as_json: bool) -> None:
    made = KEY_EXAMPLE | {"secret": "sk-omg-new"}
    rotate = respx.post(f"{URL}/admin/keys/key_1/rotate").respond(200, json=made)

    result = run("keys", "rotate", "key_1", "--overlap", "3600", *(["--json"] if as_json else []))

    assert (json.loads(result.stdout) if as_json else result.stdout) == (made if as_json else "sk-omg-new\n")
    assert msgspec.convert(sent(rotate), Rotation) == Rotation(3600)


@respx.mock
def test_keys_are_shown_and_deleted() -> None:
    respx.get(f"{URL}/admin/keys/key_1").respond(200, json=KEY_EXAMPLE)
    respx.delete(f"{URL}/admin/keys/key_1").respond(204)
    respx.get(f"{URL}/admin/keys").respond(200, json={"data": [KEY_EXAMPLE], "next_cursor": None})

    assert json.loads(run("keys", "show", "key_1", "--json").stdout) == KEY_EXAMPLE
    assert "Qx7a" in run("keys", "list").stdout
    assert run("keys", "delete", "key_1").stdout == "Deleted key_1.\n"


@pytest.mark.parametrize(
    "wrong", [("--budget", "25"), ("--budget", "{25"), ("--metadata", "x"), ("--limit", "rpm"), ("--set", "x")]
)
def test_what_cannot_be_read_is_wrong_usage(wrong: tuple[str, str]) -> None:
    result = run("keys", "create", *wrong)

    assert result.exit_code == 2
    assert wrong[1] in result.stderr


@respx.mock
def test_a_token_is_made_with_scopes_and_printed_once() -> None:
    made = {"id": "tok_1", "secret": "omg-admin-new"}
    create = respx.post(f"{URL}/admin/tokens").respond(201, json=made)
    respx.delete(f"{URL}/admin/tokens/tok_1").respond(204)

    result = run("tokens", "create", "--name", "ci", "--scope", "read", "--scope", "tenant:ten_1")

    assert result.stdout == "omg-admin-new\n"
    assert msgspec.convert(sent(create), NewAdminToken) == NewAdminToken(name="ci", scopes=("read", "tenant:ten_1"))
    assert json.loads(run("tokens", "create", "--scope", "all", "--json").stdout) == made
    assert run("tokens", "revoke", "tok_1").stdout == "Revoked tok_1.\n"
    assert run("tokens", "create").exit_code == 2
