"""`/admin/decisions`: why a request went where it went; and what a route would do, tried dry."""

from typing import Annotated, Any

import msgspec
from dishka.integrations.litestar import FromDishka, inject
from litestar import Controller, get, post
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter, QueryParameter

from application.decisions.backtest import Backtests
from application.decisions.explaining import RouteExplainer
from application.decisions.reading import Decisions
from domain.chat import ChatRequest
from domain.chat_tolerance import forgive
from entrypoints.http.admin.operations import COMPLAINTS, ITEM_ERRORS, WRITE_ERRORS, example
from entrypoints.http.admin.routes import Alias
from entrypoints.http.authorization import require_admin
from entrypoints.http.backtest_answer import BacktestAnswer, BacktestBody, backtest_answer
from entrypoints.http.decision_answer import DECISION_EXAMPLE, DecisionAnswer, decision_answer
from entrypoints.http.inference.json_body import JsonBody

_CHAT_BODY = JsonBody(ChatRequest, forgive)
_CHAT = {"messages": [{"role": "user", "content": "Why is the sky blue?"}]}
_BACKTEST = {"policy": {"strategy": "lowest_cost", "targets": [{"provider": "groq", "model": "m"}]}, "prices": "now"}
_FIGURES = {"cost_usd": "1.25", "latency_ms": 812.4, "failures": 3}
_BACKTESTED = {
    "requests": 1000,
    "moved": 400,
    "unknown": 0,
    "before": _FIGURES,
    "after": {"cost_usd": "0.75", "latency_ms": 640.0, "failures": 2.5},
    "moves": [{"from": "openai/gpt-6-luna", "to": "groq/m", "requests": 400, "cost_delta_usd": "-0.50"}],
}
DecisionId = Annotated[str, PathParameter(description="The `x-omg-decision` of the answer")]


class DecisionController(Controller):
    path = "/admin/decisions"
    tags = ("Routes",)
    guards = (require_admin,)
    exception_handlers = COMPLAINTS

    @get(
        "/{decision_id:str}",
        operation_id="getDecision",
        summary="Look up one decision",
        description="By the `x-omg-decision` of its answer, which the request log has too. It is here about a second "
        "after the answer ended. Of a request that named a model the calls are told.",
        responses={200: example(DECISION_EXAMPLE, "The decision", DecisionAnswer), **ITEM_ERRORS},
    )
    @inject
    async def get_one(self, decision_id: DecisionId, decisions: FromDishka[Decisions]) -> DecisionAnswer:
        return decision_answer(await decisions.get(decision_id))


class RouteTrialController(Controller):
    """What is asked of a route and changes nothing."""

    path = "/admin/routes"
    tags = ("Routes",)
    guards = (require_admin,)
    exception_handlers = COMPLAINTS

    @post(
        "/{alias:str}/explain",
        operation_id="explainRoute",
        summary="See where a request would go",
        description="A chat completion's body in, without a `model`; the decision out. Nobody is called, and nothing "
        "is stored. `auto` and `auto:cost` are explained too. With `key_id` as for that key, else as for one that may "
        "use everything. `estimated_cost_usd` is of the prompt, and of as long an answer as the body allows, or 1024 "
        "tokens.",
        status_code=200,
        responses={200: example(DECISION_EXAMPLE, "The decision", DecisionAnswer), **WRITE_ERRORS, **ITEM_ERRORS},
    )
    @inject
    async def explain(
        self,
        alias: Alias,
        data: Annotated[dict[str, Any], BodyKwarg(examples=[Example(summary="A chat", value=_CHAT)])],
        explainer: FromDishka[RouteExplainer],
        key_id: Annotated[str | None, QueryParameter(description="As for this virtual key")] = None,
        tags: Annotated[str, QueryParameter(description="Those of the request itself, as in `x-omg-tags`")] = "",
    ) -> DecisionAnswer:
        payload = _CHAT_BODY.decode(msgspec.json.encode(data | {"model": alias}))
        return decision_answer(await explainer.explain(payload.value, key_id, tags, payload.fields))

    @post(
        "/{alias:str}/backtest",
        operation_id="backtestRoute",
        summary="Try a policy on recorded traffic",
        description="What went by this alias in a time (a week, where `from` is not given), replayed under another "
        "policy. Nobody is called, and nothing is stored. `prices` of `then` are those that the decisions were priced "
        "by, of `now` those in force. The policy in force gives what it chose. `unknown` are requests that would have "
        "gone where nothing was ever measured; their figures are left out, and null where none is known.",
        status_code=200,
        responses={200: example(_BACKTESTED, "What would have become of them", BacktestAnswer), **WRITE_ERRORS},
    )
    @inject
    async def backtest(
        self,
        alias: Alias,
        data: Annotated[BacktestBody, BodyKwarg(examples=[Example(summary="Another order", value=_BACKTEST)])],
        backtests: FromDishka[Backtests],
    ) -> BacktestAnswer:
        return backtest_answer(await backtests.run(alias, data.policy, data.from_, data.to, data.prices))
