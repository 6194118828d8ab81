"""`omg config --url`: documents over the admin API of a gateway elsewhere, with the secrets of this shell."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec

from application.desired_state.document import Document, entries_of
from application.desired_state.planning import Action, Difference, Plan, Step
from application.desired_state.state import SECRET_FIELDS, SECTIONS, Outcome
from domain.ports.security import SecretMissing
from domain.secrets import Secret
from entrypoints.cli.gateway_client import connect
from entrypoints.cli.plans import exit_code_of, run, show_outcomes, show_plan, show_problems
from entrypoints.settings.model import Settings


class _Change(msgspec.Struct, frozen=True):
    field: str
    old: object = None
    new: object = None


class _Said(msgspec.Struct, frozen=True):
    """A step as the gateway answers it."""

    action: Action
    kind: str
    key: str
    changes: tuple[_Change, ...] = ()
    why: str = ""
    error: str = ""
    secret: str | None = None

    @property
    def step(self) -> Step:
        differences = tuple(Difference(each.field, each.old, each.new) for each in self.changes)
        return Step(self.action, self.kind, self.key, differences, self.why)


def plan_there(settings: Settings, url: str, document: Document, *, prune: bool, as_json: bool) -> int:
    """Prints the plan; the exit code."""
    plan = Plan(tuple(said.step for said in _asked(settings, url, "plan", document, prune=prune)))
    show_plan(plan, as_json=as_json)
    return exit_code_of(plan)


def apply_there(settings: Settings, url: str, document: Document, *, prune: bool) -> int:
    """Prints what became of each object; the exit code."""
    said = _asked(settings, url, "apply", document, prune=prune)
    problems = [each.step for each in said if each.action == "problem"]
    if problems:
        return show_problems(problems)
    return show_outcomes([Outcome(each.step, each.error, _secret(each)) for each in said], ())


def _secret(said: _Said) -> Secret | None:
    return None if said.secret is None else Secret(said.secret)


def _asked(settings: Settings, url: str, action: str, document: Document, *, prune: bool) -> Sequence[_Said]:
    """Raises `click.ClickException`."""
    secrets: dict[str, str] = {}

    async def follow() -> int:
        secrets.update(await _secrets_of(document, settings))
        return 0

    run(follow())
    body: dict[str, Any] = {"document": msgspec.to_builtins(document), "secrets": secrets, "prune": prune}
    answer = connect(url).call("POST", f"/admin/config/{action}", body)
    try:
        return msgspec.convert(answer["data"], list[_Said])
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise click.ClickException(f"{url} answered what is no plan: is it a gateway of this version?") from error


async def _secrets_of(document: Document, settings: Settings) -> Mapping[str, str]:
    """What the references lead to here. One that leads nowhere is not sent: the gateway names the object it is for."""
    from entrypoints.ioc.secrets import secret_references

    references = secret_references(settings)
    found: dict[str, str] = {}
    for entries in entries_of(document, SECTIONS, SECRET_FIELDS).values():
        for entry in entries:
            if entry.secret is not None and references.is_reference(entry.secret):
                try:
                    found[entry.secret] = (await references.resolve(entry.secret)).reveal()
                except SecretMissing as error:
                    click.echo(f"{entry.where}: {error}", err=True)
    return found
