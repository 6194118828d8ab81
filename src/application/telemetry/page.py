"""The page of `/metrics`: what all workers behind one port have counted, and how things stand."""

import asyncio
from collections.abc import Callable

from application.telemetry.gauges import GatewayGauges
from application.telemetry.request_sums import TURN_RECORDS, RequestSums
from domain.metrics import Readings, folded
from domain.ports.telemetry import MetricsFormat, MetricsText, SiblingReadings


class MetricsPage:
    """`text` when somebody asks; `turn` every second, so that nothing waits long and siblings can read it."""

    def __init__(
        self,
        sums: RequestSums,
        gauges: GatewayGauges,
        siblings: SiblingReadings | None,
        load_format: Callable[[], MetricsFormat],
    ) -> None:
        """`load_format` is called once, in a thread, for the first page that is asked for."""
        self._sums = sums
        self._gauges = gauges
        self._siblings = siblings
        self._load_format = load_format
        self._format: MetricsFormat | None = None

    async def turn(self) -> None:
        """Add up what was kept, in pieces between which requests go on."""
        await self._add_up()
        if self._siblings is not None:
            await asyncio.to_thread(self._siblings.write, self._own())

    async def text(self, accept: str) -> MetricsText:
        """Where a store is away, what is known without it."""
        await self._add_up()
        readings = [self._own(), await self._gauges.shared()]
        if self._siblings is not None:
            await asyncio.to_thread(
                self._siblings.write, readings[0]
            )  # what was told once stays told, if this one dies
            readings += await asyncio.to_thread(self._siblings.others)
        return await asyncio.to_thread(self._render, folded(readings), accept)

    async def _add_up(self) -> None:
        waiting = self._sums.add_up(TURN_RECORDS)
        for _ in range(-(-waiting // TURN_RECORDS)):
            await asyncio.sleep(0)
            self._sums.add_up(TURN_RECORDS)

    def _render(self, readings: Readings, accept: str) -> MetricsText:
        if self._format is None:
            self._format = self._load_format()
        return self._format.render(readings, accept)

    def _own(self) -> Readings:
        """A copy: a thread reads it while more is counted."""
        return folded([self._sums.readings, self._gauges.own()])
