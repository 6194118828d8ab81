"""Prices as one types them in a shell: with tiers, variants, fees and units, over a file or without."""

import json
from pathlib import Path

import httpx
import pytest
import respx
from click.testing import CliRunner

from application.admin.price_lists import NewPrices, read_prices
from application.desired_state.upstreams import ModelEntry
from entrypoints.cli.models import command

URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def admin_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMG_ADMIN_TOKEN", "omg-admin-x")


def sent(*arguments: str) -> dict[str, object]:
    """The body that reaches the admin API."""
    with respx.mock as upstream:
        route = upstream.post(f"{URL}/admin/models").mock(return_value=httpx.Response(201, json={"model": "long"}))
        result = CliRunner().invoke(command, ["price", "mine", "long", "--url", URL, *arguments])
        assert result.exit_code == 0, result.output
        body: dict[str, object] = json.loads(route.calls.last.request.content)
    return body


def test_a_price_has_tiers_variants_fees_and_units() -> None:
    body = sent(
        "--price", "input=1.25", "--price", "output=10.00", "--tier", "200_000", "input=2.50,output=15.00",
        "--variant", "service_tier:flex", "input=0.625,output=5.00", "--variant", "batch", "input=0.6",
        "--fee", "web_search=0.035", "--unit", "character=0.000015", "--unit", "image:1024x1024/high=0.167",
        "--unit", "image:*=0.04", "--confirm",
    )  # fmt: skip

    assert body == {
        "provider": "mine",
        "model": "long",
        "prices": {
            "input": "1.25",
            "output": "10.00",
            "tiers": [{"above_input_tokens": 200000, "input": "2.50", "output": "15.00"}],
            "variants": {"service_tier:flex": {"input": "0.625", "output": "5.00"}, "batch": {"input": "0.6"}},
            "fees": {"web_search": "0.035"},
        },
        "units": {"character": "0.000015", "image": {"1024x1024/high": "0.167", "*": "0.04"}},
        "confirm": True,
    }


def test_options_go_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "price.yaml").write_text(
        "prices:\n  input: '1'\n  output: '2'\n  fees: {web_search: '0.01'}\nunits: {request: '0.001'}\n",
        encoding="utf-8",
    )

    body = sent("--file", "price.yaml", "--price", "output=3", "--fee", "maps=0.02")

    assert body["prices"] == {"input": "1", "output": "3", "fees": {"web_search": "0.01", "maps": "0.02"}}
    assert body["units"] == {"request": "0.001"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--price", "input"), "'input' is no price: write name=0.10."),
        (("--tier", "many", "input=1"), "'many' is no number of tokens."),
        (("--variant", "batch", "cheap"), "'cheap' is no price"),
    ],
)
def test_what_is_no_price_is_said(arguments: tuple[str, ...], words: str) -> None:
    result = CliRunner().invoke(command, ["price", "mine", "long", "--url", URL, *arguments])

    assert result.exit_code == 2
    assert words in result.output


def test_a_price_is_ended() -> None:
    with respx.mock as upstream:
        route = upstream.delete(f"{URL}/admin/models/mine/vendor/m").mock(return_value=httpx.Response(204))
        result = CliRunner().invoke(command, ["unprice", "mine", "vendor/m", "--url", URL])

    assert (result.exit_code, route.called) == (0, True)


def test_the_document_of_the_configuration_takes_the_same() -> None:
    fields = ModelEntry.__struct_fields__
    read = read_prices(NewPrices(input="1", output="2", fees={"web_search": "0.01"}), {})

    assert {"prices", "units"} <= set(fields)
    assert read.fees == {"web_search": 10_000_000 * 1_000_000}
