"""What no committed file may say, wherever it stands."""

import re

import pytest

from tests.architecture.tree import CODE, name_of, texts

# Spelled in pieces, so that this file is no finding of its own.
REGISTRY_HOSTS = "|".join(
    ["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)", "deb" + r"ian\.org", "gh" + r"cr\.io"]
)
MACHINE_PATHS = "|".join(
    ["/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "/Use" + r"rs/\w", r"[A-Z]:\\" + "Use" + "rs"]
)
PROCESS_WORDS = "|".join([r"\bC" + r"EO\b", r"\bsub" + "agent", r"\b[Ii]ss" + r"ue #?\d", r"\bL" + "LM wrote"])
UNFINISHED = "|".join([r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", "raise Not" + "ImplementedError$"])


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (REGISTRY_HOSTS, "packages are named, never where they are fetched from"),
        (MACHINE_PATHS, "a path of one machine means nothing on another"),
        (PROCESS_WORDS, "the files tell of the product, not of how it came about"),
    ],
    ids=["registry hosts", "machine paths", "process words"],
)
def test_no_file_says(pattern: str, why: str) -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line)
    ]

    assert found == [], why


def test_nothing_in_the_code_is_marked_unfinished() -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path, text in texts(".py")
        if name_of(path).split("/")[0] in CODE
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(UNFINISHED, line)
    ]

    assert found == []


def test_every_silenced_type_error_says_which_and_why() -> None:
    bare = [
        f"{name_of(path)}:{number}"
        for path, text in texts(".py")
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := re.search(r"#\s*type:\s*ignore(\[[^]]+\])?(?P<reason>.*)", line))
        and not (found.group(1) and len(found.group("reason").strip(" -#—:")) > 3)
        and "re.search" not in line
    ]

    assert bare == []
