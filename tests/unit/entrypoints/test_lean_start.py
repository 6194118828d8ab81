"""A server process starts without what it has no use for, and nothing is broken by that."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
from entrypoints.lean_start import (
    give_back_start_up_memory, import_store_without_other_databases, import_without_unused_parts, keep_heap_small,
)
keep_heap_small()
import_without_unused_parts()
import_store_without_other_databases()
import entrypoints.process, entrypoints.lifespan
loaded = [name for name in (
    "rich", "pygments", "alembic", "cryptography", "sqlalchemy.dialects.oracle.base", "sqlalchemy.dialects.mssql.base",
    "sqlalchemy.dialects.mysql.base", "pydantic", "attr", "advanced_alchemy.cli", "advanced_alchemy.service",
    "yaml", "uvicorn.supervisors", "multiprocessing.connection",
) if sys.modules.get(name) is not None]
assert not loaded, loaded
give_back_start_up_memory()
import rich.console, httpx._main, yaml, uvicorn.supervisors, litestar.openapi.plugins
assert yaml.dump([1]) == litestar.openapi.plugins.yaml.dump([1])
assert uvicorn.supervisors.Multiprocess is not object
from sqlalchemy.dialects import mssql, mysql, oracle
assert mssql.UNIQUEIDENTIFIER and mysql.insert and oracle.RAW.__module__.startswith("sqlalchemy")
rich.console.Console()
print("fine")
"""


def test_a_server_process_loads_nothing_it_has_no_use_for_and_can_still_import_it_later() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "fine\n", done.stderr
