"""Who adds a setting to providers is led from file to file: while one is forgotten, a test fails that names it."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.tree import ROOT
from tests.e2e.test_adding_a_provider import LEFT_BEHIND, alone, files_of, run

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(900)]

PAGE = ROOT / "docs" / "architecture.md"
MOST_FILES = 8
EVERY_CHANGE = "tests/integration/test_every_change.py"


class Step(NamedTuple):
    """One file of the walk, what becomes of it, and the test that fails as long as it has not."""

    file: str
    before: str
    after: str
    told_by: str
    telling: str  # in the failure's words


FIELD = Step(
    "src/domain/providers.py",
    '    on_disconnect: Literal["cancel", "drain"]',
    '    favourite_colour: str | None = None\n    on_disconnect: Literal["cancel", "drain"]',
    "",
    "",
)
WALK = (
    Step(
        "src/application/admin/provider_changes.py",
        '    on_disconnect: Literal["cancel", "drain"] | UnsetType | None = UNSET',
        "    favourite_colour: str | UnsetType | None = UNSET\n"
        '    on_disconnect: Literal["cancel", "drain"] | UnsetType | None = UNSET',
        f"{EVERY_CHANGE} -k test_everything_that_is_not_fixed_can_be_changed",
        "favourite_colour",
    ),
    Step(
        "docs/admin-api.md",
        "`on_disconnect` (",
        "`favourite_colour`, `on_disconnect` (",
        f"{EVERY_CHANGE} -k test_the_page_of_the_api_names_every_field_of_a_provider",
        "favourite_colour",
    ),
)
"""What is written by hand, in any order; `.ci/openapi` writes the last one."""

GENERATED = "docs/openapi.json"
ALL_OF_IT = f"{EVERY_CHANGE} tests/contracts/persistence/test_every_field.py -k 'not postgres'"


def test_each_file_that_a_new_setting_needs_is_named_by_a_test_until_it_has_it(tmp_path: Path) -> None:
    tree = tmp_path / "clone"
    shutil.copytree(ROOT, tree, ignore=LEFT_BEHIND)
    before = files_of(tree)
    environment = alone(tree, tmp_path / "bin")

    change(tree, FIELD)
    for step in WALK:
        received = failure(f"python -m pytest -q {step.told_by}", tree, environment)
        assert step.telling in received
        change(tree, step)
        run(f"python -m pytest -q {step.told_by}", tree, environment)
    assert "favourite_colour" in failure(".ci/openapi --check", tree, environment)
    run(".ci/openapi", tree, environment)
    run(f"python -m pytest -q {ALL_OF_IT}", tree, environment)

    changed = {path for path, content in files_of(tree).items() if before.get(path) != content}
    assert changed == {FIELD.file, *(step.file for step in WALK), GENERATED}
    assert len(changed) <= MOST_FILES


def test_the_page_names_the_files_that_a_new_setting_needs() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("### Adding a setting to providers\n")[2].partition("\n##")[0]

    assert set(re.findall(r"`((?:src|docs)/[^`]+)`", section)) == {
        FIELD.file, *(step.file for step in WALK), GENERATED
    }  # fmt: skip


def change(tree: Path, step: Step) -> None:
    path = tree / step.file
    text = path.read_text(encoding="utf-8")
    assert text.count(step.before) == 1, f"{step.file}: {step.before}"
    path.write_text(text.replace(step.before, step.after), encoding="utf-8")


def failure(command: str, tree: Path, environment: Mapping[str, str]) -> str:
    """What a command says that has to fail."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=tree, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode != 0, f"{command} finds nothing missing"
    return done.stdout + done.stderr
