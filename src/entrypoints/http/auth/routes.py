"""`/auth`: signing in and out, and who is signed in (contract 9)."""

from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter
from msgspec import Meta

from application.sign_in.issuer_sign_in import IssuerSignIn
from application.sign_in.sessions import Sessions
from application.sign_in.sign_in import SignIn
from domain.sign_in import MAX_PASSWORD_BYTES
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, WRITE_ERRORS, example
from entrypoints.http.auth.answers import SessionResponse, SignInAnswers, SignInProvider, SignInResponse
from entrypoints.http.auth.cookies import SessionCookie
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.auth.people import (
    ASKING,
    Person,
    origin_of,
    require_own_page,
    require_person,
)

Password = Annotated[str, Meta(max_length=MAX_PASSWORD_BYTES)]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account's address and password."""

    email: Annotated[str, Meta(max_length=254)]
    password: Password


class LinkSignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token behind `#/link/` of a one-time link."""

    token: Annotated[str, Meta(max_length=128)]


class Invited(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody who was invited chooses."""

    password: Password
    name: Annotated[str, Meta(max_length=200)] = ""


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password once more."""

    password: Password


_USER = {
    "id": "usr_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "email": "ada@example.com",
    "name": "Ada",
    "platform_role": "admin",
    "personal_tenant_id": "ten_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "timezone": "",
    "locale": "",
    "theme": "",
}
_PROVIDER = {"name": "corp", "title": "Corp", "start_url": "https://gateway.example.com/auth/oidc/corp/start"}
_SIGNED_IN = {"user": _USER, "csrf_token": "5f2c…", "expires_at": "2027-02-28T02:41:00Z"}
_TENANTS = [{"id": "ten_default", "name": "Default", "kind": "shared", "role": "owner"}]
_SIGN_IN = {200: example(_SIGNED_IN, "Signed in", SignInResponse), **WRITE_ERRORS}
_SESSION = {
    200: example(_SIGNED_IN | {"tenants": _TENANTS, "auth": "keys"}, "Who is signed in", SessionResponse),
    **READ_ERRORS,
}

LoginBody = Annotated[Login, BodyKwarg(examples=[Example(value={"email": "ada@example.com", "password": "…"})])]
LinkSignInBody = Annotated[LinkSignIn, BodyKwarg(examples=[Example(value={"token": "5f2c…"})])]
InvitedBody = Annotated[Invited, BodyKwarg(examples=[Example(value={"name": "Ada", "password": "…"})])]
ConfirmationBody = Annotated[Confirmation, BodyKwarg(examples=[Example(value={"password": "…"})])]

NO_CONTENT = ResponseSpec(None, generate_examples=False, description="Signed out")

AnyRequest = Request[object, object, State]


class AuthController(Controller):
    path = "/auth"
    tags = ("Sign-in",)
    exception_handlers = COMPLAINTS

    @post(
        "/login",
        status_code=200,
        guards=[require_own_page],
        operation_id="signIn",
        summary="Sign in with a password",
        description="Sets the session cookie. What is wrong is told in one wording, after one time.",
        responses=_SIGN_IN,
    )
    @inject
    async def login(
        self, request: AnyRequest, data: LoginBody, sign_in: FromDishka[SignIn], answers: FromDishka[SignInAnswers]
    ) -> Response[SignInResponse]:
        return await answers.opened(await sign_in.by_password(data.email, data.password, origin_of(request)))

    @post(
        "/link",
        status_code=200,
        guards=[require_own_page],
        operation_id="signInByLink",
        summary="Sign in by a one-time link",
        description="The first start prints such a link, and `omg link` a new one. It works once, for 15 minutes.",
        responses=_SIGN_IN,
    )
    @inject
    async def link(
        self, request: AnyRequest, data: LinkSignInBody, sign_in: FromDishka[SignIn], answers: FromDishka[SignInAnswers]
    ) -> Response[SignInResponse]:
        return await answers.opened(await sign_in.by_link(data.token, origin_of(request)))

    @post(
        "/invites/{token:str}",
        status_code=200,
        guards=[require_own_page],
        operation_id="takeUpInvite",
        summary="Take up an invite",
        description="Sets one's name and password and signs in. An invite works once, for seven days.",
        responses=_SIGN_IN,
    )
    @inject
    async def invite(
        self,
        request: AnyRequest,
        token: Annotated[str, PathParameter(description="What stands behind `#/invite/`")],
        data: InvitedBody,
        sign_in: FromDishka[SignIn],
        answers: FromDishka[SignInAnswers],
    ) -> Response[SignInResponse]:
        return await answers.opened(await sign_in.by_invite(token, data.name, data.password, origin_of(request)))

    @get(
        "/providers",
        operation_id="listSignInProviders",
        summary="List other ways to sign in",
        description="The issuers of `auth.issuers` that people sign in at. A browser goes to `start_url`.",
        responses={200: example([_PROVIDER], "Issuers", tuple[SignInProvider, ...]), **READ_ERRORS},
    )
    @inject
    async def providers(
        self, issuers: FromDishka[IssuerSignIn], address: FromDishka[PublicAddress]
    ) -> tuple[SignInProvider, ...]:
        return tuple(
            SignInProvider(one.name, one.shown_as, address.page(f"/auth/oidc/{one.name}/start"))
            for one in issuers.issuers()
        )

    @get(
        "/session",
        guards=[require_person],
        dependencies=ASKING,
        operation_id="getSession",
        summary="Who is signed in",
        description="With the token for unsafe requests, and the tenants one belongs to.",
        responses=_SESSION,
    )
    @inject
    async def session(self, person: NamedDependency[Person], answers: FromDishka[SignInAnswers]) -> SessionResponse:
        return await answers.session(person)

    @post(
        "/logout",
        status_code=204,
        guards=[require_person],
        dependencies=ASKING,
        operation_id="signOut",
        summary="Sign out",
        description="The session ends at the server.",
        responses={204: NO_CONTENT, **READ_ERRORS},
    )
    @inject
    async def logout(
        self, person: NamedDependency[Person], sessions: FromDishka[Sessions], cookie: FromDishka[SessionCookie]
    ) -> Response[None]:
        await sessions.end(person.session)
        return Response(None, status_code=204, headers={"set-cookie": cookie.clearing()})

    @post(
        "/refresh",
        status_code=200,
        guards=[require_person],
        dependencies=ASKING,
        operation_id="refreshSession",
        summary="Change the session's secret",
        description="A new cookie and a new token; the old ones end at once. For who signed in at an issuer, what that "
        "says now holds: groups that are gone take their memberships along.",
        responses=_SIGN_IN,
    )
    @inject
    async def refresh(
        self,
        request: AnyRequest,
        person: NamedDependency[Person],
        issuers: FromDishka[IssuerSignIn],
        answers: FromDishka[SignInAnswers],
    ) -> Response[SignInResponse]:
        return await answers.opened(await issuers.refresh(person.session, origin_of(request)))

    @post(
        "/confirm",
        status_code=200,
        guards=[require_person],
        dependencies=ASKING,
        operation_id="confirmSession",
        summary="Confirm that it is still you",
        description="For another 12 hours of writes under `/admin`. Without a password, sign in again by a link.",
        responses=_SIGN_IN,
    )
    @inject
    async def confirm(
        self,
        person: NamedDependency[Person],
        data: ConfirmationBody,
        sign_in: FromDishka[SignIn],
        answers: FromDishka[SignInAnswers],
    ) -> SignInResponse:
        confirmed = await sign_in.confirm(person.session, data.password)
        return await answers.signed_in(confirmed.user, confirmed.csrf_token, confirmed.session.ends_at)
