"""Whom and what a request is for, in every form that clients and other gateways send it (contract 9)."""

import json
from uuid import UUID

import msgspec
import pytest

from application.usage.attribution import attribution_of
from domain.attribution import UNATTRIBUTED, Attribution
from domain.errors import RequestInvalid
from domain.keys import Principal

KEY = Principal("virtual_key", "key_1", "ten_default")

DEVICE = "d" * 64
ACCOUNT, SESSION = str(UUID(int=1)), str(UUID(int=2))


def read(
    headers: dict[str, str] | None = None, body: dict[str, object] | None = None, principal: Principal = KEY
) -> Attribution:
    fields = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in (body or {}).items()}
    return attribution_of({name.encode(): value.encode() for name, value in (headers or {}).items()}, fields, principal)


def claude_code(account: str, session: str, *, as_json: bool) -> dict[str, object]:
    """`metadata` as Claude Code sends it."""
    if as_json:
        parts = {"device_id": DEVICE, "account_uuid": account, "session_id": session}
        return {"user_id": json.dumps(parts)}
    return {"user_id": f"user_{DEVICE}_account_{account}_session_{session}"}


# each row: headers, body, end user, session, tags
ROWS: list[tuple[dict[str, str], dict[str, object], str, str, tuple[str, ...]]] = [
    ({}, {}, "", "", ()),
    ({"x-omg-user": "ann", "x-omg-session": "s1", "x-omg-tags": "a, b"}, {}, "ann", "s1", ("a", "b")),
    ({"x-omg-user": "ann"}, {"user": "bob", "safety_identifier": "hash"}, "ann", "", ()),
    ({}, {"user": "bob", "safety_identifier": "hash"}, "hash", "", ()),
    ({}, {"user": "bob", "metadata": {"user_id": "carl"}}, "bob", "", ()),
    ({}, {"metadata": {"user_id": "carl", "session_id": "s9"}}, "carl", "s9", ()),
    ({}, {"metadata": {"tags": ["x", "y"]}}, "", "", ("x", "y")),
    ({}, {"metadata": claude_code(ACCOUNT, SESSION, as_json=True)}, ACCOUNT, SESSION, ()),
    ({}, {"metadata": claude_code("", SESSION, as_json=True)}, DEVICE, SESSION, ()),
    ({}, {"metadata": claude_code(ACCOUNT, SESSION, as_json=False)}, ACCOUNT, SESSION, ()),
    ({}, {"metadata": claude_code("", SESSION, as_json=False)}, DEVICE, SESSION, ()),
    ({"x-omg-session": "mine"}, {"metadata": claude_code("", SESSION, as_json=True)}, DEVICE, "mine", ()),
    ({"x-litellm-tags": "a,b", "x-litellm-customer-id": "c1"}, {}, "c1", "", ("a", "b")),
    ({"x-portkey-metadata": '{"_user": "u", "env": "prod", "n": 1}'}, {}, "u", "", ("env:prod",)),
    ({"cf-aig-metadata": '{"user": "u", "team": "x"}'}, {"user": "body"}, "body", "", ("team:x",)),
    ({"x-openwebui-user-id": "w"}, {}, "w", "", ()),
    ({"x-portkey-metadata": "no json", "x-omg-tags": " , "}, {"metadata": "text", "user": 7}, "", "", ()),
    ({}, {"metadata": {"user_id": '{"not json'}}, '{"not json', "", ()),
    ({}, {"user": "a\u0000b\n"}, "ab", "", ()),
    ({"x-omg-user": "x" * 500}, {}, "x" * 128, "", ()),
]


@pytest.mark.parametrize(("headers", "body", "end_user", "session", "tags"), ROWS)
def test_each_form_is_understood(
    headers: dict[str, str], body: dict[str, object], end_user: str, session: str, tags: tuple[str, ...]
) -> None:
    assert read(headers, body) == Attribution(None, tags, end_user, session)


def test_a_request_that_says_nothing_is_for_nobody() -> None:
    assert read() == UNATTRIBUTED


def test_whose_key_it_is_and_its_tags_are_there_whatever_the_request_says() -> None:
    principal = Principal("virtual_key", "key_1", "ten", user_id="usr_1", tags=("team",))

    found = read({"x-omg-tags": "own,team", "x-device-id": "phone"}, {"user": "bob"}, principal)

    assert found == Attribution("usr_1", ("team", "own"), "bob", "", "phone")


def test_too_many_tags_and_too_long_ones_are_refused() -> None:
    assert len(read({"x-omg-tags": ",".join(f"t{n}" for n in range(16))}).tags) == 16
    for tags in (",".join(f"t{n}" for n in range(17)), "x" * 65):
        with pytest.raises(RequestInvalid):
            read({"x-omg-tags": tags})


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("account", [ACCOUNT, ""])
def test_a_thousand_sessions_of_one_developer_are_one_end_user_and_a_thousand_sessions(
    account: str, *, as_json: bool
) -> None:
    found = [
        read({}, {"metadata": claude_code(account, str(UUID(int=number)), as_json=as_json)}) for number in range(1000)
    ]

    assert len({each.end_user for each in found}) == 1
    assert len({each.session for each in found}) == 1000
