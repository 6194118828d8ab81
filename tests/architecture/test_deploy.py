"""The image and the compose files keep what docs/deployment.md promises (S-35). No container engine is needed."""

import re

import pytest
import yaml

from tests.architecture.tree import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ("deploy/compose.yaml", "deploy/compose.postgres.yaml")


def _instructions() -> list[str]:
    joined = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def test_the_image_copies_only_files_that_exist_and_are_sent_to_the_builder() -> None:
    copies = [words.split()[1:-1] for words in _instructions() if words.startswith("COPY ") and "--from" not in words]
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    sources = {source.removeprefix("./") for names in copies for source in names}
    assert sources == admitted
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_every_package_of_the_image_is_checked_against_its_hash() -> None:
    installs = [part for line in _instructions() for part in line.split("&&") if "pip" in part and " install " in part]

    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)


def test_the_image_runs_as_an_ordinary_user_and_starts_no_shell() -> None:
    lines = _instructions()

    assert "USER 10001:10001" in lines
    assert all("[" in line for line in lines if re.match(r"(ENTRYPOINT|CMD|HEALTHCHECK)\b", line))


def test_the_health_check_asks_nobody_upstream() -> None:
    (check,) = [line for line in _instructions() if line.startswith("HEALTHCHECK")]

    assert "/health/live" in check


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_gives_the_gateway_a_read_only_root_and_loopback_only(name: str) -> None:
    gateway = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["services"]["gateway"]

    assert gateway["read_only"] is True
    assert gateway["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in gateway["ports"])
    assert "data:/data" in gateway["volumes"]
