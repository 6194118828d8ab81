"""`omg reconcile` and `omg prices` on a database, with the settings of the shell."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapters.persistence.ledger.opening import open_ledger_store
from adapters.persistence.store import SqlAlchemyStore
from adapters.security.secret_box import AesGcmSecretBox, KeyRing
from domain.errors import RequestInvalid
from domain.records import RequestRecord
from entrypoints.cli import prices, reconcile
from entrypoints.settings.loading import load_settings
from tests.unit.application.reconciliation.bills import PRICE, bucket, call, cost, page


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bills")


@pytest.fixture(autouse=True)
def shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in a folder with a gateway's data, and a provider by the environment."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OMG_ADMIN_TOKEN", "")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-upstream-0123456789")


def omg_prices(*arguments: str) -> Result:
    return CliRunner().invoke(prices.command, arguments)


def omg_reconcile(*arguments: str) -> Result:
    return CliRunner().invoke(reconcile.command, arguments)


def published(price: float) -> bytes:
    models = [
        {"id": "my-own-1", "match": {"equals": "my-own-1"}, "prices": {"input_mtok": price, "output_mtok": 2 * price}}
    ]
    return json.dumps([{"id": "openai", "models": models}]).encode()


def test_newer_prices_are_looked_at_taken_in_and_gone_back_from(folder: Path) -> None:
    (folder / "first.json").write_bytes(published(3))
    (folder / "second.json").write_bytes(published(4))
    checksum = hashlib.sha256(published(4)).hexdigest()
    first = omg_prices(
        "update", "first.json", "--apply", "--confirm", "--sha256", hashlib.sha256(published(3)).hexdigest()
    )
    assert first.exit_code == 0, first.output

    look = omg_prices("update", "second.json")
    assert look.exit_code == 3, look.output
    assert "3.00    4.00" in look.stdout
    assert f"omg prices update second.json --apply --sha256 {checksum}" in look.stdout

    taken = omg_prices("update", "second.json", "--apply", "--sha256", checksum)
    assert taken.exit_code == 0, taken.output
    listed = [json.loads(line) for line in omg_prices("versions", "--json").stdout.splitlines()]
    assert [each["in_force"] for each in listed] == [True, False, False]
    assert listed[0]["sha256"] == checksum
    same = omg_prices("update", "second.json")
    assert (same.exit_code, "0 changed, 0 new, 0 gone" in same.stdout) == (0, True)

    back = [omg_prices("rollback") for _ in range(3)]
    assert [each.exit_code for each in back[:2]] == [0, 0]
    assert (back[2].exit_code, "nothing to go back to" in back[2].output) == (1, True)


def test_another_checksum_or_none_changes_nothing(folder: Path) -> None:
    (folder / "other.json").write_bytes(published(5))

    without = omg_prices("update", "other.json", "--apply")
    wrong = omg_prices("update", "other.json", "--apply", "--sha256", "ab" * 32)
    missing = omg_prices("update", "nowhere.json")

    assert (without.exit_code, missing.exit_code) == (2, 2)
    assert (wrong.exit_code, "is another file than the one you looked at" in wrong.output) == (1, True)


def booked(records: Sequence[RequestRecord]) -> None:
    """Carry records over into the database of the shell."""
    assert omg_prices("versions").exit_code == 0  # makes the database

    async def write() -> None:
        url = load_settings().database
        store = SqlAlchemyStore(url, AesGcmSecretBox(KeyRing.generate()))
        async with store.write() as unit:
            await unit.prices.keep([PRICE])
        await store.aclose()
        ledger = open_ledger_store(url)
        await ledger.apply(records, None)
        await ledger.aclose()

    asyncio.run(write())


def test_a_bill_is_compared_with_the_ledger_of_the_database(folder: Path) -> None:
    booked([call(1, 100_000, 10_000), call(2, 300_000, 30_000, cache_read=100_000), call(3, 10_000, 1_000)])
    alike = page(
        bucket(1, cost("gpt-5, input", "0.2", 100_000.0), cost("gpt-5, output", "0.08", 10_000.0)),
        bucket(2, cost("gpt-5, input", "0.4", 200_000.0), cost("gpt-5, cached input", "0.05", 100_000.0),
               cost("gpt-5, output", "0.24", 30_000.0)),
    )  # fmt: skip
    dearer = page(bucket(3, cost("gpt-5, input", "0.03", 10_000.0), cost("gpt-5, output", "0.008", 1_000.0)))
    (folder / "alike.json").write_bytes(alike)
    (folder / "dearer.json").write_bytes(dearer)

    agrees = omg_reconcile("openai", "alike.json")
    assert agrees.exit_code == 0, agrees.output
    assert "The bill and the ledger agree." in agrees.stdout

    parts = omg_reconcile("openai", "alike.json", "dearer.json")
    assert parts.exit_code == 3, parts.output
    assert "price differs: 3.00 USD a million, ours 2.00" in parts.stdout
    assert "theirs 1.008 USD, ours 0.998 USD" in parts.stdout
    told = json.loads(omg_reconcile("openai", "alike.json", "dearer.json", "--json").stdout)
    assert told["difference_usd"] == "0.01"
    assert told["reasons"] == {"price": "0.01"}
    assert [(cell["day"], cell["difference_usd"]) for cell in told["cells"]] == [
        ("2026-11-01", "0.00"),
        ("2026-11-02", "0.00"),
        ("2026-11-03", "0.01"),
    ]


def test_what_cannot_be_explained_has_an_exit_code_of_its_own(folder: Path) -> None:
    (folder / "bill.csv").write_text("day;usd\n2026-11-01;12\n", encoding="utf-8")

    unknown = omg_reconcile("openai", "bill.csv")
    wrong = omg_reconcile("openai", "bill.csv", "--columns", "day")
    without_counts = omg_reconcile("openai", "bill.csv", "--columns", "day=day,cost=usd")

    assert isinstance(unknown.exception, RequestInvalid)
    assert wrong.exit_code == 2
    assert without_counts.exit_code == 1
    assert "unexplained: 11.72" in without_counts.stdout
