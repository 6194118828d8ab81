"""Every route × every principal × own, same tenant's and foreign object, once per carrier (T-S1, S-04, S-05, S-36).

What is right is in `authorization_outcomes.py` and nowhere else. Start has checked that each route has a row.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from domain.authority import Right
from entrypoints.http.authorization import MATRIX, Access
from entrypoints.http.edge.gateway import PROBES
from tests.integration.admin_app import ADMIN_TOKEN
from tests.integration.asgi_asking import Answer, ask
from tests.integration.authorization_outcomes import (
    BODIES,
    DENIED,
    HIDDEN,
    IN,
    LETTERS,
    LIKE,
    NEW_KEYS,
    OF_KEYS,
    OF_OBJECT,
    OF_THE_PLATFORM,
    OUTCOMES,
    UNKNOWN,
)
from tests.integration.authorization_scene import POSITIONS, SIGNED_IN, A, Scene

OPEN: Final = (Access.PUBLIC, Access.SIGN_IN, Access.SCRAPE)
"""What asks for no credential, or has tests of its own: test_metrics.py."""

CARRIERS: Final = {
    "bearer": ("authorization", "Bearer {}"),
    "bare": ("authorization", "{}"),
    "x-api-key": ("x-api-key", "{}"),
    "api-key": ("api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
}

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with ThreadPoolExecutor(1) as thread:  # one application for all of it: making one takes most of a second
        yield thread.submit(asyncio.run, Scene.make()).result()


def body_of(method: str, template: str) -> bytes:
    body = BODIES.get((method, template.removeprefix("/{provider}")))
    return b"" if body is None else json.dumps(body).encode()


def outcome(answer: Answer) -> str:
    """As the table names it. A complaint about what was sent comes after the question who may send it."""
    assert answer.status < 500, answer
    if answer.status == 403:
        return f"403 {answer.code}"
    return str(answer.status) if answer.status in (401, 404) else IN


def kind_of(template: str) -> str | None:
    """The kind of object that a path names; None where it names none, or one of the platform's."""
    return next((kind for path, kind in OF_OBJECT.items() if template.startswith(path)), None)


RULES: Final = {"/admin/limits": "limit_id", "/admin/alerts": "alert_rule_id"}


def address(scene: Scene, template: str, kind: str | None, id_: str) -> str:
    """The path with the ids of what is there, and of the object that it is about."""
    if kind is not None:
        prefix = next(path for path in OF_OBJECT if template.startswith(path))
        tenant_id, _, user_id = id_.partition("/")
        named = {"tenant_id": tenant_id, "user_id": user_id or id_}
        whole = re.sub(r"{(\w+)}", lambda found: named.get(found[1], id_), prefix)
        template = whole + template.removeprefix(prefix)
    rule = next((id_ for path, id_ in RULES.items() if template.startswith(path)), "budget_id")
    there = scene.platform | {
        "rule_id": scene.platform[rule],
        "model": "m",
        "name": "fast",
        "alias": "fast",
        "path": "some/page",
    }
    return re.sub(r"{(\w+)}", lambda found: there.get(found[1], "nothing"), template)


def expected_of_person(row: Access | Right, kind: str | None, who: str, position: str) -> str | None:
    """What is right for somebody under `/admin`, `/me`, `/auth` and `/api`; None where there is no such case."""
    place = POSITIONS.index(position)
    if isinstance(row, Right) and row in OF_THE_PLATFORM:
        if who not in OF_THE_PLATFORM[row]:
            return DENIED
        return HIDDEN if kind is not None and position == "nobody's" else IN
    if kind is None or row not in (*Right, Access.PERSON):
        return IN
    if (row, kind) not in OUTCOMES:  # a person's own things
        return LETTERS["ihhh"[place]]
    return LETTERS.get(OUTCOMES[row, kind][who][place])


ADMIN_ROUTES: Final = [route for route, row in MATRIX.items() if isinstance(row, Right)]


async def try_objects(scene: Scene, who: str, headers: dict[str, str], rows: list[tuple[str, str]]) -> list[str]:
    """All positions of all these routes, as somebody of these rights. Returns what is not as it should be."""
    like = LIKE.get(who, who)
    wrong: list[str] = []
    for method, template in rows:
        row, kind = MATRIX[method, template], kind_of(template)
        foreign: Answer | None = None
        foreign_id = ""
        for position in POSITIONS if kind is not None else ("own",):
            if (method, template) == ("POST", "/admin/keys"):
                continue  # whose it would be is in its body: `test_whose_a_new_key_is…`
            expected = expected_of_person(row, kind, like, position)
            id_ = scene.id_of(kind, who, position) if kind is not None else ""
            if expected is None or id_ is None:
                continue
            answer = await ask(
                scene.app.app, method, address(scene, template, kind, id_), headers, body_of(method, template)
            )
            got = outcome(answer)
            if got != expected:
                wrong.append(told(who, method, template, position, got, expected, answer.body))
            if got != IN and not scene.unchanged():
                wrong.append(told(who, method, template, position, "changed something"))
            echoed = answer.body
            for part in id_.split("/") if id_ else ():
                echoed = echoed.replace(part.encode(), b"")
            if like not in ("auditor", "platform admin") and any(word in echoed for word in scene.foreign_words()):
                wrong.append(told(who, method, template, position, "tells of another tenant", answer.body))
            if position == "foreign":
                foreign, foreign_id = answer, id_
            elif foreign is not None and foreign.status == 404 and masked(answer, id_) != masked(foreign, foreign_id):
                wrong.append(told(who, method, template, "a foreign one is told from none", foreign, answer))
            if method != "GET" and got == IN:
                await scene.put_back()
    return wrong


def told(*facts: object) -> str:
    """One line of what is not as it should be."""
    return " | ".join(str(fact) for fact in facts)[:400]


def masked(answer: Answer, id_: str) -> object:
    """For an object of two ids, without either."""
    outer, _, inner = id_.partition("/")
    status, headers, body = answer.without(inner or outer)
    return status, headers, body.replace(outer.encode(), b"TENANT")


@pytest.mark.parametrize("who", SIGNED_IN)
async def test_a_session_reaches_what_its_roles_give_and_nothing_else(scene: Scene, who: str) -> None:
    """S-04: what is another tenant's answers byte for byte as what is not there, and changes nothing."""
    rows = [route for route, row in MATRIX.items() if row not in (*OPEN, Access.CLIENT)]

    wrong = await try_objects(scene, who, scene.headers[who], rows)

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_an_admin_token_reaches_what_its_scopes_give_by_every_carrier(scene: Scene, carrier: str) -> None:
    header, form = CARRIERS[carrier]
    wrong: list[str] = []
    for who in LIKE:
        wrong += await try_objects(scene, who, {header: form.format(scene.tokens[who])}, ADMIN_ROUTES)

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_a_key_opens_what_its_scopes_give_by_every_carrier(scene: Scene, carrier: str) -> None:
    """S-05. Keys open nothing but `/v1`, admin tokens nothing but `/admin`, and nothing is unknown alike everywhere."""
    header, form = CARRIERS[carrier]
    wrong = []
    for who, token in scene.tokens.items():
        for (method, template), row in MATRIX.items():
            if isinstance(row, Right) and who in LIKE:
                continue  # the test before
            headers = {} if token is None else {header: form.format(token)}
            answer = await ask(
                scene.app.app, method, address(scene, template, None, ""), headers, body_of(method, template)
            )
            if row is Access.SCRAPE:
                continue
            scope = "usage" if template.endswith("/v1/usage") else "inference"
            expected = IN if row in OPEN else UNKNOWN
            if row == Access.CLIENT:
                expected = OF_KEYS.get(who, {}).get(scope, UNKNOWN)
            if (got := outcome(answer)) not in (expected, HIDDEN if expected == IN else ""):
                wrong.append(told(who, method, template, got, expected, answer.body))
    if not scene.unchanged():
        wrong.append(told("something was changed"))

    assert not wrong, "\n".join(wrong)


async def test_whose_a_new_key_is_follows_from_who_makes_it(scene: Scene) -> None:
    """S-03: for others nobody but the platform's admin makes one, nor in a tenant that is not theirs, there or not."""
    wrong = []
    people = [(who, who, scene.headers[who]) for who in SIGNED_IN]
    tokens = [(who, like, {"x-api-key": str(scene.tokens[who])}) for who, like in LIKE.items()]
    for who, like, headers in (*people, *tokens):
        tenants = (A, A, scene.foreign_tenant, "ten_none")
        for letter, position, tenant_id in zip(NEW_KEYS[like], POSITIONS, tenants, strict=True):
            owner = scene.users[who].id if position == "own" and who in scene.users else None
            if letter == "-" or (position == "own" and (owner is None or like == "platform admin")):
                continue
            body = json.dumps({"tenant_id": tenant_id, "owner_id": owner}).encode()
            answer = await ask(scene.app.app, "POST", "/admin/keys", headers, body)
            if outcome(answer) != LETTERS[letter] or (letter == "i") == scene.unchanged():
                wrong.append(told(who, position, answer))
            await scene.put_back()
        colleague = json.dumps({"tenant_id": A, "owner_id": scene.users["colleague"].id}).encode()
        answer = await ask(scene.app.app, "POST", "/admin/keys", headers, colleague)
        if outcome(answer) != (IN if like == "platform admin" else DENIED):
            wrong.append(told(who, "for a colleague", answer))
        await scene.put_back()

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", ["owner", "platform admin"])
async def test_a_session_that_is_over_or_is_nobodys_opens_nothing(scene: Scene, who: str) -> None:
    fakes = scene.app.fakes
    async with fakes.store.write() as unit:
        await unit.sessions.delete_all(scene.users[who].id)
    wrong = []
    for headers in (scene.headers[who], scene.headers[who] | {"cookie": f"{scene.app.cookie.name}={'f' * 64}"}):
        for (method, template), row in MATRIX.items():
            if row in OPEN:
                continue
            where = address(scene, template, None, "")
            answer = await ask(scene.app.app, method, where, headers, body_of(method, template))
            if outcome(answer) != UNKNOWN:
                wrong.append(told(method, template, answer))
    await scene.put_back()

    assert not wrong, "\n".join(wrong)


async def test_two_different_keys_and_a_key_in_the_address_are_refused_wherever_one_is_asked_for(scene: Scene) -> None:
    """S-05: nobody says which one counts, and addresses end up in logs."""
    wrong = []
    key, other = str(scene.tokens["a key"]), str(scene.tokens["another tenant's key"])
    for (method, template), row in MATRIX.items():
        if row in OPEN:
            continue
        where, body = address(scene, template, None, ""), body_of(method, template)
        for query, headers in (
            (f"?key={ADMIN_TOKEN}", {}),
            (f"?api_key={key}", {}),
            ("", {"authorization": f"Bearer {ADMIN_TOKEN}", "x-api-key": key}),
            ("", {"x-goog-api-key": key, "api-key": other}),
        ):
            answer = await ask(scene.app.app, method, where + query, headers, body)
            of_a_person = row in (Access.PERSON, Access.CHAT) and not query  # where no key counts at all
            if answer.status != (401 if of_a_person else 400):
                wrong.append(told(method, template, query, list(headers), answer.status))

    assert not wrong, "\n".join(wrong)


async def test_anyone_gets_only_what_is_public(scene: Scene) -> None:
    """Whatever the method: P-12. OPTIONS tells the methods of a path and nothing else."""
    wrong = []
    for template in {template for _, template in MATRIX}:
        for method in METHODS:
            answer = await ask(scene.app.app, method, address(scene, template, None, ""))
            public = MATRIX.get(("GET" if method == "HEAD" else method, template)) in OPEN
            if method == "OPTIONS" and answer.status == 204:
                assert answer.body == b""
            elif answer.status < 400 and not public:
                wrong.append(told(method, template, answer.status))
            elif template.startswith("/health") and public:
                assert len(answer.body) <= 200  # S-26

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "path", ["/models", "//v1/models", "/v1/models/", "/v1/v1/models", "/alpha/models", "/alpha/v1/models/"]
)
async def test_a_forgiven_address_asks_for_a_key_too(scene: Scene, path: str) -> None:
    assert outcome(await ask(scene.app.app, "GET", path)) == UNKNOWN


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/", "//admin/providers", "/admin//providers", "/ADMIN/providers", "/admin/nothing"]
)
async def test_an_odd_admin_address_answers_nothing(scene: Scene, path: str) -> None:
    assert outcome(await ask(scene.app.app, "GET", path)) in (UNKNOWN, HIDDEN)


async def test_a_probe_tells_nothing_but_that_someone_is_there(scene: Scene) -> None:
    for path in PROBES:
        answer = await ask(scene.app.app, "GET", path)
        assert (answer.status, len(answer.body) <= 200, b"0.1" in answer.body) == (200, True, False)


async def test_no_failure_of_authentication_lets_a_request_in(scene: Scene) -> None:
    """S-06: whatever goes wrong, the handler is not entered."""
    fakes, headers = scene.app.fakes, {"x-api-key": ADMIN_TOKEN}
    known = fakes.hasher.digests

    def digests(key: str) -> tuple[bytes, ...]:
        raise RuntimeError("the hasher is broken")

    fakes.store.broken = True
    away = await ask(scene.app.app, "POST", "/admin/keys", headers, b"{}")
    fakes.store.broken = False
    fakes.hasher.digests = digests  # type: ignore[method-assign]  # a fault no fake of its own is worth
    broken = await ask(scene.app.app, "POST", "/admin/keys", headers, b"{}")
    fakes.hasher.digests = known  # type: ignore[method-assign]  # as it was

    assert (away.status, broken.status) == (503, 503)
    assert scene.unchanged()
