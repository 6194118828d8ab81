"""Where a browser may be sent after it signed in at an issuer."""

import pytest

from application.sign_in.issuer_sign_in import own_page


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/app/../../x", "/app\\evil", "/admin/keys",
        "/appendix", "app", "", "/app/\nx", "/app/ä", "/app/" + "x" * 600,
        "/app/%2e%2e/auth/oidc/corp/start", "/app/%2E%2E//evil.example", "/app/.%2e/x", "javascript:alert(1)",
        "/app@evil.example", "/app:8000", " /app", "/app/;..;/",
    ],
)  # fmt: skip
def test_what_is_no_page_of_ours_is_the_first_page(page: str) -> None:
    assert own_page(page) == "/app"


@pytest.mark.parametrize(
    "page", ["/app", "/app/me/keys", "/app?x=1", "/app#/chat/1", "/app/admin/usage?day=2026-11-30"]
)
def test_our_pages_are_gone_back_to(page: str) -> None:
    assert own_page(page) == page
