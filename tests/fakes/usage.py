"""A usage sink that remembers."""

from typing_extensions import override

from domain.ports.runtime import UsageSink
from domain.records import RequestRecord


class RememberingSink(UsageSink):
    def __init__(self) -> None:
        self.records: list[RequestRecord] = []

    @override
    def record(self, record: RequestRecord) -> None:
        self.records.append(record)

    @property
    def last(self) -> RequestRecord:
        return self.records[-1]
