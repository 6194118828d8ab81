"""A credential never becomes text by accident (S-21)."""

import copy
import logging
import pickle

import msgspec
import pytest

from domain.secrets import Secret
from tests.builders import a_provider_key

VALUE = "canary-5f3a-secret-value"


def test_every_text_form_is_masked() -> None:
    secret = Secret(VALUE)
    forms = [str(secret), repr(secret), f"{secret}", f"{secret:>40}", "%s" % secret, "{!r}".format(secret)]  # noqa: UP031, UP032
    assert all(VALUE not in form and "***" in form for form in forms)
    assert VALUE not in repr(a_provider_key(secret=secret))


def test_it_can_be_neither_pickled_nor_encoded() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret(VALUE))
    with pytest.raises(TypeError):
        copy.copy(Secret(VALUE))


def test_a_log_line_shows_the_mask(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("secret is %s", Secret(VALUE))
    assert VALUE not in caplog.text


def test_equality_and_fingerprints_tell_secrets_apart() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret(VALUE + "x")
    assert Secret(VALUE).fingerprint != Secret(VALUE + "x").fingerprint
    assert Secret(VALUE).last4 == "alue"
    assert Secret("short").last4 == ""
