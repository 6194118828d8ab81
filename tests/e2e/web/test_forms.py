"""The console's forms in a real browser: no text does anything but stand there, and nothing that is typed is lost."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.processes import Gateway
from tests.e2e.web.conftest import Visitor
from tests.e2e.web.hostile import HOSTILE

FORMS = [
    "/app/admin/requests",
    "/app/admin/audit",
    "/app/admin/models",
    "/app/admin/models?open=demo-a/demo",
    "/app/admin/providers?open=new",
    "/app/admin/providers?open=demo-a",
    "/app/admin/keys?open=new",
    "/app/admin/keys?open={key}",
    "/app/admin/playground",
    "/app/admin/routes?open=new",
    "/app/admin/routes?open=auto&view=try",
    "/app/admin/budgets?open=new",
    "/app/admin/limits",
    "/app/admin/limits?open=new",
    "/app/admin/alerts?open=new-channel",
    "/app/admin/tokens?open=new",
    "/app/admin/settings",
    "/app/admin/tenants?open=new",
    "/app/admin/users?open=new",
    "/app/me/requests",
    "/app/me/keys?open=new",
    "/app/me/account",
]

_TYPE_ALL = """async (texts) => {
  const setter = kind => Object.getOwnPropertyDescriptor(kind.prototype, 'value').set;
  const frame = () => new Promise(done => setTimeout(() => requestAnimationFrame(done)));
  const top = () => document.querySelector('dialog[open]') ?? document;
  const forms = () => [...top().querySelectorAll('main form, dialog form, main input[type=search]')];
  const texty = one => !['checkbox', 'date', 'file'].includes(one.type);
  for (let form = 0; form < forms().length; form++) {
    for (const text of texts) {
      const box = forms()[form];
      const fields = box.matches('input') ? [box] : [...box.querySelectorAll('input, textarea')].filter(texty);
      for (const field of fields) {
        setter(field.constructor).call(field, text);
        field.dispatchEvent(new Event('input', {bubbles: true}));
      }
      box.noValidate = true;
      if (box.requestSubmit) box.requestSubmit();
      await frame();
      await frame();
      for (const button of document.querySelectorAll('.review button:last-of-type')) button.click();
      await frame();
    }
  }
  return forms().length;
}"""
"""Every text in every field of every form, sent and confirmed."""


@pytest.fixture
def visitor(browser: Browser, open_gateway: Gateway) -> Iterator[Visitor]:
    visiting = Visitor(browser, open_gateway.url)
    visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield visiting
    assert visiting.dialogs == []
    assert visiting.outside() == []
    assert visiting.complaints == []
    visiting.close()


@pytest.fixture(scope="module")
def key_id(open_gateway: Gateway) -> str:
    made = open_gateway.admin.post("/keys", json={"name": "for forms", "tags": ["a"]})
    made.raise_for_status()
    return str(made.json()["id"])


def refuse_with_its_own_words(route: Route) -> None:
    """What a gateway would say of such a text: the text, and the field it was in."""
    if route.request.method == "GET":
        return route.fallback()
    sent = route.request.post_data or ""
    field = next(iter(json.loads(sent or "{}")), "name")
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": f"Not this: {sent}", "param": field}
    return route.fulfill(status=400, json={"error": error, "request_id": "req_1"})


@pytest.mark.parametrize("path", FORMS)
def test_hostile_texts_in_every_field_are_texts(visitor: Visitor, key_id: str, path: str) -> None:
    """S-17, T-S7: as what is typed, as what is said of it, and in the address."""
    for of in ("admin", "me"):
        visitor.page.route(f"**/{of}/**", refuse_with_its_own_words)
    page = visitor.go(path.format(key=key_id))
    before = page.evaluate("document.querySelectorAll('script, iframe, object, embed, img, style, link, base').length")

    forms = page.evaluate(_TYPE_ALL, HOSTILE)

    assert forms > 0
    after = page.evaluate("document.querySelectorAll('script, iframe, object, embed, img, style, link, base').length")
    assert after == before
    visitor.reload()


def sent_by(page: Page, act: Any) -> dict[str, Any]:
    """The body of the one change that this makes."""
    with page.expect_request(lambda request: request.method in {"PATCH", "POST"}) as asked:
        act()
    body: dict[str, Any] = json.loads(asked.value.post_data or "{}")
    return body


def test_only_what_was_changed_is_sent_after_it_was_listed(
    visitor: Visitor, open_gateway: Gateway, key_id: str
) -> None:
    page = visitor.go(f"/app/admin/keys?open={key_id}")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=allowed_models]").fill("demo demo-b/*")

    drawer.get_by_role("button", name="Save changes").click()
    expect(drawer.get_by_role("group", name="What will change")).to_have_text(
        "allowed_models: nothing → demo, demo-b/*Go on editingCopy as curlSave"
    )
    body = sent_by(page, drawer.get_by_role("button", name="Save", exact=True).click)

    assert body == {"allowed_models": ["demo", "demo-b/*"]}
    expect(drawer.get_by_text("Saved.")).to_be_visible()
    drawer.locator("input[name=allowed_models]").fill("")
    drawer.get_by_role("button", name="Save changes").click()
    assert sent_by(page, drawer.get_by_role("button", name="Save", exact=True).click) == {"allowed_models": None}
    expect(drawer.get_by_text("Saved.")).to_be_visible()
    assert open_gateway.admin.get(f"/keys/{key_id}").json()["allowed_models"] is None


def test_a_reload_and_a_lost_network_keep_what_was_typed_but_no_secret(visitor: Visitor) -> None:
    page = visitor.go("/app/admin/providers?open=new")
    page.locator("input[name=id]").fill("half-typed")
    page.locator("input[name=secret]").fill("sk-half-typed-0123456789")
    visitor.reload()

    expect(page.locator("input[name=id]")).to_have_value("half-typed")
    expect(page.locator("input[name=secret]")).to_have_value("")
    assert "sk-half-typed" not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    visitor.set_offline(offline=True)
    page.get_by_role("button", name="Add provider").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("input[name=id]")).to_have_value("half-typed")
    visitor.set_offline(offline=False)


def test_a_change_that_another_was_quicker_with_shows_both(
    visitor: Visitor, open_gateway: Gateway, key_id: str
) -> None:
    """412: theirs on the left, mine on the right; nothing is lost, and a second save writes mine over theirs."""
    page = visitor.go(f"/app/admin/keys?open={key_id}")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=name]").fill("mine")
    open_gateway.admin.patch(f"/keys/{key_id}", json={"name": "theirs"}).raise_for_status()

    drawer.get_by_role("button", name="Save changes").click()
    drawer.get_by_role("button", name="Save", exact=True).click()

    expect(drawer.get_by_role("group", name="What will change")).to_contain_text("name: theirs → mine")
    drawer.get_by_role("button", name="Save", exact=True).click()
    expect(drawer.get_by_text("Saved.")).to_be_visible()
    assert open_gateway.admin.get(f"/keys/{key_id}").json()["name"] == "mine"


def test_a_price_far_from_the_one_in_force_is_asked_about(visitor: Visitor, open_gateway: Gateway) -> None:
    open_gateway.admin.post(
        "/models",
        json={"provider": "demo-b", "model": "priced", "prices": {"input": "1", "output": "1"}, "confirm": True},
    ).raise_for_status()
    page = visitor.go("/app/admin/models?open=demo-b/priced")
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Tokens in").fill("500")
    drawer.get_by_label("Tokens out").fill("1")

    drawer.get_by_role("button", name="Set price").click()
    expect(drawer.get_by_role("alert")).to_contain_text("more than 10 times")
    drawer.get_by_role("button", name="It is meant: set price").click()

    expect(drawer.locator("table")).to_contain_text("$500.00")
    drawer.get_by_role("button", name="End own price").click()
    drawer.get_by_role("button", name="End own price").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def run_as_admin(command: str, gateway: Gateway) -> tuple[str, Any]:
    """The status and the body that a copied command gets."""
    ran = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -s -w '\\n%{http_code}' ", 1)],
        env={"OMG_ADMIN_TOKEN": gateway.admin_token, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = ran.stdout.rpartition("\n")
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("path", "fields", "form"),
    [
        ("/app/admin/keys?open=new", {"name": "it's $HOME `id` \\", "allowed_models": "demo demo-b/*"}, "Make key"),
        ("/app/admin/tenants?open=new", {"name": "by command", "budgets": "1.50 day"}, "Make tenant"),
        ("/app/admin/users?open=new", {"email": "dee@example.org", "name": "Dee"}, "Invite"),
        ("/app/admin/settings", {"name": "quick", "patterns": "demo-a/* demo-b/*"}, "Add group"),
        ("/app/admin/models?open=demo-a/demo", {"input": "1", "output": "2"}, "Set price"),
    ],
)
def test_a_form_copied_as_a_command_makes_what_the_form_would(
    visitor: Visitor, open_gateway: Gateway, path: str, fields: dict[str, str], form: str
) -> None:
    """Goal 8: for forms; and a shell does nothing with what is typed in them."""
    page = visitor.go(path)
    filled = page.locator("form").filter(has=page.get_by_role("button", name=form, exact=True))
    for name, text in fields.items():
        filled.locator(f"[name={name}]").fill(text)

    filled.get_by_role("button", name="Copy as curl").click()
    expect(filled.get_by_role("button", name="Copied")).to_be_visible()
    status, made = run_as_admin(page.evaluate("navigator.clipboard.readText()"), open_gateway)

    assert status in {"200", "201"}, made
    said = json.dumps(made)
    assert all(json.dumps(word)[1:-1] in said for word in " ".join(fields.values()).split() if not word[0].isdigit())


def test_a_change_copied_as_a_command_makes_that_change(visitor: Visitor, open_gateway: Gateway, key_id: str) -> None:
    page = visitor.go(f"/app/admin/keys?open={key_id}")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=tags]").fill("one it's")
    drawer.get_by_role("button", name="Save changes").click()

    review = drawer.get_by_role("group", name="What will change")
    review.get_by_role("button", name="Copy as curl").click()
    expect(review.get_by_role("button", name="Copied")).to_be_visible()
    status, changed = run_as_admin(page.evaluate("navigator.clipboard.readText()"), open_gateway)

    assert (status, changed["tags"]) == ("200", ["one", "it's"])
