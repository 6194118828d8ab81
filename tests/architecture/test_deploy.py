"""The image and the compose files keep what docs/deployment.md promises (S-35). No container engine is needed."""

import re
from typing import Any, cast

import pytest
import yaml

from domain.errors import RequestInvalid
from entrypoints.http.edge.head import AllowedHosts, Head
from entrypoints.lifespan import CLOSE_SECONDS, FINISH_SECONDS
from entrypoints.server import LAST_WORDS_SECONDS
from entrypoints.settings.model import Settings
from tests.architecture.tree import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = tuple(sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy").glob("compose*.yaml")))
KUBERNETES = ROOT / "deploy" / "kubernetes" / "gateway.yaml"


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
    assert all(port.startswith("127.0.0.1:") for port in gateway.get("ports", []))
    assert {"data:/data", "/data"} & set(gateway["volumes"])


@pytest.mark.parametrize("name", COMPOSE)
def test_a_stop_by_default_ends_before_the_orchestrator_kills(name: str) -> None:
    """30 s are what Kubernetes gives, and what the compose files say."""
    given = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["services"]["gateway"]["stop_grace_period"]
    settings = Settings()
    needed = settings.grace_seconds + settings.drain_seconds + LAST_WORDS_SECONDS + 2 * CLOSE_SECONDS + FINISH_SECONDS

    assert needed < 30
    assert given == "30s"


def test_every_gateway_of_compose_and_kubernetes_answers_to_the_names_it_is_called_by_inside() -> None:
    (line,) = [line for line in _instructions() if "OMG_SERVICE_NAMES=" in line]
    names = line.split("OMG_SERVICE_NAMES=")[1].split()[0].split(",")

    hosts = AllowedHosts(Settings(service_names=tuple(names)).hosts)
    for host in (b"gateway:8000", b"open-model-gateway", b"open-model-gateway.omg.svc", b"a.b.svc.cluster.local"):
        hosts.check(Head([(b"host", host)]))
    with pytest.raises(RequestInvalid, match="does not answer"):
        hosts.check(Head([(b"host", b"gateway.example.com")]))


@pytest.mark.parametrize("name", COMPOSE)
def test_a_proxy_in_front_reads_a_file_that_is_there_and_passes_streams_on(name: str) -> None:
    services = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["services"]
    for source in (mount.split(":")[0] for mount in services.get("caddy", {}).get("volumes", []) if "./" in mount):
        text = (ROOT / "deploy" / source).read_text(encoding="utf-8")
        assert "flush_interval -1" in text
        assert "OMG_TRUSTED_PROXIES" in services["gateway"]["environment"]


def _stateful_set() -> dict[str, Any]:
    objects = yaml.safe_load_all(KUBERNETES.read_text(encoding="utf-8"))
    (found,) = [each for each in objects if each is not None and each["kind"] == "StatefulSet"]
    return cast(dict[str, Any], found)


def test_a_pod_runs_as_the_image_does_and_can_write_only_its_volumes() -> None:
    """S-35."""
    pod = _stateful_set()["spec"]["template"]["spec"]
    (gateway,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert gateway["securityContext"]["readOnlyRootFilesystem"] is True
    assert gateway["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {mount["mountPath"] for mount in gateway["volumeMounts"]} == {"/data", "/tmp"}
    assert pod["automountServiceAccountToken"] is False


def test_a_pod_has_as_long_to_end_as_its_last_steps_may_take() -> None:
    pod = _stateful_set()["spec"]["template"]["spec"]
    environment = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    told = float(environment["OMG_GRACE_SECONDS"]) + float(environment["OMG_DRAIN_SECONDS"])

    assert (
        pod["terminationGracePeriodSeconds"] > before + told + LAST_WORDS_SECONDS + 2 * CLOSE_SECONDS + FINISH_SECONDS
    )


def test_each_setting_that_the_manifests_name_exists() -> None:
    known = {name for setting in Settings.__struct_fields__ for name in [f"OMG_{setting.upper()}"]}
    named = {
        name
        for path in (ROOT / "deploy").rglob("*")
        if path.is_file()
        for name in re.findall(r"\bOMG_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }

    assert named - known <= {"OMG_DOMAIN", "OMG_TLS", "OMG_UPSTREAM"}  # of Caddy's


def test_liveness_asks_nobody_and_readiness_says_when_to_send_requests() -> None:
    """R-40."""
    (gateway,) = _stateful_set()["spec"]["template"]["spec"]["containers"]

    assert gateway["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert gateway["readinessProbe"]["httpGet"]["path"] == "/health/ready"
