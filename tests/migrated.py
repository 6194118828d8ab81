"""A SQLite database with the tables of today, made once in a process: migrating takes most of a second of CPU."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from adapters.persistence import schema
from tests.apart import run_apart


@cache
def migrated_sqlite() -> Path:
    """A file with nothing in its tables, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="omg-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.db"
    run_apart(schema.upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


def copy_migrated_sqlite(path: Path) -> None:
    """Put the tables there as the gateway's first start would, unless something is there already."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(migrated_sqlite(), path)
        path.chmod(0o600)
