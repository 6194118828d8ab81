"""What no committed file may say, wherever it stands."""

import re

import pytest

from tests.architecture.tree import CODE, files, lines_with, name_of, texts

# Spelled in pieces, so that this file is no finding of its own.
REGISTRY_HOSTS = "|".join(
    ["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)", "deb" + r"ian\.org", "gh" + r"cr\.io"]
)
MACHINE_PATHS = "|".join(
    ["/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "/Use" + r"rs/\w", r"[A-Z]:\\" + "Use" + "rs"]
)
PROCESS_WORDS = "|".join([r"\bC" + r"EO\b", r"\bsub" + "agent", r"\b[Ii]ss" + r"ue #?\d", r"\bL" + "LM wrote"])
UNFINISHED = "|".join([r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", "raise Not" + "ImplementedError$"])
SILENCED = r"#\s*type:\s*ignore(\[[^]]+\])?(?P<reason>.*)"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (REGISTRY_HOSTS, "packages are named, never where they are fetched from"),
        (MACHINE_PATHS, "a path of one machine means nothing on another"),
        (PROCESS_WORDS, "the files tell of the product, not of how it came about"),
    ],
    ids=["registry hosts", "machine paths", "process words"],
)
def test_no_file_says(pattern: str, why: str) -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path, text in texts()
        for number, line in lines_with(pattern, text)
    ]

    assert found == [], why


def test_nothing_in_the_code_is_marked_unfinished() -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path, text in texts(".py")
        if name_of(path).split("/")[0] in CODE
        for number, _ in lines_with(UNFINISHED, text)
    ]

    assert found == []


def test_every_silenced_type_error_says_which_and_why() -> None:
    bare = [
        f"{name_of(path)}:{number}"
        for path, text in texts(".py")
        for number, line in lines_with(SILENCED, text)
        if (found := re.search(SILENCED, line))
        and not (found.group(1) and len(found.group("reason").strip(" -#—:")) > 3)
        and "re.search" not in line
    ]

    assert bare == []


CLOCKS = "|".join([r"\btime" + r"\.(monotonic|perf_counter)(_ns)?\(", "^from time " + "import"])
WATCHES_A_CLOCK = {
    "tests/waiting.py",
    "tests/fuzz/client_framing.py",
    "tests/fuzz/server_framing.py",
    "tests/unit/adapters/ledger/test_vanishing.py",
}
"""Modules that bound a hang, report how long they took, or count tries by the time that passed."""


def test_no_test_measures_how_long_something_takes() -> None:
    """A busy machine is as slow as it likes: see tests/waiting.py for what to do instead."""
    found = [
        f"{name_of(path)}:{number}"
        for path, text in texts(".py")
        if name_of(path).startswith("tests/") and name_of(path) not in WATCHES_A_CLOCK
        for number, _ in lines_with(CLOCKS, text)
    ]

    assert found == []


def test_a_unit_test_that_starts_a_program_is_left_out_of_the_quick_set() -> None:
    found = [
        name_of(path)
        for path, text in texts(".py")
        if name_of(path).startswith("tests/unit/") and "sys.executable" in text and "mark.slow" not in text
    ]

    assert found == []


def test_every_migration_has_a_number_of_its_own() -> None:
    """Alembic takes one of two with the same number, and says nothing of the other."""
    folder = "src/adapters/persistence/migrations/versions/"
    names = [name_of(path).removeprefix(folder) for path in files() if name_of(path).startswith(f"{folder}2")]
    numbers = sorted(name.split("_")[1] for name in names)

    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
