"""The vendors' own tests of their SDKs, run against the gateway: all pass but those of the table, each with a reason.

They run where `VENDOR_SUITES` is set, as in `.ci/run`: they are fetched from the registry, and take minutes.
"""

import os
from pathlib import Path

import pytest

from tests.e2e.processes import Gateway, Simulator
from tests.e2e.vendor_suites.page import PAGE, render
from tests.e2e.vendor_suites.source_distributions import unpacked
from tests.e2e.vendor_suites.suites import SUITE_SECONDS, SUITES, Suite, results_of


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.timeout(SUITE_SECONDS + 300)
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.package)
def test_every_case_of_a_vendor_passes_or_is_listed_with_its_reason(
    suite: Suite, simulator: Simulator, tmp_path: Path
) -> None:
    if not os.environ.get("VENDOR_SUITES"):
        pytest.skip("VENDOR_SUITES is not set: these suites come from the registry and take minutes; .ci/run has them")
    vendor = unpacked(suite.package)
    place = tmp_path / "suite"
    place.mkdir()

    with Gateway(tmp_path / "gateway") as gateway:
        persona = f"vendor-{suite.package}"
        gateway.add_provider(suite.provider_id, simulator.base_url(persona), **suite.provider)
        results = results_of(suite, vendor, place, gateway.url, gateway.key)

    exempt = {case for case in results if any(row.covers(case) for row in suite.exempt)}
    failing = {case: said for case, (passed, said) in results.items() if not passed}
    assert len(results) > 20
    assert {case: said for case, said in failing.items() if case not in exempt} == {}
    assert [row.cases for row in suite.exempt if not any(row.covers(case) for case in failing)] == []


def test_the_page_is_written_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()
