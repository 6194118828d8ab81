"""`/admin/audit`: who changed what, from where, and who was refused."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, Response, get
from litestar.params import QueryParameter
from litestar.response import Stream

from application.audit.report import AuditAsked, AuditReport
from domain.audit import AuditEntry, AuditFilter
from entrypoints.http.admin.operations import COMPLAINTS, FIRST_PAGE, READ_ERRORS, Cursor, From, Limit, To, example
from entrypoints.http.authorization import require_admin
from entrypoints.http.csv_answer import MEDIA_TYPE, csv_lines


class AuditActor(msgspec.Struct, frozen=True):
    """Who did it: an admin token, a user, the gateway itself (`system`), or nobody known (`anonymous`)."""

    kind: str
    id: str
    name: str


class AuditObject(msgspec.Struct, frozen=True):
    """What it was done to. Of a refusal: the operation, as `POST /admin/keys`."""

    kind: str
    id: str


class AuditFieldChange(msgspec.Struct, frozen=True):
    """A field before and after; a secret's value is `changed`. A refusal has `code`, and `times` if it was repeated."""

    field: str
    old: Any
    new: Any


class AuditEntryResponse(msgspec.Struct, frozen=True):
    """One entry. `request_id` is that of the answer which did it; what the gateway does by itself has none."""

    id: str
    created_at: datetime
    actor: AuditActor
    address: str
    request_id: str
    action: str
    object: AuditObject
    tenant_id: str | None
    changes: tuple[AuditFieldChange, ...]
    outcome: Literal["ok", "refused"]


class AuditPage(msgspec.Struct, frozen=True):
    """Newest first."""

    data: tuple[AuditEntryResponse, ...]
    next_cursor: str | None


_EXAMPLE = {
    "id": "aud_000000000042",
    "created_at": "2026-11-30T02:41:00.123456Z",
    "actor": {"kind": "admin_token", "id": "platform", "name": "platform admin token"},
    "address": "203.0.113.7",
    "request_id": "req_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "action": "update",
    "object": {"kind": "virtual_key", "id": "key_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f"},
    "tenant_id": "ten_default",
    "changes": [{"field": "allowed_models", "old": None, "new": ["cerebras/*"]}],
    "outcome": "ok",
}

COLUMNS = (
    "id", "created_at", "actor_kind", "actor_id", "actor_name", "address", "request_id", "action", "object_kind",
    "object_id", "tenant_id", "outcome", "changes",
)  # fmt: skip
"""Of the CSV; `changes` is one JSON array a line."""


class AuditController(Controller):
    path = "/admin/audit"
    tags = ("Audit",)
    guards = (require_admin,)
    exception_handlers = COMPLAINTS

    @get(
        operation_id="listAuditEntries",
        summary="Read the audit trail",
        description="Newest first. `format=csv` answers all that match, in one file.",
        responses={200: example({"data": [_EXAMPLE], "next_cursor": None}, "A page", AuditPage), **READ_ERRORS},
    )
    @inject
    async def list_page(
        self,
        report: FromDishka[AuditReport],
        from_: From = None,
        to: To = None,
        actor: Annotated[str | None, QueryParameter(description="Only what the actor of this id did")] = None,
        action: Annotated[str | None, QueryParameter(description="Only this action, such as `revoke`")] = None,
        object_kind: Annotated[str | None, QueryParameter(description="Only objects of this kind")] = None,
        object_id: Annotated[str | None, QueryParameter(description="Only the object of this id")] = None,
        tenant_id: Annotated[str | None, QueryParameter(description="Only this tenant's objects")] = None,
        outcome: Annotated[Literal["ok", "refused"] | None, QueryParameter(description="Only with it")] = None,
        format_: Annotated[
            Literal["json", "csv"], QueryParameter(name="format", description="`csv` for a file of all that match")
        ] = "json",
        limit: Limit = FIRST_PAGE,
        cursor: Cursor = None,
    ) -> Response[Any]:
        filter_ = AuditFilter(
            actor=actor or None,
            action=action or None,
            object_kind=object_kind or None,
            object_id=object_id or None,
            tenant_id=tenant_id or None,
            outcome=outcome,
        )
        asked = AuditAsked(from_, to, filter_)
        if format_ == "json":
            page = await report.list_page(asked, limit, cursor)
            return Response(AuditPage(tuple(map(_answer, page.data)), page.next_cursor))
        pages = report.list_all(asked)
        first = await anext(pages)  # a complaint is an answer of its own, not the end of a file
        headers = {"content-disposition": 'attachment; filename="audit.csv"'}
        return Stream(_csv(first, pages), media_type=MEDIA_TYPE, headers=headers)


async def _csv(first: tuple[AuditEntry, ...], pages: AsyncIterator[tuple[AuditEntry, ...]]) -> AsyncIterator[bytes]:
    yield csv_lines(COLUMNS, map(_row, first))
    async for page in pages:
        yield csv_lines(COLUMNS, map(_row, page), head=False)


def _answer(entry: AuditEntry) -> AuditEntryResponse:
    record = entry.record
    return AuditEntryResponse(
        id=entry.id,
        created_at=entry.created_at,
        actor=AuditActor(record.actor.kind, record.actor.id, record.actor.name),
        address=record.actor.address,
        request_id=record.actor.request_id,
        action=record.action,
        object=AuditObject(record.object_kind, record.object_id),
        tenant_id=record.tenant_id,
        changes=tuple(AuditFieldChange(change.field, change.old, change.new) for change in record.changes),
        outcome=record.outcome,
    )


def _row(entry: AuditEntry) -> dict[str, object]:
    record = entry.record
    return {
        "id": entry.id,
        "created_at": entry.created_at.isoformat().replace("+00:00", "Z"),
        "actor_kind": record.actor.kind,
        "actor_id": record.actor.id,
        "actor_name": record.actor.name,
        "address": record.actor.address,
        "request_id": record.actor.request_id,
        "action": record.action,
        "object_kind": record.object_kind,
        "object_id": record.object_id,
        "tenant_id": record.tenant_id,
        "outcome": record.outcome,
        "changes": msgspec.json.encode(record.changes).decode(),
    }
