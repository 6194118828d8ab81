"""Packages of npm for tests: installed once for each list of them, and kept among the temporary files."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

INSTALL_SECONDS = 200
OLDEST_NODE = 20
"""What the SDKs and the mocks run on."""


def installed(package_json: Path) -> Path:
    """The folder they are in. Skips the test, with the reason, without node, npm or a registry that npm can ask."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is no node, or no npm, on the path")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node {version} is older than {OLDEST_NODE}")
    packages = package_json.read_bytes()
    place = Path(tempfile.gettempdir()) / f"omg-node-{hashlib.sha256(packages).hexdigest()[:16]}"
    if not (place / "installed").exists():
        place.mkdir(exist_ok=True)
        (place / "package.json").write_bytes(packages)
        install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            done = subprocess.run(install, cwd=place, capture_output=True, timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not install the packages within {INSTALL_SECONDS} s")
        if done.returncode != 0:
            pytest.skip(f"npm could not install the packages: {done.stderr.decode(errors='replace')[-300:]}")
        (place / "installed").touch()
    return place
