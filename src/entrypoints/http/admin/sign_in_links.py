"""Links that sign somebody in once: for the platform's admin (`omg link`), and invites for users."""

from datetime import datetime

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, post
from litestar.di import NamedDependency

from application.sign_in.first_user import FirstUser
from application.sign_in.sessions import Origin
from application.sign_in.sign_in import OneTimeLinks
from domain.actors import Actor
from entrypoints.http.admin.members import UserId
from entrypoints.http.admin.operations import CHANGE_ERRORS, COMPLAINTS, WRITE_ERRORS, example
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.authorization import ACTING, require_admin


class SignInLink(msgspec.Struct, frozen=True):
    """A link that works once, until `expires_at`. It is shown here and nowhere again."""

    url: str
    expires_at: datetime


class InviteLink(msgspec.Struct, frozen=True):
    """The same, by which its holder sets name and password."""

    invite_url: str
    expires_at: datetime


_LINK = {"url": "http://127.0.0.1:8000/app/#/link/5f2c…", "expires_at": "2026-11-30T02:56:00Z"}
_INVITE = {"invite_url": "http://127.0.0.1:8000/app#/invite/5f2c…", "expires_at": "2026-12-07T02:41:00Z"}


class SignInLinkController(Controller):
    path = "/admin/sign-in-links"
    tags = ("Sign-in",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @post(
        operation_id="createSignInLink",
        summary="Make a sign-in link",
        description="For the platform's first admin; earlier links stop working.",
        responses={201: example(_LINK, "The link", SignInLink), **WRITE_ERRORS},
    )
    @inject
    async def create(
        self,
        actor: NamedDependency[Actor],
        links: FromDishka[OneTimeLinks],
        first_user: FromDishka[FirstUser],
        address: FromDishka[PublicAddress],
    ) -> SignInLink:
        user, _ = await first_user.get(Origin())
        secret, token = await links.make(actor, user.id, "link")
        return SignInLink(address.link(secret), token.ends_at)


class InviteController(Controller):
    path = "/admin/users/{user_id:str}/invite"
    tags = ("Users",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @post(
        operation_id="inviteUser",
        summary="Invite a user",
        description="A new link by which the user sets a name and a password; earlier ones stop working. For somebody "
        "who has a password it resets that one.",
        responses={201: example(_INVITE, "The invite", InviteLink), **CHANGE_ERRORS},
    )
    @inject
    async def create(
        self,
        actor: NamedDependency[Actor],
        user_id: UserId,
        links: FromDishka[OneTimeLinks],
        address: FromDishka[PublicAddress],
    ) -> InviteLink:
        secret, token = await links.make(actor, user_id, "invite")
        return InviteLink(address.invite(secret), token.ends_at)
