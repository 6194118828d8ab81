"""Past so many end users of a tenant in a month the rest counts as one (contract 9)."""

from datetime import datetime, timedelta

from application.usage.end_users import MOST, OTHER, EndUsers
from tests.builders import NOW


def counted(end_users: EndUsers, names: range, tenant_id: str = "ten_1", now: datetime = NOW) -> set[str]:
    return {end_users.counted(tenant_id, f"user {number}", now) for number in names}


def test_the_first_ten_thousand_are_told_apart_and_the_rest_are_one() -> None:
    end_users = EndUsers()

    assert len(counted(end_users, range(MOST))) == MOST
    assert counted(end_users, range(MOST, MOST + 500)) == {OTHER}
    assert len(counted(end_users, range(MOST))) == MOST  # who was known stays so


def test_each_tenant_and_each_month_has_its_own() -> None:
    end_users = EndUsers(most=2)
    counted(end_users, range(3))

    assert counted(end_users, range(2, 4), "ten_2") == {"user 2", "user 3"}
    assert counted(end_users, range(2, 4)) == {OTHER}
    assert counted(end_users, range(2, 4), now=NOW + timedelta(days=31)) == {"user 2", "user 3"}
