"""People for the tests of sign-in: Ada, an admin and the first user, and Ben, a member; both with one password."""

from typing import Any

import httpx

from application.bootstrap import FIRST_USER_ID
from domain.tenants import Membership, Role
from domain.users import User
from tests.builders import NOW
from tests.integration.admin_app import AdminApp

PASSWORD = "correct horse battery"
ADA = User("usr_ada", "ada@example.com", "Ada", NOW, NOW, platform_role="admin")
BEN = User("usr_ben", "ben@example.com", "Ben", NOW, NOW)


ROLES: tuple[tuple[User, Role], ...] = ((ADA, "owner"), (BEN, "member"))


async def furnished(app: AdminApp) -> AdminApp:
    """The application with both of them."""
    async with app.fakes.store.write() as unit:
        for user, role in ROLES:
            await unit.users.add(user)
            await unit.passwords.put(user.id, f"1/{PASSWORD}", NOW)
            await unit.memberships.add(Membership("ten_default", user.id, role, NOW, NOW))
        await unit.facts.put(FIRST_USER_ID, ADA.id)
    return app


async def sign_in(http: httpx.AsyncClient, email: str = "ada@example.com", **headers: str) -> dict[str, Any]:
    answer = await http.post("/auth/login", json={"email": email, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def cookie_of(http: httpx.AsyncClient, app: AdminApp) -> str:
    return str(http.cookies.get(app.cookie.name))


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
