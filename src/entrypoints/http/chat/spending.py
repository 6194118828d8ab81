"""`/api/usage`: what the person used in the chat, in all and by model."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter

from application.chat.people import Person
from domain.conversations import ChatTotal
from domain.money import usd
from domain.ports.conversations import ChatStore
from entrypoints.http.admin.operations import COMPLAINTS, READ_ERRORS, example
from entrypoints.http.chat.people import PRESENT, require_person
from entrypoints.http.usage_answer import EXAMPLE, UsageTotal

Scope = Annotated[
    Literal["overall", "device"],
    QueryParameter(name="scope", description="`overall`, or `device`: of the device that `x-device-id` names"),
]
DeviceId = Annotated[str | None, HeaderParameter(name="x-device-id", description="What the page calls this device")]


class ModelUsage(UsageTotal, frozen=True, kw_only=True):
    """The sums of one model."""

    model: str


class ModelUsageList(msgspec.Struct, frozen=True):
    data: tuple[ModelUsage, ...]


_MODEL = {**EXAMPLE["total"], "model": "groq/gpt-oss-120b"}  # type: ignore[dict-item]  # a mapping, as it is written


class ChatUsageController(Controller):
    path = "/api/usage"
    tags = ("Chat app",)
    guards = (require_person,)
    dependencies = PRESENT
    exception_handlers = COMPLAINTS

    @get(
        "/summary",
        operation_id="getChatUsage",
        summary="What one used in the chat",
        description="Since the beginning. Deleted conversations stay counted.",
        responses={200: example(EXAMPLE["total"], "The sums", UsageTotal), **READ_ERRORS},
    )
    @inject
    async def summary(
        self,
        chats: FromDishka[ChatStore],
        person: NamedDependency[Person],
        whose: Scope = "overall",
        device_id: DeviceId = None,
    ) -> UsageTotal:
        totals = await chats.totals(person.user_id, _device(whose, device_id))
        return msgspec.convert(_sums(totals), UsageTotal)

    @get(
        "/models",
        operation_id="getChatUsageByModel",
        summary="The same by model",
        description="The model that answered, with its provider.",
        responses={200: example({"data": [_MODEL]}, "The sums", ModelUsageList), **READ_ERRORS},
    )
    @inject
    async def by_model(
        self,
        chats: FromDishka[ChatStore],
        person: NamedDependency[Person],
        whose: Scope = "overall",
        device_id: DeviceId = None,
    ) -> ModelUsageList:
        totals = await chats.totals(person.user_id, _device(whose, device_id))
        return ModelUsageList(
            tuple(msgspec.convert({"model": one.model, **_sums([one])}, ModelUsage) for one in totals)
        )


def _device(whose: str, device_id: str | None) -> str | None:
    return (device_id or "") if whose == "device" else None


def _sums(totals: Sequence[ChatTotal]) -> dict[str, object]:
    inexact = sum(one.inexact_requests for one in totals)
    return {
        "requests": sum(one.requests for one in totals),
        "input_tokens": sum(one.input_tokens for one in totals),
        "output_tokens": sum(one.output_tokens for one in totals),
        "cache_read_tokens": sum(one.cache_read_tokens for one in totals),
        "cache_write_tokens": sum(one.cache_write_tokens for one in totals),
        "cache_write_1h_tokens": 0,
        "reasoning_tokens": sum(one.reasoning_tokens for one in totals),
        "cost_usd": usd(sum(one.cost_nano_usd for one in totals)),
        "savings_usd": "0.00",
        "estimated_requests": sum(one.estimated_requests for one in totals),
        "unpriced_requests": sum(one.unpriced_requests for one in totals),
        "inexact_requests": inexact,
        "cost_exact": inexact == 0,
        "cost_missing": (),
    }
