"""The load scripts against a gateway: what limits and budgets let through is exact, and told."""

from pathlib import Path

import pytest
from bench.admission_load import main

from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_budgets import FIVE_TOKENS, price

pytestmark = pytest.mark.process


def test_the_load_scripts_say_what_was_admitted_and_refused_and_end_with_it(
    tmp_path: Path, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator.script("load", behaviours={"*": [FIVE_TOKENS]})
    with Gateway(tmp_path) as gateway:
        gateway.add_provider("load", simulator.base_url("load"))
        price(gateway, "load", "m", output="1000")
        there = ["--url", gateway.url, "--admin-token", gateway.admin_token, "--model", "load/m", "--connections", "20"]

        limits = main(["limits", *there, "--rpm", "5", "--requests", "40"])
        said_of_limits = capsys.readouterr().out
        budgets = main(["budgets", *there, "--calls", "4", "--requests", "40"])
        said_of_budgets = capsys.readouterr().out
        keys = gateway.admin.get("/keys").json()["data"]

    assert (limits, budgets) == (0, 0)
    assert "admitted           5 of 5\nrefused            35\n" in said_of_limits
    assert "admitted           4 of 4\nrefused            36\n" in said_of_budgets
    assert "overshoot          $0" in said_of_budgets
    assert [key["name"] for key in keys if key["name"] == "load"] == []
