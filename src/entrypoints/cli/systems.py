"""On which systems the gateway runs, said in words where it does not."""

import importlib.util
import os
import sys

from entrypoints.settings.model import SettingsError

POSIX_MODULES = ("fcntl", "pwd", "grp", "termios", "resource", "uvloop")
"""What the standard library lacks on Windows, and what has no wheel there."""

_WORDS = (
    "this system lacks {lacking}, which the gateway needs: it runs on Linux and macOS. "
    "On Windows, run it in WSL 2 or as a container (docs/deployment.md)"
)


def refuse_other_systems() -> None:
    """Raises `SettingsError` where the gateway cannot run."""
    lacking = "fcntl" if _is_lacking("fcntl") else "fork" if not hasattr(os, "fork") else ""
    if sys.platform == "win32" or lacking:
        raise SettingsError(_WORDS.format(lacking=lacking or "POSIX"))


def lacking_module(error: ImportError) -> str | None:
    """What to say of an import that failed, where that is the system's fault."""
    name = (error.name or "").partition(".")[0]
    return _WORDS.format(lacking=name) if name in POSIX_MODULES else None


def _is_lacking(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except ValueError:  # it was imported in vain
        return True
