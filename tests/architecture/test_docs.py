"""The pages are true where a test can tell: links resolve, named tests exist, every requirement has one."""

import re
from functools import cache
from pathlib import Path

from tests.architecture.tree import ROOT, files, functions, name_of, texts

SPECS = ROOT / "docs" / "specs.md"
COUNTS = {"A": 9, "B": 15, "C": 7, "D": 8, "E": 5, "F": 10}  # requirements of each of the five systems, and beyond them
REQUIRED = [f"{system}{number}" for system, count in COUNTS.items() for number in range(1, count + 1)]
SECTION = re.compile(r"^### (?P<id>[A-F]\d+)\n(?P<body>.*?)(?=^##)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
TEST_NAME = re.compile(r"`(?P<path>tests/[\w/]+\.py)(?:::(?P<name>\w+))?`")


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return "#" + kept.replace(" ", "-")


@cache
def _anchors(path: Path) -> set[str]:
    return {_anchor(line.lstrip("#")) for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


@cache
def _test_names(path: Path) -> frozenset[str]:
    return frozenset(function.name for function in functions(path))


def _dead(path: Path, target: str) -> bool:
    if target.startswith(("http://", "https://", "mailto:")):
        return False
    where, _, fragment = target.partition("#")
    page = (path.parent / where).resolve() if where else path
    if not page.exists():
        return True
    return bool(fragment) and page.suffix == ".md" and f"#{fragment}" not in _anchors(page)


def test_every_link_between_pages_resolves() -> None:
    dead = [
        f"{name_of(path)}: {match['target']}"
        for path, text in texts(".md")
        for match in LINK.finditer(text)
        if _dead(path, match["target"])
    ]

    assert dead == []


def test_every_test_that_a_page_names_exists() -> None:
    missing = []
    for path, text in texts(".md"):
        for match in TEST_NAME.finditer(text):
            file, name = ROOT / match["path"], match["name"]
            if not file.is_file() or (name and name not in _test_names(file)):
                missing.append(f"{name_of(path)}: {match[0]}")

    assert missing == []


def test_every_requirement_names_a_test_or_says_not_yet() -> None:
    sections = {match["id"]: match["body"] for match in SECTION.finditer(SPECS.read_text(encoding="utf-8"))}

    assert list(sections) == REQUIRED
    silent = [wanted for wanted, body in sections.items() if not TEST_NAME.search(body) and "Not yet." not in body]
    assert silent == []


def test_a_requirement_that_is_built_in_part_says_what_is_missing() -> None:
    for match in SECTION.finditer(SPECS.read_text(encoding="utf-8")):
        if "In part." in match["body"]:
            assert "not yet" in match["body"].replace("\n", " "), match["id"]
            assert TEST_NAME.search(match["body"]), match["id"]
        if "Not yet." in match["body"]:
            assert not TEST_NAME.search(match["body"]), match["id"]


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    queue = [ROOT / "docs" / "index.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        targets = (m["target"].partition("#")[0] for m in LINK.finditer(page.read_text(encoding="utf-8")))
        queue += [(page.parent / target).resolve() for target in targets if target and "://" not in target]

    pages = {path for path in files() if path.suffix == ".md" and path.is_relative_to(ROOT / "docs")}
    assert [name_of(path) for path in sorted(pages - seen)] == []


def test_decisions_are_numbered_once_each() -> None:
    numbers = [p.name[:4] for p in files() if p.parent == ROOT / "docs" / "decisions" and p.name[:4].isdigit()]

    assert sorted(numbers) == sorted(set(numbers))


def test_every_promise_the_code_cites_is_explained() -> None:
    explained = set(re.findall(r"^\| ([SRPF]-?\d+) \|", (ROOT / "docs/promises.md").read_text(), re.MULTILINE))
    cited = {
        (promise, name_of(path)) for path, text in texts(".py") for promise in re.findall(r"\b[SRP]-\d{2}\b", text)
    }

    assert sorted((promise, name) for promise, name in cited if promise not in explained) == []


def test_every_error_code_of_the_gateway_is_documented() -> None:
    page = (ROOT / "docs/errors.md").read_text()
    folders = ("src/domain/", "src/application/", "src/entrypoints/http/")
    raised = {
        (code, name_of(path))
        for path, text in texts(".py")
        if name_of(path).startswith(folders)
        for code in re.findall(r"""\bcode="([a-z_]+)\"""", text)
    }

    assert sorted((code, name) for code, name in raised if f"`{code}`" not in page) == []
