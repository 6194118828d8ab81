"""What is promised of all pages is tried on all: whoever adds a page to a menu adds it to the lists of the tests."""

import re
from pathlib import Path

import pytest

from tests.e2e.web import test_every_page, test_forms, test_numbers, test_portal, test_requests_page

FRONT = Path(__file__).parents[3] / "src/entrypoints/web/front/src"

WITHOUT_STATE = {"/app/admin/health", "/app/admin/settings", "/app/me/tenants", "/app/me/account"}
"""They show one thing, or open what a test has to make first."""
WITHOUT_COMMAND = {"/app/admin/playground", "/app/me/account"}
"""The playground's is another API's; those of the portal's forms are asked elsewhere."""
WITHOUT_FIELDS = {"/app/admin", "/app/admin/usage", "/app/admin/health", "/app/me", "/app/me/tenants"}
"""Nothing is typed into them but dates; a tenant's forms stand in its drawer."""


def menu() -> set[str]:
    """The addresses of all pages, as the menus of console and portal have them."""
    found: set[str] = set()
    for app in ("admin", "me"):
        rows = re.findall(r'\["([a-z]*)", "[^"]+", lazy\(', (FRONT / app / "pages.ts").read_text(encoding="utf-8"))
        assert rows
        found |= {f"/app/{app}/{name}".rstrip("/") for name in rows}
    return found


def bare(paths: list[str]) -> set[str]:
    return {path.partition("?")[0] for path in paths}


@pytest.mark.parametrize(
    ("tried", "without"),
    [
        pytest.param([path for path in test_every_page.PAGES if "open=" not in path], set(), id="axe, keyboard"),
        pytest.param(test_requests_page.ADDRESSES, WITHOUT_STATE, id="addresses"),
        pytest.param([*test_numbers.COMMANDS, *test_portal.COMMANDS], WITHOUT_COMMAND, id="commands"),
        pytest.param(test_forms.FORMS, WITHOUT_FIELDS, id="hostile texts"),
    ],
)
def test_a_page_of_a_menu_is_in_the_list_of_a_goal(tried: list[str], without: set[str]) -> None:
    assert menu() - without - bare(tried) == set()
    assert without <= menu()
