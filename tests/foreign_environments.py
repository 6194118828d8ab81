"""Programs of others from the package registry, each in an environment of its own that is made once a machine."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

INSTALL_SECONDS = 200


def environment_of(package: str) -> Path:
    """The folder `bin` of an environment with this requirement. Skips the test where it cannot be had."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        pytest.skip(f"{package} needs uv to be installed")
    place = Path(tempfile.gettempdir()) / f"omg-{hashlib.sha256(package.encode()).hexdigest()[:12]}"
    if not (place / "installed").exists():
        making = Path(tempfile.mkdtemp(prefix="omg-environment-"))
        python = making / "bin" / "python"
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(making)],
            [uv, "pip", "install", "--quiet", "--link-mode", "copy", "--python", str(python), package],
        ):
            try:
                done = subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS, check=False)
            except subprocess.TimeoutExpired:
                pytest.skip(f"{package} was not installed within {INSTALL_SECONDS} s")
            if done.returncode != 0:
                pytest.skip(f"{package} could not be installed: {done.stderr.decode(errors='replace')[-300:]}")
        (making / "installed").touch()
        try:
            making.rename(place)
        except OSError:  # another one was first
            shutil.rmtree(making, ignore_errors=True)
    return place / "bin"
