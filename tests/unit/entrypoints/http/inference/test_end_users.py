"""Whom requests are for, at the route itself: sessions of Claude Code, and more end users than are told apart."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from application.usage.end_users import MOST
from domain.attribution import Attribution
from tests.unit.entrypoints.http.harness import AUTH, Harness

pytestmark = [pytest.mark.virtual_time, pytest.mark.slow]

ASKED: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}


async def attributions(http: Harness, user_ids: Sequence[str]) -> list[Attribution]:
    client = http.client()
    for user_id in user_ids:
        body = json.dumps(ASKED | {"metadata": {"user_id": user_id}}).encode()
        answer = await client.request("POST", "/v1/messages", (AUTH,), body)
        assert answer.status == 200
    return [call.attribution for call in http.pipeline.calls]


@pytest.mark.parametrize("as_json", [True, False])
async def test_a_thousand_sessions_of_one_developer_are_one_end_user_and_a_thousand_sessions(as_json: bool) -> None:
    account, device = str(UUID(int=7)), "d" * 64

    def told(session: str) -> str:
        if as_json:
            return json.dumps({"device_id": device, "account_uuid": account, "session_id": session})
        return f"user_{device}_account_{account}_session_{session}"

    found = await attributions(await Harness.make(), [told(str(UUID(int=number))) for number in range(1000)])

    assert {each.end_user for each in found} == {account}
    assert len({each.session for each in found}) == 1000


async def test_past_the_most_end_users_the_rest_counts_as_other() -> None:
    http = await Harness.make()
    for number in range(MOST - 1):
        http.services.end_users.counted("ten_default", f"user {number}", http.services.clock.now())

    found = await attributions(http, ["user 0", "the last one", "too late", "the last one"])

    assert [each.end_user for each in found] == ["user 0", "the last one", "other", "the last one"]
