"""Where OpenTelemetry's data goes, by the variables that its specification names. Imports nothing of it.

Sources: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ (both read 2026-11).
"""

import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import msgspec

log = logging.getLogger(__name__)

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
DEFAULT_SERVICE: Final = "open-model-gateway"
DEFAULT_TIMEOUT_SECONDS: Final = 5.0
"""Of one export with its repetitions. The specification's is 10 s, in which too much would gather."""

DEFAULT_INTERVAL_SECONDS: Final = 60.0


class Signal(msgspec.Struct, frozen=True):
    """Where one signal goes, and how. Files are PEM."""

    url: str
    headers: Mapping[str, str]
    timeout_seconds: float
    gzip: bool
    ca_file: str | None
    client_key_file: str | None
    client_cert_file: str | None


class OtlpSettings(msgspec.Struct, frozen=True):
    """A signal of None goes nowhere. `sampler` and `sampler_argument` are as the specification spells them."""

    traces: Signal | None
    metrics: Signal | None
    resource: Mapping[str, str]
    sampler: str = "parentbased_always_on"
    sampler_argument: str = ""
    interval_seconds: float = DEFAULT_INTERVAL_SECONDS

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "OtlpSettings | None":
        """None where nothing is to go anywhere."""
        if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return None
        traces, metrics = _signal(variables, "traces"), _signal(variables, "metrics")
        if traces is None and metrics is None:
            return None
        resource = _pairs(variables.get("OTEL_RESOURCE_ATTRIBUTES", ""))
        service = variables.get("OTEL_SERVICE_NAME") or resource.get("service.name") or DEFAULT_SERVICE
        return cls(
            traces,
            metrics,
            resource | {"service.name": service},
            variables.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_on",
            variables.get("OTEL_TRACES_SAMPLER_ARG", "").strip(),
            _seconds(variables, "OTEL_METRIC_EXPORT_INTERVAL", DEFAULT_INTERVAL_SECONDS),
        )


def _signal(variables: Mapping[str, str], name: str) -> Signal | None:
    exporters = variables.get(f"OTEL_{name.upper()}_EXPORTER", "otlp").lower()
    base = variables.get(ENDPOINT, "").strip()
    own = variables.get(f"OTEL_EXPORTER_OTLP_{name.upper()}_ENDPOINT", "").strip()
    if "otlp" not in exporters or not (own or base):
        return None

    def of(what: str) -> str:
        return variables.get(f"OTEL_EXPORTER_OTLP_{name.upper()}_{what}") or variables.get(
            f"OTEL_EXPORTER_OTLP_{what}", ""
        )

    if of("PROTOCOL").startswith("grpc"):
        log.warning("OTLP goes over HTTP, not gRPC: the endpoint must take that", extra={"signal": name})
    timeout_name = f"OTEL_EXPORTER_OTLP_{name.upper()}_TIMEOUT"
    usual = _seconds(variables, "OTEL_EXPORTER_OTLP_TIMEOUT", DEFAULT_TIMEOUT_SECONDS)
    return Signal(
        own or f"{base.rstrip('/')}/v1/{name}",
        _pairs(of("HEADERS")),
        _seconds(variables, timeout_name, usual),
        of("COMPRESSION").lower() == "gzip",
        of("CERTIFICATE") or None,
        of("CLIENT_KEY") or None,
        of("CLIENT_CERTIFICATE") or None,
    )


def _pairs(text: str) -> dict[str, str]:
    """`name=value,…`, percent-encoded. What is none is left out."""
    found = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in found if name.strip()}


def _seconds(variables: Mapping[str, str], name: str, default: float) -> float:
    """The variables are in milliseconds."""
    text = variables.get(name, "").strip()
    if not text:
        return default
    try:
        return max(0.05, float(text) / 1000)
    except ValueError:
        log.warning("a variable of OpenTelemetry is no number of milliseconds", extra={"setting": name})
        return default
