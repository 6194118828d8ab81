"""What nobody configured is not imported, and what is not installed says how to get it."""

import subprocess
import sys

import httpx
import pytest

from adapters.identity.configured import IssuersNotInstalled, open_issuers
from adapters.transport.egress import EgressGuard
from domain.issuers import Issuer
from entrypoints.settings.secret_references import LocalSecretReferences
from tests.fakes.clock import FakeClock
from tests.unit.adapters.identity.an_issuer import an_issuer


def no_transport(_: EgressGuard) -> httpx.AsyncBaseTransport:
    raise AssertionError("nobody is asked")


def opened(*issuers: Issuer) -> object:
    return open_issuers(issuers, no_transport, LocalSecretReferences({}), FakeClock())


async def test_each_issuer_is_there_for_what_it_is_configured_for() -> None:
    people = an_issuer(name="people", bearer=False)
    robots = an_issuer(name="robots", sign_in=False)

    assert list(open_issuers([people], no_transport, LocalSecretReferences({}), FakeClock()).providers) == ["people"]
    found = open_issuers([robots], no_transport, LocalSecretReferences({}), FakeClock())
    assert (dict(found.providers), found.verifier is None) == ({}, False)
    await found.aclose()


def test_an_installation_without_the_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adapters.identity.opening", None)

    opened()  # nothing is needed for nothing
    with pytest.raises(IssuersNotInstalled, match=r"open-model-gateway\[oidc\]"):
        opened(an_issuer())


@pytest.mark.slow
def test_a_gateway_without_issuers_imports_nothing_of_them() -> None:
    code = "import sys, entrypoints.lifespan; print([m for m in sys.modules if m.startswith('joserfc')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.strip() == "[]"
