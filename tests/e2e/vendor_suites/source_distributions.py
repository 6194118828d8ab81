"""Source distributions of the SDKs, whose own tests are run here: fetched by pip with the lock's hashes."""

import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

DOWNLOAD_SECONDS = 240
LOCK = ROOT / "requirements-dev.lock"


def unpacked(package: str) -> Path:
    """The folder with the locked version of it, as its authors distribute it.

    Skips the test, with the reason, without pip or a registry that pip can ask.
    """
    requirement = _locked(package)
    version = requirement.split("==")[1].split(" ")[0].strip()
    place = Path(tempfile.gettempdir()) / f"omg-sdist-{package}-{version}"
    folder = place / f"{package}-{version}"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        _download(package, requirement, place)
        with tarfile.open(next(place.glob("*.tar.gz"))) as archive:
            archive.extractall(place, filter="data")
        (place / "complete").touch()
    return folder


def _download(package: str, requirement: str, place: Path) -> None:
    pip = shutil.which("pip")
    if pip is None:
        pytest.skip("there is no pip on the path to fetch the source distribution with")
    wanted = place / "wanted.txt"
    wanted.write_text(requirement, encoding="utf-8")
    command = [pip, "download", "--quiet", "--no-deps", "--no-binary", package, "--require-hashes", "-r", str(wanted)]
    try:
        done = subprocess.run([*command, "-d", str(place)], capture_output=True, timeout=DOWNLOAD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"pip did not fetch the source distribution within {DOWNLOAD_SECONDS} s")
    if done.returncode != 0:
        pytest.skip(f"pip could not fetch the source distribution: {done.stderr.decode(errors='replace')[-300:]}")


def _locked(package: str) -> str:
    """Its lines of the lock, with all hashes."""
    found = re.search(rf"^{package}==[^\\\n]*(?:\\\n[^\\\n]*)*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{package} is not in {LOCK.name}"
    return found.group() + "\n"
