"""Runs and prints plans of configuration documents."""

import asyncio
import json
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any, Final

import click

from application.bootstrap import FirstStart
from application.desired_state.document import OF_SETTINGS, Document
from application.desired_state.planning import Action, Difference, Plan, Step
from application.desired_state.state import DesiredState, Outcome
from domain.actors import CONFIGURATION
from domain.errors import GatewayError

PROBLEM, CHANGES = 1, 3
"""Exit codes: something cannot be done; a plan has changes."""

_MARK: Final[dict[Action, str]] = {
    "create": "+",
    "update": "~",
    "delete": "-",
    "same": "=",
    "extra": "?",
    "problem": "!",
}
_WORD: Final[dict[Action, str]] = {"create": "created", "update": "changed", "delete": "deleted"}
_ONE: Final = {"alert_channels": "alert channel", "alert_rules": "alert rule", "models": "model"}


def run(work: Coroutine[Any, Any, int]) -> int:
    """Its exit code. Raises `click.ClickException` for what the gateway refuses as a whole."""
    try:
        return asyncio.run(work)
    except GatewayError as error:
        raise click.ClickException(error.message) from None


def show_first_start(first: FirstStart | None) -> None:
    """What opening the store made, where it was the first to do so; on stderr, so that stdout is the answer alone."""
    if first is None:
        return
    click.echo("This is a new database. These are shown once; only their digests are kept:", err=True)
    for name, secret in (("Admin token", first.admin_token), ("Virtual key", first.virtual_key)):
        if secret is not None:
            click.echo(f"  {name}   {secret.reveal()}", err=True)


def exit_code_of(plan: Plan) -> int:
    if plan.problems:
        return PROBLEM
    return CHANGES if plan.changes else 0


def show_plan(plan: Plan, *, as_json: bool = False, extras: bool = True) -> None:
    """A line for each object that differs, and below it one for each field; last, how many.

    `extras` shows what the document does not list, too.
    """
    if as_json:
        for step in plan.steps:
            click.echo(json.dumps(_as_json(step), ensure_ascii=False))
        return
    for line in _lines(step for step in plan.steps if extras or step.action != "extra"):
        click.echo(line)
    click.echo(_summary(plan))


async def apply_document(desired_state: DesiredState, document: Document, *, prune: bool) -> int:
    """Applies and prints what became of it, or changes nothing where something cannot be done; the exit code."""
    plan = await desired_state.plan(document, prune=prune)
    if plan.problems:
        return show_problems(plan.problems)
    return show_outcomes(await desired_state.apply(CONFIGURATION, document, prune=prune), ())


def show_problems(problems: Sequence[Step]) -> int:
    """Prints what cannot be done, for which nothing else was done either; the exit code."""
    for line in _lines(problems):
        click.echo(line, err=True)
    click.echo("Nothing was changed: mend these first.", err=True)
    return PROBLEM


def show_outcomes(outcomes: Sequence[Outcome], problems: Sequence[Step]) -> int:
    """Prints what became of each step, and what could not be one; the exit code."""
    for line in _lines(problems):
        click.echo(line, err=True)
    failed = bool(problems)
    for outcome in outcomes:
        name = _name(outcome.step)
        if outcome.error:
            failed = True
            click.echo(f"! {name}: {outcome.error}", err=True)
        else:
            click.echo(f"{_MARK[outcome.step.action]} {name} {_WORD[outcome.step.action]}")
        if outcome.secret is not None:
            click.echo(f"    its secret, shown once: {outcome.secret.reveal()}")
    if not outcomes and not failed:
        click.echo("no changes")
    return PROBLEM if failed else 0


def _lines(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if step.action == "same":
            continue
        yield f"{_MARK[step.action]} {_name(step)}" + (f": {step.why}" if step.why else "")
        for difference in step.differences:
            yield f"    {_difference(step, difference)}"


def _difference(step: Step, difference: Difference) -> str:
    new = _text(difference.new)
    if step.action == "create":
        return f"{difference.field}: {new}"
    old = _text(difference.old)
    return f"{difference.field}: {new}" if old == new else f"{difference.field}: {old} -> {new}"


def _summary(plan: Plan) -> str:
    counts = [(action, sum(step.action == action for step in plan.steps)) for action in ("create", "update", "delete")]
    parts = [f"{count} to {action}" for action, count in counts if count]
    if plan.problems:
        parts.append(f"{len(plan.problems)} that cannot be done")
    return ", ".join(parts) if parts else "no changes"


def _name(step: Step) -> str:
    if step.section.startswith(OF_SETTINGS):
        return f"setting {step.key}"
    return f"{_ONE.get(step.section, step.section.removesuffix('s').replace('_', ' '))} {step.key}"


def _text(value: object) -> str:
    return json.dumps(_said(value), ensure_ascii=False)


def _said(value: object) -> object:
    """Without what is null in an object: it says nothing."""
    if isinstance(value, dict):
        return {name: _said(each) for name, each in value.items() if each is not None}
    return [_said(each) for each in value] if isinstance(value, list | tuple) else value


def _as_json(step: Step) -> dict[str, object]:
    return {
        "action": step.action,
        "kind": step.section,
        "key": step.key,
        "changes": [{"field": each.field, "old": each.old, "new": each.new} for each in step.differences],
        "why": step.why,
    }
