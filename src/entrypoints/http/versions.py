"""`ETag` and `If-Match` of every object that can be edited, in one place (contract 8).

The guard of a route asks for the version before the handler reads the object: an answer never has a later one than its
body. A change carries what its client saw to the unit of work that makes it, which compares inside its transaction.
"""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final, cast

import msgspec
from dishka import AsyncContainer
from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from application.admin.config_write import ObjectKind
from application.admin.object_versions import ObjectVersions
from domain.actors import Actor

OBJECTS: Final[Mapping[str, tuple[ObjectKind, str]]] = {
    "/admin/providers/{provider_id}": ("provider", "{provider_id}"),
    "/admin/providers/{provider_id}/keys/{key_id}": ("provider_key", "{key_id}"),
    "/admin/limits/{rule_id}": ("limit", "{rule_id}"),
    "/admin/budgets/{rule_id}": ("budget", "{rule_id}"),
    "/admin/models/{provider}/{model}": ("model", "{provider}/{model}"),
    "/admin/keys/{key_id}": ("virtual_key", "{key_id}"),
    "/me/keys/{key_id}": ("virtual_key", "{key_id}"),
    "/admin/tokens/{token_id}": ("admin_token", "{token_id}"),
    "/admin/tenants/{tenant_id}": ("tenant", "{tenant_id}"),
    "/admin/tenants/{tenant_id}/members/{user_id}": ("member", "{tenant_id}/{user_id}"),
    "/admin/users/{user_id}": ("user", "{user_id}"),
    "/admin/model-groups/{name}": ("model_group", "{name}"),
    "/admin/routes/{alias}": ("route", "{alias}"),
    "/admin/alerts/channels/{channel_id}": ("alert_channel", "{channel_id}"),
    "/admin/alerts/rules/{rule_id}": ("alert_rule", "{rule_id}"),
    "/admin/settings/default-models": ("setting", "default-models"),
    "/admin/settings/rate-limits": ("setting", "rate-limits"),
    "/admin/settings/budgets": ("setting", "budgets"),
    "/admin/settings/routing": ("setting", "routing"),
}
"""The path of each object, and what `config_write` calls it. A test finds a route that changes one without a row."""

_ETAG: Final = "etag"
_IF_MATCH: Final = b"if-match"
_LISTED = re.compile(r'(?:W/)?"(?P<quoted>[^"]*)"|(?P<bare>[^\s,"]+)')
"""Proxies weaken a tag whose answer they compress, or put the coding behind it; scripts forget the quotes."""

_CODINGS: Final = ("-gzip", "-br", "-zstd")

_Connection = ASGIConnection[Any, Any, Any, Any]


async def note_version(connection: _Connection) -> None:
    """Keeps the version of the object that a route is about to show. Raises `StoreUnavailable`."""
    scope = cast(HTTPScope, connection.scope)
    known = OBJECTS.get(scope["path_template"]) if scope["method"] == "GET" else None
    if known is None:
        return
    kind, form = known
    object_id = form.format(**{name: str(value).lstrip("/") for name, value in scope["path_params"].items()})
    container: AsyncContainer = connection.app.state.dishka_container
    versions = await container.get(ObjectVersions)
    _state(scope)[_ETAG] = await versions.get(kind, object_id)


async def send_version(message: Message, scope: Scope) -> None:
    """The hook that puts the version onto an answer which shows the object."""
    if message["type"] == "http.response.start" and message["status"] == 200:
        version = _state(scope).get(_ETAG)
        if version is not None:
            message["headers"] = [*message["headers"], (b"etag", f'"{version}"'.encode())]


def expecting(actor: Actor, headers: Iterable[tuple[bytes, bytes]]) -> Actor:
    """The actor with the versions that their client saw; `*` is any."""
    given = ", ".join(value.decode("latin-1") for name, value in headers if name.lower() == _IF_MATCH)
    seen = tuple(_bare(found["quoted"] or found["bare"] or "") for found in _LISTED.finditer(given))
    return msgspec.structs.replace(actor, seen=seen) if seen and "*" not in seen else actor


def _bare(tag: str) -> str:
    return next((tag.removesuffix(coding) for coding in _CODINGS if tag.endswith(coding)), tag)


def with_current(app: ASGIApp) -> ASGIApp:
    """Puts the present object into the answer of a change that came too late, as a GET of it would show it."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if cast(str, scope["type"]) != "http" or not any(name == _IF_MATCH for name, _ in scope["headers"]):
            await app(scope, receive, send)
            return
        asked = _as_question(cast(HTTPScope, scope))
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if held or (message["type"] == "http.response.start" and message["status"] == 412):
                held.append(message)
            else:
                await send(message)

        await app(scope, receive, hold)
        if held:
            await _answer(held, await _shown(app, asked), send)

    return serve


def _as_question(scope: HTTPScope) -> HTTPScope:
    """The same request as one that reads, before the framework has written into its scope."""
    of_body = (_IF_MATCH, b"content-length", b"content-type", b"transfer-encoding", b"content-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in of_body]
    return cast(
        HTTPScope, {**scope, "method": "GET", "headers": headers, "query_string": b"", "state": {**scope["state"]}}
    )


async def _shown(app: ASGIApp, asked: HTTPScope) -> tuple[bytes, list[tuple[bytes, bytes]]] | None:
    """The object's body and its version; of an action, such as `…/rotate`, the object is one step up."""
    for path in (asked["path"], asked["path"].rpartition("/")[0]):
        scope = cast(HTTPScope, {**asked, "path": path, "raw_path": path.encode(), "state": {**asked["state"]}})
        sent: list[Message] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def keep(message: Message, sent: list[Message] = sent) -> None:
            sent.append(message)

        await app(scope, receive, keep)
        start = cast(Mapping[str, Any], sent[0])
        if start["status"] == 200:
            tags = [(name, value) for name, value in start["headers"] if name == b"etag"]
            return _body(sent), tags
    return None


async def _answer(held: list[Message], shown: tuple[bytes, list[tuple[bytes, bytes]]] | None, send: Send) -> None:
    start, body = cast(MutableMapping[str, Any], held[0]), _body(held)
    headers = [header for header in start["headers"] if header[0].lower() != b"content-length"]
    if shown is not None:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        body = msgspec.json.encode(fields | {"current": msgspec.Raw(shown[0])})
        headers += shown[1]
    start["headers"] = [*headers, (b"content-length", b"%d" % len(body))]
    await send(cast(Message, start))
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _body(messages: list[Message]) -> bytes:
    return b"".join(cast(Mapping[str, Any], message).get("body", b"") for message in messages[1:])


def _state(scope: Scope) -> MutableMapping[str, Any]:
    return cast(MutableMapping[str, Any], scope.setdefault("state", {}))
