"""Opens what settings switch on: nothing of a library is imported where it is not."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from adapters.telemetry.genai import ProviderFacts
from adapters.telemetry.log_lines import Keep
from adapters.telemetry.otlp_settings import ENDPOINT, OtlpSettings
from adapters.telemetry.worker_sums import WorkerSums, folder_of
from domain.ports.telemetry import MetricsFormat, SiblingReadings, TelemetryExport
from domain.providers import Provider
from domain.records import RequestRecord


class Configured(Protocol):
    """A provider in force."""

    @property
    def provider(self) -> Provider: ...


class LibraryMissing(Exception):
    """The text says what to install."""


def prometheus_format() -> MetricsFormat:
    """Called for the first page that somebody asks for."""
    from adapters.telemetry.prometheus import PrometheusFormat

    return PrometheusFormat()


def sibling_readings(data_dir: Path, workers: int, worker: str) -> SiblingReadings | None:
    """None for the only process."""
    if workers == 1:
        return None
    return WorkerSums(folder_of(data_dir, os.getppid()), worker)


def traces_go_somewhere(variables: Mapping[str, str]) -> bool:
    settings = OtlpSettings.of(variables)
    return settings is not None and settings.traces is not None


def open_export(
    variables: Mapping[str, str],
    version: str,
    instance: str,
    find: Callable[[str], Configured | None],
    *,
    subjects: bool,
) -> TelemetryExport | None:
    """None where nothing is to go anywhere. Raises `LibraryMissing`."""
    settings = OtlpSettings.of(variables)
    if settings is None:
        return None
    try:
        from adapters.telemetry.otlp import OtlpExport
    except ImportError as error:
        raise LibraryMissing(f"{ENDPOINT} needs libraries: pip install 'open-model-gateway[otel]'") from error

    def facts_of(provider_id: str) -> ProviderFacts:
        configured = find(provider_id)
        return ProviderFacts.of(provider_id, configured.provider if configured is not None else None)

    return OtlpExport(settings, version, instance, facts_of, subjects=subjects)


def keeping(*keeps: Keep | None) -> Keep | None:
    """One that hands each record to all of them; None of none."""
    given = [keep for keep in keeps if keep is not None]
    if len(given) < 2:
        return given[0] if given else None

    def keep_all(record: RequestRecord) -> None:
        for keep in given:
            keep(record)

    return keep_all
