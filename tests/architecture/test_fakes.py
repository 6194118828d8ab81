"""A fake that does what no real thing does makes tests worthless: each passes the contract of its port."""

import importlib
import inspect
import re

from tests.architecture.tree import ROOT


def _classes_in(folder: str, prefix: str) -> dict[str, type]:
    """Every class defined in the modules of a folder, by name."""
    modules = [importlib.import_module(f"{prefix}.{path.stem}") for path in sorted((ROOT / folder).glob("[!_]*.py"))]
    return {
        name: member
        for module in modules
        for name, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__
    }


def _fakes_of(ports: dict[str, type], fakes: dict[str, type]) -> list[tuple[str, str]]:
    """Port and fake, for every fake that inherits from a port."""
    return [
        (port, fake)
        for port, protocol in ports.items()
        for fake, implementation in fakes.items()
        if protocol in implementation.__mro__
    ]


HANDED_OUT_BY = {"FakeClient": "FakeRegistry"} | {
    f"Memory{part}": "MemoryStore"
    for part in (
        "Providers",
        "Keys",
        "VirtualKeys",
        "AdminTokens",
        "Rules",
        "Tenants",
        "Users",
        "Memberships",
        "ModelFacts",
        "ModelGroups",
        "Routes",
        "Availability",
        "Offerings",
        "Prices",
        "Facts",
        "ConfigVersions",
        "Audit",
        "Sessions",
        "Identities",
        "OneTimeTokens",
        "Passwords",
        "Preferences",
        "AlertConfig",
        "AlertLog",
        "Unit",
    )
}
"""Fakes that the contract tests ask through another one, which gives them."""


def test_every_fake_of_a_port_is_in_the_contract_tests() -> None:
    ports = {name: port for name, port in _classes_in("src/domain/ports", "domain.ports").items() if _is_port(port)}
    pairs = _fakes_of(ports, _classes_in("tests/fakes", "tests.fakes"))
    suites = [path.read_text(encoding="utf-8") for path in (ROOT / "tests/contracts").rglob("*.py")]
    imported = set(re.findall(r"\w+", " ".join(part for text in suites for part in _imports_of_fakes(text))))

    assert len({port for port, _ in pairs}) > 15
    assert [(port, fake) for port, fake in pairs if HANDED_OUT_BY.get(fake, fake) not in imported] == []


def _is_port(port: type) -> bool:
    return bool(getattr(port, "_is_protocol", False))


def _imports_of_fakes(text: str) -> list[str]:
    """What a module imports from the fakes."""
    return re.findall(r"from tests\.fakes\.\w+ import (\([^)]*\)|[^\n]*)", text)
