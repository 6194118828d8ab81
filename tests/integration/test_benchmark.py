"""The benchmark's own parts are honest: whole answers count, cut or wrong ones are errors, ratios are ratios."""

import asyncio
from collections.abc import Callable

import pytest
from bench.load import Job, Result, run
from bench.report import Sample, Scenario, ratios, table
from bench.upstream import Upstream
from typing_extensions import override


async def _load(protocol: Callable[[], asyncio.Protocol], mode: str) -> Result:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        return await run(Job(server.sockets[0].getsockname()[1], mode, connections=2, seconds=0.05, key="none"))


@pytest.mark.parametrize("mode", ["plain", "burst", "paced"])
async def test_every_answer_of_the_mock_provider_is_read_whole(mode: str) -> None:
    result = await _load(Upstream, mode)

    assert result.requests >= 2
    assert (result.errors, result.sample) == (0, "")
    assert 0 < result.first_p50_ms <= result.p50_ms <= result.p99_ms


class _Refuses(asyncio.Protocol):
    """Answers every request with a status of its own choosing."""

    answer = b"HTTP/1.1 503 Unavailable\r\ncontent-length: 2\r\n\r\nno"

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._transport.write(self.answer)


class _Cuts(_Refuses):
    """Ends a stream before its last event, in good order."""

    answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n"


@pytest.mark.parametrize(("protocol", "mode"), [(_Refuses, "plain"), (_Cuts, "burst")])
async def test_a_wrong_or_unfinished_answer_is_an_error_and_shown(
    protocol: Callable[[], asyncio.Protocol], mode: str
) -> None:
    result = await _load(protocol, mode)

    assert result.requests == 0
    assert result.errors > 0
    assert result.sample.startswith("http/1.1 ")


def test_the_report_compares_medians_of_one_run() -> None:
    def samples(*cpu_us: float) -> list[Sample]:
        return [Sample(1000, 1.0, 2.0, 0.5, us, 0.9, 50, 0) for us in cpu_us]

    scenario = Scenario("plain", 32)
    rounds = {
        "upstream": samples(0, 0, 0),
        "nginx": samples(20, 10, 90),
        "asgi-nothing": samples(40, 40, 40),
        "gateway": samples(100, 200, 900),
    }

    assert "| plain x32 | 100% | 10.0x | 0.00 | 0.00 | 5.0x |" in ratios([(scenario, rounds)], "nginx")
    assert "| gateway | 1000 | 1.00 | 2.00 | 200 | 90% | 50 | 0 |" in table(scenario, rounds)
