"""Migrations are one chain: two that were made side by side with one number would leave a database between them.

And they expand before they contract (R-31): a version that runs is never left without what it uses.
"""

import re

from adapters.persistence.migrations import RELEASED, REVISIONS
from adapters.persistence.schema import OURS
from adapters.persistence.schema_changes import read_folder
from adapters.persistence.schema_history import FIRST_WRITTEN
from tests.architecture.tree import files, name_of, text_of

FOLDER = "src/adapters/persistence/migrations/versions/"
REVISION = re.compile(r'^(down_)?revision(?:: [^=]+)? = (?:"([^"]+)"|None)', re.MULTILINE)


def test_each_migration_has_a_number_of_its_own_and_follows_the_one_before() -> None:
    chain = []
    for path in files():
        if name_of(path).startswith(FOLDER) and path.suffix == ".py" and path.stem != "__init__":
            found = {bool(down): number or "" for down, number in REVISION.findall(text_of(path) or "")}
            chain.append((found[False], found[True]))

    numbers = sorted(number for number, _ in chain)
    assert sorted(before for _, before in chain) == ["", *numbers[:-1]]
    assert len(set(numbers)) == len(numbers)


def test_what_is_taken_away_was_unused_in_the_version_before() -> None:
    """On both databases. How a column goes: first no code uses it, a release later it is dropped (docs/updates.md)."""
    of_both = [read_folder(OURS.folder, dialect) for dialect in ("sqlite", "postgresql")]

    breaches = []
    for migrations in zip(*of_both, strict=True):
        revision, marked = migrations[0].revision, migrations[0].unused_since
        taken = {name for one in migrations for name in one.contracted}
        if revision < FIRST_WRITTEN:
            continue
        before = max((one for one in RELEASED.values() if one < revision), default=REVISIONS[int(revision) - 2])
        breaches += [
            f"{revision} takes away {name} and does not say since when it is unused" for name in taken - {*marked}
        ]
        breaches += [f"{revision} says it takes away {name}, and does not" for name in {*marked} - taken]
        breaches += [
            f"{revision} takes away {name}, which the version before (schema {before}) may still use"
            for name, since in marked.items()
            if since not in REVISIONS or since > before
        ]
    assert breaches == []
