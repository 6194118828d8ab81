"""The vendors' suites, and how one is run against a gateway: in a process of its own, with results by case."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from anthropic.resources.messages.messages import DEPRECATED_MODELS

from tests.e2e.vendor_suites.exemptions import ANTHROPIC, OPENAI, Exemption

HERE: Final = Path(__file__).parent
SUITE_SECONDS: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Files of a vendor's `tests/api_resources`, the provider that stands behind the gateway, and what fails."""

    package: str
    files: tuple[str, ...]
    provider_id: str
    provider: Mapping[str, Any]  # its further fields in the admin API
    exempt: tuple[Exemption, ...]
    path: str = ""  # of the base URL
    beside: tuple[str, ...] = ()  # folders of the vendor's tests that these files import


SUITES: Final = (
    Suite(
        package="openai",
        files=(
            "chat/test_completions.py",
            "test_completions.py",
            "test_embeddings.py",
            "test_images.py",
            "audio/test_speech.py",
            "audio/test_transcriptions.py",
            "audio/test_translations.py",
            "test_moderations.py",
            "test_models.py",
            "test_responses.py",
            "responses",
        ),
        provider_id="openai",
        provider={
            "settings": {
                "models": [
                    "gpt-6-astra",
                    "gpt-3.5-turbo-instruct",
                    "gpt-4o-transcribe",
                    "whisper-1",
                    "text-embedding-3-small",
                    "omni-moderation-latest",
                    "omni-moderation-2024-09-26",
                    "gpt-image-2.5-flare",
                    "gpt-image-1.5",
                ]
            },
        },
        exempt=OPENAI,
        path="/v1",
        beside=("respx2",),
    ),
    Suite(
        package="anthropic",
        files=("test_messages.py", "test_models.py"),
        provider_id="anthropic",
        provider={
            "kind": "anthropic",
            "settings": {"models": ["claude-opus-5-5", "model_id", *sorted(DEPRECATED_MODELS)]},
        },
        exempt=ANTHROPIC,
    ),
)


def results_of(suite: Suite, vendor: Path, place: Path, url: str, key: str) -> dict[str, tuple[bool, str]]:
    """By case (`file::test`): whether it passed in every variant, and where it did not, the message of one failure.

    `vendor` is the unpacked source distribution, `place` an empty folder.
    """
    tests = place / "tests"
    shutil.copytree(vendor / "tests" / "api_resources", tests / "api_resources")
    for folder in suite.beside:
        shutil.copytree(vendor / "tests" / folder, tests / folder)
    for name in ("__init__.py", "utils.py", "sample_file.txt"):
        shutil.copy(vendor / "tests" / name, tests / name)
    shutil.copy(HERE / f"{suite.package}_clients.py", tests / "conftest.py")
    report = place / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-c", os.devnull, "--rootdir", str(place)]
    loops = [part for what in ("fixture", "test") for part in ("-o", f"asyncio_default_{what}_loop_scope=session")]
    plugins = ["-p", "no:cacheprovider", "-p", "no:faker", "-o", "asyncio_mode=auto", *loops]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    done = subprocess.run(
        [
            *command,
            *plugins,
            "-k",
            "not aiohttp",
            f"--junitxml={report}",
            *(f"tests/api_resources/{f}" for f in suite.files),
        ],
        cwd=place,
        env=kept | {"TEST_API_BASE_URL": f"{url}{suite.path}", "TEST_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=SUITE_SECONDS,
        check=False,
    )
    assert done.returncode in {0, 1}, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return _cases(report)


_NOT_PASSED_ON: Final = ("PYTEST", "COV", "OPENAI", "ANTHROPIC", "AWS_")


def _cases(report: Path) -> dict[str, tuple[bool, str]]:
    cases: dict[str, tuple[bool, str]] = {}
    for found in ElementTree.parse(report).getroot().iter("testcase"):
        module = found.attrib["classname"].removeprefix("tests.api_resources.").rpartition(".")[0]
        case = f"{module.replace('.', '/')}.py::{found.attrib['name'].partition('[')[0]}"
        trouble = [child for child in found if child.tag in {"failure", "error"}]
        passed, said = cases.get(case, (True, ""))
        message = trouble[0].attrib.get("message", "")[:300] if trouble else ""
        cases[case] = (passed and not trouble, said or message)
    return cases
