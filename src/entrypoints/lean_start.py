"""Keeps out of a server process what only a terminal, a test or another database needs: 18 MB, a fifth of its start.

httpx imports its own command line and structlog its tracebacks' colours whenever rich is installed, and rich
brings pygments. Here, before anything else is imported, they find rich missing, which both are made to bear.
dishka, Litestar and advanced-alchemy look for pydantic and attrs, which only the development tools bring; Litestar for
its plugin of OpenTelemetry, which is imported with the library wherever that is installed.
Litestar imports yaml to write a page that is not served, and uvicorn what starts its own workers, which ours are not.
advanced-alchemy imports the dialects of Oracle, SQL Server and MySQL for one name each, to be used on those alone, and
with its package its command line, its services and the repositories that are not asynchronous.
"""

import ctypes
import gc
import importlib.util
import sys
from types import ModuleType

# mallopt's parameters, from glibc's malloc.h
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8

_GARBAGE_OBJECTS = 20_000
"""New objects between two looks for garbage: a request leaves no reference cycles, so looking often finds nothing."""

_LARGE_BYTES = 1024 * 1024  # a block of this size and more is the system's own, and goes back to it when freed
_KEPT_BYTES = 8 * 1024 * 1024  # free memory at the heap's end that is kept for the next request
_UNUSED = ("rich", "httpx._main")
_BEARERS = ("httpx", "structlog")
_SUPERVISORS = "uvicorn.supervisors"
_NAMED_AT_IMPORT: dict[str, dict[str, object]] = {_SUPERVISORS: {"ChangeReload": object, "Multiprocess": object}}
_OTHER_MODELS = ("pydantic", "attr", "attrs")
_OTHER_DATABASES = {
    "sqlalchemy.dialects.mssql": ("UNIQUEIDENTIFIER",),
    "sqlalchemy.dialects.mysql": ("insert",),
    "sqlalchemy.dialects.oracle": ("BLOB", "RAW"),
}
_SYNC_REPOSITORIES = (
    "SQLAlchemySyncQueryRepository",
    "SQLAlchemySyncRepository",
    "SQLAlchemySyncRepositoryProtocol",
    "SQLAlchemySyncSlugRepository",
    "SQLAlchemySyncSlugRepositoryProtocol",
)


class _OfModels(type):
    """The type of pydantic's stand-in, by which dishka knows one of its models: none of ours is."""


def import_without_unused_parts() -> None:
    """Import the libraries that would bring them along, without them. rich can be imported as ever afterwards; pydantic
    and attrs stay missing in this process, as they are where there are no development tools.
    """
    sys.modules["litestar.plugins.opentelemetry"] = None  # type: ignore[assignment]  # as below: with its library it loads
    hidden = [name for name in _UNUSED if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python spells "raise ImportError"
    try:
        for name in _BEARERS:
            importlib.import_module(name)
    finally:
        for name in hidden:
            del sys.modules[name]
    if "pydantic" not in sys.modules:
        # dishka asks the installed distributions, and then wants the one name
        sys.modules["pydantic"] = _stand_in("pydantic", {"BaseModel": _OfModels("BaseModel", (), {})})
        importlib.import_module("dishka")
        for name in _OTHER_MODELS:
            sys.modules[name] = None  # type: ignore[assignment]  # as above
    _import_without(_SUPERVISORS, "uvicorn")


def _import_without(unused: str, bearer: str) -> None:
    """Import `bearer` with a stand-in for a module that it names, which is loaded once somebody uses it after all."""
    if unused in sys.modules:
        importlib.import_module(bearer)
        return

    def of_the_real_one(name: str) -> object:
        if sys.modules.get(unused) is stand_in:
            raise AttributeError(name)
        return getattr(importlib.import_module(unused), name)

    stand_in = ModuleType(unused)
    vars(stand_in).update(_NAMED_AT_IMPORT.get(unused, {}), __getattr__=of_the_real_one)
    sys.modules[unused] = stand_in
    try:
        importlib.import_module(bearer)
    finally:
        del sys.modules[unused]


def import_store_without_other_databases() -> None:
    """Import advanced-alchemy without the databases that the gateway does not run on, which can be imported as ever
    afterwards, and without the parts of it that the gateway does not use: its package stays an empty one.
    """
    from sqlalchemy.types import LargeBinary

    package = importlib.util.find_spec("advanced_alchemy")
    if package is None or "advanced_alchemy" in sys.modules:
        return
    stand_ins = {
        name: _stand_in(name, {wanted: type(wanted, (LargeBinary,), {}) for wanted in names})
        for name, names in _OTHER_DATABASES.items()
        if name not in sys.modules
    }
    sys.modules.update(stand_ins)
    sys.modules["advanced_alchemy"] = importlib.util.module_from_spec(package)  # its own code is not run
    unused = "advanced_alchemy.repository._sync"
    sys.modules[unused] = _stand_in(unused, {name: type(name, (), {}) for name in _SYNC_REPOSITORIES})
    try:
        for module_name in ("advanced_alchemy.base", "advanced_alchemy.repository"):
            _import_without("yaml", module_name)  # with Litestar, to which it belongs
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _stand_in(name: str, content: dict[str, type]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(content)
    return module


def collect_garbage_seldom() -> None:
    """For the whole life of the process: imports leave hardly any cycles either, and looking is a tenth of a start."""
    gc.set_threshold(_GARBAGE_OBJECTS, 20, 50)


def keep_heap_small() -> None:
    """Few malloc arenas for few threads: each keeps what was freed in it. And large blocks stay out of them: by default
    glibc raises that bound to the largest block that was ever freed, up to 32 MiB, so that after the first large body
    the others lie in the heap, which keeps their room. Does nothing where libc is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back_start_up_memory() -> None:
    """Return to the system what a start freed. Does nothing where libc is not glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
