"""Keeps out of a server process what only a terminal or another database needs: 10 MB, a fifth of its start-up time.

httpx imports its own command line and structlog its tracebacks' colours whenever rich is installed, and rich
brings pygments. Here, before anything else is imported, they find rich missing, which both are made to bear.
advanced-alchemy imports the dialects of Oracle, SQL Server and MySQL for one name each, to be used on those alone.
"""

import ctypes
import importlib
import sys
from types import ModuleType

_ARENAS = -8  # mallopt's M_ARENA_MAX, from glibc's malloc.h
_UNUSED = ("rich", "httpx._main")
_BEARERS = ("httpx", "structlog")
_OTHER_DATABASES = {
    "sqlalchemy.dialects.mssql": ("UNIQUEIDENTIFIER",),
    "sqlalchemy.dialects.mysql": ("insert",),
    "sqlalchemy.dialects.oracle": ("BLOB", "RAW"),
}


def import_without_unused_parts() -> None:
    """Import the libraries that would bring them along, without them. They can be imported as ever afterwards."""
    hidden = [name for name in _UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python spells "raise ImportError"
    try:
        for name in _BEARERS:
            importlib.import_module(name)
    finally:
        for name in hidden:
            del sys.modules[name]


def import_store_without_other_databases() -> None:
    """Import advanced-alchemy without the databases that the gateway does not run on. They can be imported as ever."""
    from sqlalchemy.types import LargeBinary

    stand_ins = {name: ModuleType(name) for name in _OTHER_DATABASES if name not in sys.modules}
    for name, module in stand_ins.items():
        for wanted in _OTHER_DATABASES[name]:
            setattr(module, wanted, type(wanted, (LargeBinary,), {}))
    sys.modules.update(stand_ins)
    try:
        for module_name in ("advanced_alchemy.base", "advanced_alchemy.repository", "advanced_alchemy.service"):
            importlib.import_module(module_name)
    finally:
        for name in stand_ins:
            del sys.modules[name]


def keep_heap_small() -> None:
    """Few malloc arenas for few threads: each keeps what was freed in it. Does nothing where libc is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENAS, 2)


def give_back_start_up_memory() -> None:
    """Return to the system what a start freed. Does nothing where libc is not glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
