"""An issuer's keys: they change without a restart, and are not lost while the issuer is away."""

import asyncio

import pytest

from adapters.identity.discovery import COLD_RETRY_SECONDS
from adapters.identity.keys import FRESH_SECONDS, LONGEST_SECONDS
from domain.ports.issuers import IssuerAway, IssuerRefused
from tests.unit.adapters.identity.an_issuer import AnIssuer, key_for, public, rsa_key
from tests.waiting import until

KEYS = "/keys"


async def test_keys_change_without_a_restart() -> None:
    issuer = AnIssuer()
    await issuer.set.find("k1", "ES256")

    issuer.keys = {"k2": key_for("EdDSA")}
    await issuer.set.find("k2", "EdDSA")

    assert issuer.asked.count(KEYS) == 2
    with pytest.raises(IssuerRefused):
        await issuer.set.find("k1", "ES256")  # the issuer has taken it back


async def test_unknown_key_ids_make_it_be_asked_once_in_half_a_minute() -> None:
    issuer = AnIssuer()
    await issuer.set.find("k1", "ES256")

    for number in range(50):
        with pytest.raises(IssuerRefused):
            await issuer.set.find(f"evil-{number}", "ES256")
    assert issuer.asked.count(KEYS) == 2
    issuer.clock.advance(30)
    with pytest.raises(IssuerRefused):
        await issuer.set.find("evil", "ES256")
    assert issuer.asked.count(KEYS) == 3


async def test_many_who_wait_for_keys_make_it_be_asked_once() -> None:
    issuer = AnIssuer()

    await asyncio.gather(*(issuer.set.find("k1", "ES256") for _ in range(20)))

    assert issuer.asked.count(KEYS) == 1


@pytest.mark.parametrize("seconds", [600.0, FRESH_SECONDS + 1, LONGEST_SECONDS - 1])
async def test_an_issuer_that_is_away_refuses_nobody_whose_key_is_known(seconds: float) -> None:
    issuer = AnIssuer()
    await issuer.set.find("k1", "ES256")
    issuer.away = True
    issuer.clock.advance(seconds)

    for _ in range(3):
        await issuer.set.find("k1", "ES256")
    await issuer.set.aclose()


async def test_keys_of_a_day_ago_serve_no_more() -> None:
    """One of them may have been taken back because it was stolen."""
    issuer = AnIssuer()
    await issuer.set.find("k1", "ES256")
    issuer.away = True
    issuer.clock.advance(LONGEST_SECONDS + 1)

    with pytest.raises(IssuerAway):
        await issuer.set.find("k1", "ES256")


async def test_an_issuer_that_was_never_reached_is_asked_again_soon() -> None:
    issuer = AnIssuer()
    issuer.away = True
    for _ in range(5):
        with pytest.raises(IssuerAway):
            await issuer.set.find("k1", "ES256")
    assert len(issuer.asked) == 1

    issuer.away = False
    issuer.clock.advance(COLD_RETRY_SECONDS)
    await issuer.set.find("k1", "ES256")


async def test_old_keys_are_renewed_beside_the_requests() -> None:
    issuer = AnIssuer()
    await issuer.set.find("k1", "ES256")
    issuer.keys = {"k1": issuer.keys["k1"], "k2": key_for("EdDSA")}
    issuer.clock.advance(FRESH_SECONDS + 1)

    await issuer.set.find("k1", "ES256")
    await until(lambda: issuer.asked.count(KEYS) == 2)

    await issuer.set.find("k2", "EdDSA")
    assert issuer.asked.count(KEYS) == 2


async def test_what_is_no_key_to_verify_with_is_passed_over_and_takes_no_other_along() -> None:
    issuer = AnIssuer()
    short: dict[str, object] = {"kty": "RSA", "kid": "short", "n": "AQAB" * 30, "e": "AQAB"}
    issuer.listed = [
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "broken", "n": "*", "e": "AQAB"},
        short,
        public(rsa_key(), "enc") | {"use": "enc"},
        public(rsa_key(), "ops") | {"key_ops": ["encrypt"]},
        {**public(rsa_key(), "")},
        {"kid": "none"},
        public(key_for("ES256"), "k1"),
    ]

    await issuer.set.find("k1", "ES256")
    for kid in ("secret", "broken", "short", "enc", "ops", "none"):
        with pytest.raises(IssuerRefused):
            await issuer.set.find(kid, "RS256")


async def test_a_key_set_without_a_key_does_not_lock_everybody_out() -> None:
    issuer = AnIssuer()
    await issuer.set.find("k1", "ES256")
    issuer.listed = []
    with pytest.raises(IssuerRefused):
        await issuer.set.find("other", "ES256")

    await issuer.set.find("k1", "ES256")


async def test_a_document_of_another_issuer_is_not_believed() -> None:
    """OpenID Connect Discovery 4.3: or whoever answers there could name keys of their own."""
    issuer = AnIssuer()
    issuer.document["issuer"] = "https://evil.example"

    with pytest.raises(IssuerAway):
        await issuer.set.find("k1", "ES256")


async def test_keys_are_never_fetched_without_tls_from_an_issuer_that_has_it() -> None:
    issuer = AnIssuer()
    issuer.document["jwks_uri"] = "http://login.example/realm/keys"

    with pytest.raises(IssuerAway):
        await issuer.set.find("k1", "ES256")
    assert KEYS not in issuer.asked
