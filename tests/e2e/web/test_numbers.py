"""The console's numbers in a real browser: each leads to its rows, the rows add up to it, and so does its command."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.money import usd
from domain.records import RequestRecord
from tests.e2e.processes import Gateway
from tests.e2e.web.booked import book, records
from tests.e2e.web.conftest import Visitor
from tests.e2e.web.test_console import ask
from tests.waiting import wait_until

ZONES = ["UTC", "Europe/Oslo", "America/New_York"]
CHANGE = date(2026, 10, 25)
"""The day on which Oslo's clocks went back."""
PERIOD = "from=2026-10-24&to=2026-10-26"


@pytest.fixture(scope="module")
def booked(open_gateway: Gateway) -> list[RequestRecord]:
    made = list(records())
    book(open_gateway.data / "omg.db", made)
    return made


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield visiting
    assert visiting.complaints == []
    visiting.close()


def of_days(booked: list[RequestRecord], zone: str, first: date, last: date) -> list[RequestRecord]:
    return [one for one in booked if first <= one.created_at.astimezone(ZoneInfo(zone)).date() <= last]


def cost(booked: list[RequestRecord]) -> str:
    return usd(sum(attempt.cost_nano_usd or 0 for one in booked for attempt in one.attempts))


def behind(gateway: Gateway, href: str) -> list[dict[str, object]]:
    """The rows that a link of the pages leads to, by the API that the page asks."""
    params = {name: values[0] for name, values in parse_qs(urlsplit(href).query).items()}
    rows: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = gateway.admin.get("/requests", params=params | {"limit": "200"} | ({"cursor": cursor} if cursor else {}))
        rows += page.json()["data"]
        cursor = page.json()["next_cursor"]
    return rows


def added_up(rows: list[dict[str, object]]) -> Decimal:
    return sum((Decimal(str(row["cost_usd"])) for row in rows if row["cost_usd"]), Decimal())


def lines(page: Page) -> list[list[str]]:
    """The table's rows, cell by cell."""
    grid = page.get_by_role("grid", name="Usage by group")
    expect(grid.get_by_role("row").nth(1)).to_be_visible()
    found: list[list[str]] = grid.evaluate(
        "grid => [...grid.querySelectorAll('.row')].map(row => [...row.children].map(cell => cell.innerText))"
    )
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_each_day_and_group_leads_to_the_rows_that_add_up_to_it(
    visitor: Visitor, open_gateway: Gateway, booked: list[RequestRecord], zone: str
) -> None:
    page = visitor.go(f"/app/admin/usage?by=day&then_by=provider&{PERIOD}&timezone={zone}")

    shown = lines(page)

    expected = {
        ((CHANGE + timedelta(days=number)).isoformat(), provider): [
            one
            for one in of_days(booked, zone, CHANGE + timedelta(days=number), CHANGE + timedelta(days=number))
            if one.provider_id == provider
        ]
        for number in (-1, 0, 1)
        for provider in ("demo-a", "demo-b")
    }
    assert [(line[0], int(line[2])) for line in shown] == [(day, len(rows)) for (day, _), rows in expected.items()]
    links = page.get_by_role("grid", name="Usage by group").locator(".row > :first-child a")
    for link, mine in zip(links.all(), expected.values(), strict=True):
        rows = behind(open_gateway, link.get_attribute("href") or "")
        assert {row["id"] for row in rows} == {one.request_id for one in mine}
        assert added_up(rows) == Decimal(cost(mine))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("path", ["/app/admin", "/app/admin/usage"])
def test_a_total_is_the_sum_of_the_rows_it_leads_to(
    visitor: Visitor, open_gateway: Gateway, booked: list[RequestRecord], path: str, zone: str
) -> None:
    page = visitor.go(f"{path}?{PERIOD}&timezone={zone}")
    cards = page.get_by_role("region", name="Totals").get_by_role("link")
    mine = of_days(booked, zone, CHANGE - timedelta(days=1), CHANGE + timedelta(days=1))

    expect(cards.nth(1).locator("strong")).to_have_text(str(len(mine)))
    for card in cards.all():
        rows = behind(open_gateway, card.get_attribute("href") or "")
        assert (len(rows), added_up(rows)) == (len(mine), Decimal(cost(mine)))
    cards.first.click()
    expect(page.get_by_role("grid", name="Requests").get_by_role("row").nth(1)).to_be_visible()


@pytest.mark.parametrize("zone", ZONES)
def test_each_day_of_the_overview_leads_to_the_requests_of_that_day_in_its_zone(
    visitor: Visitor, open_gateway: Gateway, booked: list[RequestRecord], zone: str
) -> None:
    """Goal 3, of Overview and Requests: the day on which the clocks change has as many hours as it has there."""
    page = visitor.go(f"/app/admin?{PERIOD}&timezone={zone}")
    columns = page.get_by_role("region", name="Cost by day and provider").locator("figure.chart a")
    expect(columns).to_have_count(3)

    for number, column in enumerate(columns.all()):
        day = CHANGE + timedelta(days=number - 1)
        rows = behind(open_gateway, column.get_attribute("href") or "")
        assert {row["id"] for row in rows} == {one.request_id for one in of_days(booked, zone, day, day)}
    columns.nth(1).click()
    expect(page.get_by_role("grid", name="Requests").get_by_role("row").nth(1)).to_be_visible()
    asked = next(url for url in reversed(visitor.requested) if "/admin/requests?" in url and "/app/" not in url)
    assert {row["id"] for row in behind(open_gateway, asked)} == {
        one.request_id for one in of_days(booked, zone, CHANGE, CHANGE)
    }
    newest = max(of_days(booked, zone, CHANGE, CHANGE), key=lambda one: one.created_at)
    at = newest.created_at.astimezone(ZoneInfo(zone))
    expect(page.get_by_role("grid").get_by_role("row").nth(1)).to_contain_text(f"Oct 25, {at:%H:%M}")


def test_each_column_of_a_chart_leads_to_its_rows_and_a_changed_day_has_25_hours(
    visitor: Visitor, open_gateway: Gateway, booked: list[RequestRecord]
) -> None:
    page = visitor.go(f"/app/admin/usage?from={CHANGE}&to={CHANGE}&timezone=Europe/Oslo&metric=requests")
    columns = page.locator("figure.chart a")
    expect(columns).to_have_count(25)

    found = [behind(open_gateway, column.get_attribute("href") or "") for column in columns.all()[:3]]

    begins = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    for number, rows in enumerate(found):
        start = begins + timedelta(hours=number)
        mine = {one.request_id for one in booked if start <= one.created_at < start + timedelta(hours=1)}
        assert {row["id"] for row in rows} == mine
    names = [column.get_attribute("aria-label") or "" for column in columns.all()[:5]]
    assert [re.sub(r".*, (\d\d):.*", r"\1", name) for name in names] == ["00", "01", "02", "02", "03"]


COMMANDS = [
    "/app/admin?days=7&timezone=Europe/Oslo",
    f"/app/admin/usage?by=provider&then_by=model&{PERIOD}&timezone=America/New_York",
    f"/app/admin/requests?outcome=error&{PERIOD}&timezone=Europe/Oslo",
    "/app/admin/requests?model=booked-1&open=req_" + f"{4:032x}",
    "/app/admin/models?q=demo",
    "/app/admin/keys",
    "/app/admin/routes",
    "/app/admin/providers?open=demo-a",
    "/app/admin/audit?action=create",
    "/app/admin/health",
    "/app/admin/alerts?status=failed",
    "/app/admin/tenants",
    "/app/admin/users",
    "/app/admin/budgets",
    "/app/admin/limits",
    "/app/admin/tokens",
    "/app/admin/settings",
]


@pytest.mark.parametrize("path", COMMANDS)
def test_a_copied_command_answers_what_is_shown(
    visitor: Visitor, open_gateway: Gateway, booked: list[RequestRecord], path: str
) -> None:
    """The page's own, or that of the drawer that the address opens."""
    page = visitor.go(path)

    within = page.get_by_role("dialog" if "open=" in path else "main")
    within.get_by_role("button", name="Copy as curl").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")

    ran = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -s -w '\\n%{http_code}' ", 1)],
        env={"OMG_ADMIN_TOKEN": open_gateway.admin_token, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = ran.stdout.rpartition("\n")
    address = urlsplit(shlex.split(command)[1])
    assert (status, body[:1]) == ("200", "{")
    assert f"{address.scheme}://{address.netloc}" == open_gateway.url
    if "open=" in path:
        assert f'"id":"{parse_qs(urlsplit(path).query)["open"][0]}"' in body
    else:  # what the page itself asked, or its first page of it
        asked = [urlsplit(url) for url in visitor.requested]
        assert any(one.path == address.path and one.query.startswith(address.query) for one in asked)


def test_a_cost_is_told_step_by_step_to_the_last_digit(visitor: Visitor, open_gateway: Gateway) -> None:
    price = {"input": "2.50", "output": "10.01", "cache_read": "0.25"}
    open_gateway.admin.post(
        "/models", json={"provider": "demo-c", "model": "demo", "prices": price, "confirm": True}
    ).raise_for_status()
    ask(open_gateway, "demo-c/demo")
    filters = {"provider": "demo-c", "model": "demo", "outcome": "ok"}
    wait_until(lambda: len(open_gateway.admin.get("/requests", params=filters).json()["data"]) > 0)
    entry = open_gateway.admin.get("/requests", params=filters).json()["data"][0]

    page = visitor.go(f"/app/admin/requests?open={entry['id']}")
    table = page.get_by_role("dialog").locator("table")
    expect(table).to_be_visible()

    cells = [[cell.inner_text() for cell in row.locator("td").all()] for row in table.locator("tbody tr").all()]
    *steps, total = [(row[0].split("\n")[0], Decimal(row[-1].removeprefix("$"))) for row in cells]
    assert [name for name, _ in steps] == ["tokens in", "tokens out"]
    assert sum(cost for _, cost in steps) == total[1] == Decimal(entry["cost_usd"])
    assert steps[1][1] == entry["output_tokens"] * Decimal("10.01") / 1_000_000


def test_the_prices_that_made_a_cost_add_up_to_it(
    visitor: Visitor, open_gateway: Gateway, booked: list[RequestRecord]
) -> None:
    """Goal 4, of a sum: each price with whose it is and since when."""
    page = visitor.go(f"/app/admin/usage?{PERIOD}&timezone=UTC")
    asked = open_gateway.admin.get(f"/usage/explain?{PERIOD}&timezone=UTC").json()

    page.get_by_text("Which prices made this cost").click()

    table = page.get_by_role("region", name="Prices and what was asked at them")
    expect(table).to_be_visible()
    cells = [[cell.inner_text() for cell in row.locator("td").all()] for row in table.locator("tbody tr").all()]
    *rows, total = [Decimal(row[-1].removeprefix("$")) for row in cells]
    assert (len(rows), sum(rows), total) == (len(asked["rows"]), Decimal(asked["total_usd"]), sum(rows))
    assert total == Decimal(cost(of_days(booked, "UTC", CHANGE - timedelta(days=1), CHANGE + timedelta(days=1))))
