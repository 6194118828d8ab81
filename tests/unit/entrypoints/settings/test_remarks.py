"""What is set and does not do what its writer may think is told, and no value of it is shown."""

from pathlib import Path

import pytest

from domain.providers import ProviderPreset
from entrypoints.settings.loading import load_settings
from entrypoints.settings.remarks import remarks

PRESET = ProviderPreset("openai", "openai", "OpenAI", "https://api.openai.com/v1", ("OPENAI_API_KEY",), 1)


def received(tmp_path: Path, **environ: str) -> list[str]:
    return list(remarks(load_settings(environ=environ, folder=tmp_path), environ, [PRESET]))


def test_nothing_is_said_of_ordinary_settings(tmp_path: Path) -> None:
    assert received(tmp_path, OMG_PORT="8001", OPENAI_API_KEY="sk-live-1", HTTPS_PROXY=" ", PATH="/bin") == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_is_not_used_is_told(tmp_path: Path, name: str) -> None:
    (line,) = received(tmp_path, **{name: "http://user:hunter2@proxy:3128"})

    assert line.startswith(f"{name} is set and not used")
    assert "hunter2" not in line


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_API_KEY_2"])
def test_a_placeholder_is_told(tmp_path: Path, name: str) -> None:
    assert received(tmp_path, **{name: "sk-xxxx"}) == [f"{name} holds a placeholder, not a key, and is ignored"]


def test_what_kubernetes_says_of_a_service_named_like_the_gateway_is_no_setting(tmp_path: Path) -> None:
    environ = {
        "OMG_SERVICE_HOST": "10.96.12.3",
        "OMG_SERVICE_PORT": "8000",
        "OMG_SERVICE_PORT_HTTP": "8000",
        "OMG_PORT": "tcp://10.96.12.3:8000",
        "OMG_PORT_8000_TCP": "tcp://10.96.12.3:8000",
        "OMG_PORT_8000_TCP_PROTO": "tcp",
        "OMG_PORT_8000_TCP_PORT": "8000",
        "OMG_PORT_8000_TCP_ADDR": "10.96.12.3",
        "OMG_ADMIN_PORT_9_UDP": "udp://10.0.0.1:9",
    }

    (line,) = received(tmp_path, **environ)

    assert line.startswith("OMG_PORT is ignored: it describes a Kubernetes service")
    assert load_settings(environ=environ, folder=tmp_path).port == 8000
    assert load_settings({"port": 9000}, environ, tmp_path).port == 9000


def test_a_setting_that_is_none_is_told(tmp_path: Path) -> None:
    assert received(tmp_path, OMG_PROT="1") == ["OMG_PROT is no setting; did you mean 'OMG_PORT'?"]
