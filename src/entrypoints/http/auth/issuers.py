"""`/auth/oidc`: signing in at an issuer: a browser goes there, and comes back (contract 9)."""

from collections.abc import Mapping
from html import escape
from typing import Annotated, Final
from urllib.parse import parse_qsl

from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.openapi import ResponseSpec
from litestar.params import PathParameter

from application.sign_in.issuer_sign_in import HOME, IssuerAnswer, IssuerSignIn
from domain.errors import GatewayError
from domain.ports.runtime import Clock
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS
from entrypoints.http.auth.cookies import SessionCookie, SignInCookie
from entrypoints.http.auth.links import PublicAddress
from entrypoints.http.auth.people import origin_of
from entrypoints.http.errors import describe_and_log

AnyRequest = Request[object, object, State]
IssuerName = Annotated[str, PathParameter(description="The issuer's `name`, as `GET /auth/providers` has it")]

_NEVER_KEPT: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
_ELSEWHERE: Final = ResponseSpec(None, generate_examples=False, description="Go there")

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign-in</title>
</head>
<body>
<h1>You are not signed in</h1>
<p>{why}</p>
<p><a href="{home}">Back to the sign-in page</a></p>
</body>
</html>
"""


class IssuerController(Controller):
    path = "/auth/oidc/{name:str}"
    tags = ("Sign-in",)
    exception_handlers = COMPLAINTS

    @get(
        "/start",
        status_code=303,
        operation_id="signInAtIssuer",
        summary="Sign in at an issuer",
        description="For a browser: leads to the issuer. `next` is the page under `/app` to come back to.",
        responses={303: _ELSEWHERE, **READ_ERRORS},
    )
    @inject
    async def start(
        self,
        request: AnyRequest,
        name: IssuerName,
        sign_in: FromDishka[IssuerSignIn],
        cookie: FromDishka[SignInCookie],
        address: FromDishka[PublicAddress],
    ) -> Response[bytes]:
        try:
            away = await sign_in.start(name, _asked(request).get("next", HOME))
        except GatewayError as error:
            return _page(request, error, address, {})
        headers = {"location": away.address, "set-cookie": cookie.setting(away.cookie.reveal(), away.seconds)}
        return Response(b"", status_code=303, headers=_NEVER_KEPT | headers)

    @get(
        "/callback",
        status_code=303,
        operation_id="returnFromIssuer",
        summary="Come back from an issuer",
        description="Where the issuer sends the browser: sets the session cookie, leads to the page that was wanted.",
        responses={303: _ELSEWHERE, **READ_ERRORS},
    )
    @inject
    async def callback(
        self,
        request: AnyRequest,
        name: IssuerName,
        sign_in: FromDishka[IssuerSignIn],
        cookie: FromDishka[SignInCookie],
        session_cookie: FromDishka[SessionCookie],
        address: FromDishka[PublicAddress],
        clock: FromDishka[Clock],
    ) -> Response[bytes]:
        found = cookie.find(request.scope["headers"])
        asked = _asked(request)
        answer = IssuerAnswer(asked.get("state", ""), asked.get("code", ""), asked.get("error", ""), asked.get("iss"))
        try:
            arrival = await sign_in.finish(name, found, answer, origin_of(request))
        except GatewayError as error:
            return _page(request, error, address, {"set-cookie": cookie.clearing()})
        opened = arrival.session
        seconds = int((opened.signed_in.session.ends_at - clock.now()).total_seconds())
        response = Response(b"", status_code=303, headers=_NEVER_KEPT | {"location": arrival.page})
        response.headers["set-cookie"] = session_cookie.setting(opened.secret.reveal(), seconds)
        response.set_cookie(  # what the way back needed is over
            cookie.name, "", max_age=0, path="/", secure=cookie.https, httponly=True, samesite="lax"
        )
        return response


def _asked(request: AnyRequest) -> Mapping[str, str]:
    """The parameters of the address. One that stands twice is not there: nobody says which one counts."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _page(
    request: AnyRequest, error: GatewayError, address: PublicAddress, headers: Mapping[str, str]
) -> Response[bytes]:
    """What went wrong, for people. Programs get the error as everywhere."""
    if "text/html" not in request.headers.get("accept", ""):
        raise error
    answer = describe_and_log(error, str(request.scope["state"].get("request_id", "")))
    page = _PAGE.format(why=escape(error.message), home=escape(address.page(HOME)))
    own = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
    return Response(
        page.encode(), status_code=answer.status, media_type="text/html", headers=_NEVER_KEPT | own | dict(headers)
    )
