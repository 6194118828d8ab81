"""The table of faults judges honestly: what is broken fails, what cannot be tried is no success."""

from pathlib import Path

import pytest
from bench.faults.__main__ import CASES, chosen, row, told
from bench.faults.case import Case, Checks, NotHere, Outcome, tried
from bench.faults.checking import only
from bench.faults.stand import Stand
from bench.faults.traffic import Entry, Traffic

PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"


def fine(_: Stand, checks: Checks) -> None:
    checks.holds("it holds", True)


def broken(_: Stand, checks: Checks) -> None:
    journal = Traffic([], "key", "provider")
    journal.entries += [Entry(0.0, 0.1, status, "", "req", status == 200, False) for status in (200, 500)]
    only(checks, "only these", journal, "200")


def losing(_: Stand, checks: Checks) -> None:
    checks.lost += 2


def breaking(_: Stand, __: Checks) -> None:
    raise TimeoutError("it hangs")


def impossible(_: Stand, __: Checks) -> None:
    raise NotHere("no such machine")


def outcome(run: object, folder: Path) -> Outcome:
    assert callable(run)
    with Stand(folder, outage=1, kills=1) as stand:
        return tried(Case("a-case", "a fault", "a promise", run), stand)


@pytest.mark.parametrize(
    ("run", "verdict", "code"),
    [(fine, "passed", 0), (broken, "failed", 1), (losing, "failed", 1), (breaking, "failed", 1)],
)
def test_a_promise_that_is_broken_or_a_record_that_is_lost_fails_its_case_and_the_run(
    run: object, verdict: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = outcome(run, tmp_path)

    assert seen.verdict == verdict
    assert not any("Error" in each for each in seen.failed) or run is breaking
    assert told([seen]) == code
    assert ("FAILED: a-case" in capsys.readouterr().out) == bool(code)
    assert ("BROKEN" in row(seen)) == bool(code)


def test_what_cannot_be_tried_is_told_and_counts_as_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = outcome(impossible, tmp_path)

    assert (seen.verdict, seen.figures) == ("not tried", ["no such machine"])
    assert told([seen]) == 0
    assert "0 cases tried, 0 passed" in capsys.readouterr().out


def test_the_quick_form_has_a_few_cases_and_an_unknown_name_is_refused() -> None:
    assert 0 < len(chosen([], short=True)) < len(chosen([], short=False)) == len(CASES)
    assert [case.name for case in chosen(["valkey-frozen"], short=False)] == ["valkey-frozen"]
    with pytest.raises(SystemExit, match="no such case: nothing"):
        chosen(["nothing"], short=False)


def test_every_case_has_a_name_of_its_own_and_a_row_on_the_page() -> None:
    names = [case.name for case in CASES]

    assert len(set(names)) == len(names)
    assert [name for name in names if f"| `{name}` |" not in PAGE.read_text(encoding="utf-8")] == []


def test_without_a_clock_a_promise_has_a_second_chance_and_a_lost_record_has_none(tmp_path: Path) -> None:
    tries: list[int] = []

    def late(_: Stand, checks: Checks) -> None:
        tries.append(1)
        checks.within("in time", 99.0, 1.0)
        checks.holds("at the second try", len(tries) == 2)

    with Stand(tmp_path, outage=1, kills=1, timed=False) as stand:
        second = tried(Case("late", "", "", late), stand)
        lost = tried(Case("losing", "", "", losing), stand)
    with Stand(tmp_path, outage=1, kills=1) as stand:
        timed = tried(Case("late", "", "", late), stand)

    assert (second.verdict, lost.verdict, timed.verdict) == ("passed", "failed", "failed")
    assert second.figures == ["the first try: at the second try"]
    assert "in time: 99.0 s" in timed.failed
