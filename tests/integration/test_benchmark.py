"""The benchmark's own parts are honest: whole answers count, cut or wrong ones are errors, ratios are ratios."""

import asyncio
from collections.abc import Callable

import pytest
from bench import comparison, gate
from bench.goals import Figures, goals
from bench.load import Job, Result, request_bytes, run
from bench.mixed import Clients, Order
from bench.report import Sample, Scenario, ratios, table
from bench.soak import Remains, of_the_load
from bench.upstream import CUT, Upstream
from typing_extensions import override


async def _load(protocol: Callable[[], asyncio.Protocol], mode: str) -> Result:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        return await run(Job(server.sockets[0].getsockname()[1], mode, connections=2, seconds=0.05, key="none"))


@pytest.mark.parametrize("mode", ["plain", "burst", "paced", "tools"])
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


class _CutsWithAnErrorEvent(Upstream):
    """The mock provider, saying that a stream broke as the gateway says it: in an event, before a good end."""

    @override
    def _next(self, chunks: list[bytes], index: int, gap: float) -> None:
        if chunks[index : index + 1] == [CUT]:
            self._write(b'f\r\ndata: {"error"}\r\n0\r\n\r\n')
        else:
            super()._next(chunks, index, gap)


@pytest.mark.parametrize(("protocol", "mode"), [(_Refuses, "plain"), (_Cuts, "burst")])
async def test_a_wrong_or_unfinished_answer_is_an_error_and_shown(
    protocol: Callable[[], asyncio.Protocol], mode: str
) -> None:
    result = await _load(protocol, mode)

    assert result.requests == 0
    assert result.errors > 0
    assert result.sample.startswith("http/1.1 ")


def _samples(*cpu_us: float, rps: float = 1000) -> list[Sample]:
    return [Sample(rps, 1.0, 2.0, 0.5, us, 0.9, 50, 40, 0) for us in cpu_us]


def test_the_report_compares_medians_of_one_run() -> None:
    scenario = Scenario("plain", 32)
    rounds = {
        "upstream": _samples(0, 0, 0),
        "nginx": _samples(20, 10, 90),
        "asgi-nothing": _samples(40, 40, 40),
        "gateway": _samples(100, 200, 900),
    }

    row = "| plain x32 | 100% | 10.0x | 0.00 / 0.00 | 0.00 / 0.00 | 5.0x |"
    assert row in ratios([(scenario, rounds)], "nginx")
    assert "| gateway | 1000 | 1.00 | 2.00 | 200 | 90% | 50 | 40 | 0 |" in table(scenario, rounds)


def test_the_gate_takes_the_cheapest_round_of_each_side_and_fails_beyond_two_fifths() -> None:
    plain, burst = gate.GATED
    rounds = {"gateway": _samples(250, 900, 260), "asgi-nothing": _samples(60, 50, 70)}
    baseline = {plain.name: 3.6, burst.name: 3.5}

    assert gate.ratio(rounds) == 5.0
    assert gate.within(baseline, plain, rounds)
    assert not gate.within(baseline, burst, rounds)
    assert "| plain x32 | 5.00 | 3.60 | 5.04 | ok |" in gate.verdict(baseline, [(plain, rounds)])
    assert gate.FAILED not in gate.verdict(baseline, [(plain, rounds)])
    assert gate.FAILED in gate.verdict(baseline, [(plain, rounds), (burst, rounds)])


def test_the_gate_fails_where_nothing_was_measured() -> None:
    nothing = {"gateway": _samples(0.0), "asgi-nothing": _samples(0.0)}

    assert not gate.within({"plain x32": 4.0}, Scenario("plain", 32), nothing)


def test_the_baseline_that_is_checked_in_has_every_gated_scenario() -> None:
    assert set(gate.read()) == {scenario.name for scenario in gate.GATED}


def test_each_goal_is_shown_beside_its_measured_value() -> None:
    rounds = {
        "upstream": _samples(0),
        "nginx": _samples(100, rps=10_000),
        "gateway": _samples(300, rps=700),
    }
    results = [(scenario, rounds) for scenario in comparison.FULL]

    lines = goals(Figures(results, "nginx", ready_seconds=1.0, stream_kib=21.0)).splitlines()

    assert "| plain x64, throughput of nginx's | 7.0% | ≥ 8.0% | **no** | ≥ 13.0% |" in lines
    assert "| plain x64, CPU a request | 300 µs | ≤ 370 µs | yes | ≤ 280 µs |" in lines
    assert "| memory of an idle stream | 21.0 KiB | ≤ 20.0 KiB | **no** | ≤ 12.0 KiB |" in lines
    assert "| start to first answer | 1.00 s | ≤ 4.00 s | yes, and the stretch goal | ≤ 2.50 s |" in lines


def test_goals_against_nginx_are_left_open_without_it() -> None:
    rounds = {"upstream": _samples(0), "asgi-forward": _samples(100), "gateway": _samples(300)}
    results = [(scenario, rounds) for scenario in comparison.FULL]

    shown = goals(Figures(results, "asgi-forward", ready_seconds=1.0, stream_kib=10.0))

    assert "| burst x8, CPU of nginx's | no nginx here | ≤ 1.70x | – | ≤ 1.18x |" in shown


async def test_mixed_clients_meet_every_kind_of_answer_and_leave_half_of_the_streams() -> None:
    server = await asyncio.get_running_loop().create_server(_CutsWithAnErrorEvent, "127.0.0.1", 0)
    async with server:
        order = Order(server.sockets[0].getsockname()[1], "none", requests=200, connections=20, seed=3)
        outcome = await Clients(order).run()

    assert sum(outcome.done.values()) == 200
    assert (outcome.wrong, outcome.sample) == (0, "")
    streams = sum(n for kind, n in outcome.done.items() if kind not in {"plain", "faulty"})
    left = sum(n for kind, n in outcome.done.items() if kind.endswith(", left"))
    assert 70 < streams < 130
    assert 0.35 < left / streams < 0.65


async def test_mixed_clients_count_a_wrong_answer_and_show_it() -> None:
    server = await asyncio.get_running_loop().create_server(_Refuses, "127.0.0.1", 0)
    async with server:
        order = Order(server.sockets[0].getsockname()[1], "none", requests=20, connections=2, seed=1)
        outcome = await Clients(order).run()

    assert outcome.wrong == 20 - outcome.done.get("faulty", 0)
    assert "503 Unavailable" in outcome.sample


def test_what_a_soak_leaves_behind_is_found() -> None:
    base = Remains(0, 100.0, tasks=0, descriptors=24, threads=11, upstream=9, objects=1000, records=7)

    def later(tasks: int, descriptors: int, threads: int) -> Remains:
        return Remains(10_000, 110.0, tasks, descriptors, threads, upstream=40, objects=5000, records=10_007)

    assert later(0, 25, 11).back_to(base)  # the spool has its next segment open ahead
    assert not later(1, 24, 11).back_to(base)
    assert not later(0, 26, 11).back_to(base)
    assert not later(0, 24, 12).back_to(base)
    assert later(0, 24, 11).since(base) == (10_000, 10_000)


@pytest.mark.parametrize(("last_ms", "good"), [(19.0, True), (21.0, False)])
def test_a_soak_that_gets_slower_is_found(last_ms: float, good: bool) -> None:
    points = [
        Remains(10_000 * number, 100.0, 0, 24, 11, 9, 1000, 0, p50_ms=last_ms if number > 18 else 10.0, p99_ms=40.0)
        for number in range(1, 21)
    ]

    (memory, steady), (latency, kept) = of_the_load(points)

    assert (steady, kept) == (True, good)
    assert "0.00 MiB per 10,000 requests" in memory
    assert f"first tenth p50 10.0 ms, p99 40.0 ms; of the last {last_ms} ms" in latency


async def test_a_held_stream_has_sent_an_event_and_stays_open() -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_bytes(Job(port, "held", 1, 0, "none")))
        await reader.readuntil(b"data: ")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readuntil(b"[DONE]"), 0.05)
        writer.close()
