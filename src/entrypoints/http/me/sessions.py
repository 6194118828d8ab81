"""`/me/sessions`: where one is signed in, and how to end it."""

from datetime import datetime
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, delete, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import PathParameter

from application.sign_in.sessions import Sessions
from entrypoints.http.admin.operations import COMPLAINTS, DELETE_ERRORS, READ_ERRORS, example
from entrypoints.http.auth.cookies import SessionCookie
from entrypoints.http.auth.people import ASKING, Person, require_person


class OwnSession(msgspec.Struct, frozen=True):
    """A browser that is signed in; `current` is the one that asks."""

    id: str
    created_at: datetime
    last_seen_at: datetime
    address: str
    user_agent: str
    current: bool


class OwnSessionList(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[OwnSession, ...]


_EXAMPLE = {
    "id": "ses_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "created_at": "2026-11-30T02:41:00Z",
    "last_seen_at": "2026-11-30T03:15:00Z",
    "address": "203.0.113.7",
    "user_agent": "Mozilla/5.0 …",
    "current": True,
}


class OwnSessionController(Controller):
    path = "/me/sessions"
    tags = ("Own account",)
    guards = (require_person,)
    dependencies = ASKING
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listOwnSessions",
        summary="List where one is signed in",
        description="Without those that have ended. `last_seen_at` is exact to a minute.",
        responses={200: example({"data": [_EXAMPLE]}, "The sessions", OwnSessionList), **READ_ERRORS},
    )
    @inject
    async def list_all(self, person: NamedDependency[Person], sessions: FromDishka[Sessions]) -> OwnSessionList:
        current = person.signed_in.session.id if person.signed_in is not None else None
        found = await sessions.list_of(person.user.id)
        return OwnSessionList(
            tuple(
                OwnSession(one.id, one.created_at, one.last_seen_at, one.address, one.user_agent, one.id == current)
                for one in found
            )
        )

    @delete(
        "/{session_id:str}",
        operation_id="endOwnSession",
        summary="End one of one's own sessions",
        description="It ends at once, wherever that browser is.",
        responses={204: ResponseSpec(None, generate_examples=False, description="Ended"), **DELETE_ERRORS},
    )
    @inject
    async def end(
        self,
        person: NamedDependency[Person],
        session_id: Annotated[str, PathParameter(description="The id of a session")],
        sessions: FromDishka[Sessions],
        cookie: FromDishka[SessionCookie],
    ) -> Response[None]:
        signed_in = person.session
        await sessions.end(signed_in, session_id)
        headers = {"set-cookie": cookie.clearing()} if session_id == signed_in.session.id else {}
        return Response(None, status_code=204, headers=headers)
