"""`/admin/config`: the configuration as a document, for `omg config --url` and other shells elsewhere."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg
from msgspec import UNSET, UnsetType

from application.desired_state.planning import Action, Step
from application.desired_state.sent import SentDocuments
from domain.actors import Actor
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, WRITE_ERRORS, example
from entrypoints.http.authorization import ACTING, require_admin


class SentDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A document, and what its references to secrets lead to where it is sent from: nothing here is read for them.

    With `prune`, what its sections do not list is deleted.
    """

    document: dict[str, object]
    secrets: dict[str, str] = {}
    prune: bool = False


class FieldDifference(msgspec.Struct, frozen=True):
    """A field with its value here and the document's; of a secret neither is shown."""

    field: str
    old: object
    new: object


class StepResponse(msgspec.Struct, frozen=True):
    """What becomes of one object; `extra` is one that the document does not list. `error` is why it was not done."""

    action: Action
    kind: str
    key: str
    changes: tuple[FieldDifference, ...]
    why: str
    error: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET


class PlanResponse(msgspec.Struct, frozen=True):
    """Every object of the document, and what it does not list."""

    data: tuple[StepResponse, ...]


_STEP = {
    "action": "update",
    "kind": "tenants",
    "key": "Research",
    "changes": [{"field": "limits", "old": {"rpm": 5}, "new": {"rpm": 6}}],
    "why": "",
}
_DOCUMENT = {"tenants": [{"name": "Research", "limits": {"rpm": 6}}]}
SentBody = Annotated[SentDocument, BodyKwarg(examples=[Example(summary="A limit", value={"document": _DOCUMENT})])]


class DocumentController(Controller):
    path = "/admin/config"
    tags = ("Configuration",)
    guards = (require_admin,)
    dependencies = ACTING
    exception_handlers = COMPLAINTS

    @post(
        "/plan",
        status_code=200,
        operation_id="planConfiguration",
        summary="Say what a document would change",
        description="Changes nothing. An object that cannot be made so is a step with the action `problem`.",
        responses={200: example({"data": [_STEP]}, "The steps", PlanResponse), **WRITE_ERRORS},
    )
    @inject
    async def plan(
        self, actor: NamedDependency[Actor], data: SentBody, documents: FromDishka[SentDocuments]
    ) -> PlanResponse:
        found = await documents.plan(actor, data.document, data.secrets, prune=data.prune)
        return PlanResponse(tuple(map(_answer, found.steps)))

    @post(
        "/apply",
        status_code=200,
        operation_id="applyConfiguration",
        summary="Make what a document says",
        description="Object by object, each with its entry in the audit; one that is refused has an `error` and does "
        "not keep the others. Nothing is changed where the plan has a `problem`. A new key has its `secret`, this "
        "once.",
        responses={200: example({"data": [_STEP]}, "What became of each", PlanResponse), **WRITE_ERRORS},
    )
    @inject
    async def apply(
        self, actor: NamedDependency[Actor], data: SentBody, documents: FromDishka[SentDocuments]
    ) -> PlanResponse:
        plan, outcomes = await documents.apply(actor, data.document, data.secrets, prune=data.prune)
        done = [
            msgspec.structs.replace(
                _answer(outcome.step),
                error=outcome.error or UNSET,
                secret=outcome.secret.reveal() if outcome.secret is not None else UNSET,
            )
            for outcome in outcomes
        ]
        return PlanResponse((*_answers(plan.problems), *done))

    @get(
        "/export",
        operation_id="exportConfiguration",
        summary="Get all objects as a document",
        description="Without secrets, and without what the environment or the settings file declares.",
        responses={200: example(_DOCUMENT, "The document", dict[str, object]), **READ_ERRORS},
    )
    @inject
    async def export(self, actor: NamedDependency[Actor], documents: FromDishka[SentDocuments]) -> dict[str, object]:
        return dict(await documents.export(actor))


def _answers(steps: Iterable[Step]) -> tuple[StepResponse, ...]:
    return tuple(map(_answer, steps))


def _answer(step: Step) -> StepResponse:
    changes = tuple(FieldDifference(each.field, each.old, each.new) for each in step.differences)
    return StepResponse(step.action, step.section, step.key, changes, step.why)
