"""`omg reconcile`: a provider's bill beside the ledger."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from application.reconciliation.reconciliation import Reconciled
from domain.bills import Compared, Reason
from entrypoints.cli.gateway_client import json_option
from entrypoints.cli.output import show
from entrypoints.process_settings import load_process_settings

COLUMNS = ("day", "model", "meter", "their_tokens", "our_tokens", "their_usd", "our_usd", "difference_usd", "why")

DIFFERS = 3
UNEXPLAINED = 1

WORDS: Mapping[Reason, str] = {
    Reason.MISSING_IN_OURS: "missing in ours",
    Reason.MISSING_IN_THEIRS: "missing in theirs",
    Reason.DAY_BOUNDARY: "on the other side of midnight",
    Reason.CACHED_TOKENS: "cached tokens",
    Reason.TOKEN_COUNTS: "token counts differ",
    Reason.ESTIMATED: "estimated by the gateway",
    Reason.PRICE: "price differs",
    Reason.UNPRICED: "unpriced in ours",
    Reason.FEES: "fees",
    Reason.ROUNDING: "rounding",
    Reason.UNEXPLAINED: "unexplained",
}


@click.command()
@click.argument("provider")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--columns", help="Of a table that is not known: day=…,model=…,input=…,cached=…,output=…,cost=….")
@click.option("--timezone", default="UTC", show_default=True, help="Whose days the export has.")
@click.option(
    "--model", "models", multiple=True, metavar="THEIRS=OURS", help="A model the bill has under another name."
)
@click.option("--all", "everything", is_flag=True, help="Show also what is alike.")
@json_option
def command(
    provider: str,
    files: Sequence[Path],
    columns: str | None,
    timezone: str,
    models: Sequence[str],
    everything: bool,
    as_json: bool,
) -> None:
    """Compare what PROVIDER says it charged with the ledger, by day, model and meter, and say why they part.

    FILE is what the provider lets one download: OpenAI's organization/costs (by line_item) and
    organization/usage/completions (by model) as JSON, OpenRouter's activity as CSV, or any table with --columns.
    Several pages, or cost and usage together, are several files. Works on the database of the settings in force, and
    only reads it.

    Exit: 0 nothing but rounding is between them, 3 they differ and each difference is explained, 1 something is not.
    """
    from entrypoints.ioc.reconciliation import opened_reconciliation

    content = {path.name if len(files) == 1 else str(path): path.read_bytes() for path in files}
    named, names = _pairs((columns or "").split(","), "--columns"), _pairs(models, "--model")

    async def work() -> Reconciled:
        async with opened_reconciliation(load_process_settings()) as reconciliation:
            return await reconciliation.compare(provider, content, named, timezone, names)

    found = asyncio.run(work())
    if as_json:
        click.echo(json.dumps(as_document(found), ensure_ascii=False))
    else:
        _print(found, everything=everything)
    sys.exit(exit_code(found))


def exit_code(found: Reconciled) -> int:
    """0 where both agree, 3 where they differ and it is known why, else 1."""
    if found.agrees:
        return 0
    return UNEXPLAINED if Reason.UNEXPLAINED in found.by_reason else DIFFERS


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    found = {}
    for text in texts:
        name, equals, value = text.strip().partition("=")
        if not text.strip():
            continue
        if not equals or not name or not value:
            raise click.UsageError(f"{option}: '{text}' is not NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def _print(found: Reconciled, *, everything: bool) -> None:
    show((row for cell in found.cells for row in _rows(cell, everything=everything)), COLUMNS, as_json=False)
    for note in found.bill.notes:
        click.echo(f"Note: {note}")
    if Reason.DAY_BOUNDARY in found.by_reason:
        click.echo(
            f"Note: calls near midnight are on the other day there. If the export's days are not those of "
            f"{found.timezone}, say whose they are with --timezone."
        )
    click.echo(f"{found.provider}, {found.bill.first} to {found.bill.last} ({found.timezone}):")
    theirs = found.their_cost_femto_usd
    shown = "not told" if theirs is None else f"{exactly(theirs)} USD"
    click.echo(f"  theirs {shown}, ours {exactly(found.our_cost_femto_usd)} USD")
    for reason, amount in found.by_reason.items():
        click.echo(f"  {WORDS[reason]}: {exactly(amount)}")
    if found.agrees:
        click.echo("  The bill and the ledger agree.")


def _rows(cell: Compared, *, everything: bool) -> Iterator[Mapping[str, object]]:
    """A line a meter that differs, then one a reason."""
    differs = any(each.reason is not Reason.ROUNDING for each in cell.differences)
    if not differs and not everything:
        return
    named = {"day": cell.day, "model": cell.model or "(all)"}
    for pair in cell.meters:
        yield {
            **named,
            "meter": pair.meter or "(whole)",
            "their_tokens": pair.their_tokens,
            "our_tokens": pair.our_tokens,
            "their_usd": _told(pair.their_cost_femto_usd),
            "our_usd": _told(pair.our_cost_femto_usd),
            "difference_usd": "",
            "why": "",
        }
    for each in cell.differences:
        why = WORDS[each.reason] + (f": {each.detail}" if each.detail else "")
        yield {
            **named, "meter": each.meter or "", "their_tokens": "", "our_tokens": "", "their_usd": "", "our_usd": "",
            "difference_usd": exactly(each.amount_femto_usd), "why": why,
        }  # fmt: skip


def as_document(found: Reconciled) -> dict[str, object]:
    """All of it, money as decimal strings in USD."""
    theirs = found.their_cost_femto_usd
    difference = sum(cell.difference_femto_usd for cell in found.cells)
    return {
        "provider": found.provider,
        "from": str(found.bill.first),
        "to": str(found.bill.last),
        "timezone": found.timezone,
        "their_usd": _told(theirs),
        "our_usd": exactly(found.our_cost_femto_usd),
        "difference_usd": exactly(difference),
        "reasons": {reason.value: exactly(amount) for reason, amount in found.by_reason.items()},
        "agrees": found.agrees,
        "notes": list(found.bill.notes),
        "cells": [_cell(cell) for cell in found.cells],
    }


def _cell(cell: Compared) -> dict[str, object]:
    return {
        "day": str(cell.day),
        "model": cell.model or None,
        "their_usd": _told(cell.their_cost_femto_usd),
        "our_usd": exactly(cell.our_cost_femto_usd),
        "difference_usd": exactly(cell.difference_femto_usd),
        "their_requests": cell.their_requests,
        "our_requests": cell.our_requests,
        "meters": [
            {
                "meter": pair.meter or None,
                "their_tokens": pair.their_tokens,
                "our_tokens": pair.our_tokens,
                "their_usd": _told(pair.their_cost_femto_usd),
                "our_usd": _told(pair.our_cost_femto_usd),
            }
            for pair in cell.meters
        ],
        "differences": [
            {
                "reason": each.reason.value,
                "meter": each.meter or None,
                "amount_usd": exactly(each.amount_femto_usd),
                "detail": each.detail,
            }
            for each in cell.differences
        ],
    }


def _told(femto_usd: int | None) -> str | None:
    return None if femto_usd is None else exactly(femto_usd)


def exactly(femto_usd: int) -> str:
    """USD with at least two decimals and all digits there are."""
    sign, (whole, rest) = "-" if femto_usd < 0 else "", divmod(abs(femto_usd), 10**15)
    return f"{sign}{whole}.{f'{rest:015d}'.rstrip('0').ljust(2, '0')}"
