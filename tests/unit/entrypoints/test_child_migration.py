"""A new or older SQLite database is brought up to date by a child process; what is none is left alone."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.persistence import schema
from adapters.persistence.migrations import HEAD, REVISIONS

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from pathlib import Path
from entrypoints.child_migration import migrate_in_child
from entrypoints.settings.loading import load_settings

settings = load_settings({"data_dir": Path(sys.argv[1])})
migrate_in_child(settings)
assert "alembic" not in sys.modules
print((Path(sys.argv[1]) / "omg.db").stat().st_size)
"""


def run(folder: Path) -> int:
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=folder.parent)
    return int(done.stdout)


def test_the_database_is_there_after_the_child_and_the_migration_tools_are_not(tmp_path: Path) -> None:
    assert run(tmp_path / "data") > 4096


def test_an_older_database_is_migrated_by_the_child_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    url = f"sqlite:///{tmp_path / 'data' / 'omg.db'}"
    asyncio.run(schema.migrate(url, REVISIONS[0]))

    run(tmp_path / "data")

    assert asyncio.run(schema.check(url)) == schema.SchemaState(HEAD, HEAD)


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "omg.db").write_bytes(b"mine")

    assert run(tmp_path / "data") == 4
