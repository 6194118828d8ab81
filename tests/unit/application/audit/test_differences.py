"""What an audit entry says of a change: fields with old and new, secrets as changed and nothing of them."""

import json

import msgspec

from application.audit.differences import MAX_VALUE_BYTES, differences
from domain.providers import ProviderSettings
from domain.secrets import Secret
from domain.timeouts import TimeoutOverrides
from tests.builders import a_provider, a_provider_key, a_virtual_key

CANARY = "canary-secret-0123456789"


def said(old: msgspec.Struct | None, new: msgspec.Struct | None) -> dict[str, tuple[object, object]]:
    return {
        change.field: (json.loads(bytes(change.old)), json.loads(bytes(change.new))) for change in differences(old, new)
    }


def test_a_changed_field_has_both_values_and_the_others_are_left_out() -> None:
    before = a_provider(priority=1)

    assert said(before, msgspec.structs.replace(before, priority=2, version=9)) == {"priority": (1, 2)}


def test_a_field_of_a_field_has_its_path() -> None:
    before = a_provider(settings=ProviderSettings(model_timeouts={"m": TimeoutOverrides(connect=1)}))
    after = a_provider(settings=ProviderSettings(model_timeouts={"m": TimeoutOverrides(connect=2)}, models=("a",)))

    assert said(before, after) == {
        "settings.models": ([], ["a"]),
        "settings.model_timeouts.m.connect": (1, 2),
    }


def test_a_new_object_had_nothing_and_a_deleted_one_has_nothing() -> None:
    provider = a_provider(priority=5)

    assert said(None, provider)["priority"] == (None, 5)
    assert said(provider, None)["priority"] == (5, None)
    assert said(None, None) == {}


def test_secrets_are_told_as_changed_and_nothing_of_them_is_shown() -> None:
    before = a_provider_key(secret=Secret(CANARY))
    after = msgspec.structs.replace(before, secret=Secret(CANARY + "x"))

    assert said(before, after) == {"secret": ("changed", "changed")}
    assert said(None, before)["secret"] == (None, "changed")
    assert said(before, before) == {}
    assert CANARY not in str(differences(None, before))


def test_a_rotated_key_is_told_as_a_changed_secret() -> None:
    before = a_virtual_key(digest=b"1" * 32, last4="aaaa")

    assert said(before, msgspec.structs.replace(before, digest=b"2" * 32, last4="bbbb")) == {
        "secret": ("changed", "changed")
    }


def test_of_a_long_value_its_length_is_told() -> None:
    before, after = a_provider(name="x" * MAX_VALUE_BYTES), a_provider(name="y")

    assert said(before, after) == {"name": (f"({MAX_VALUE_BYTES + 2} bytes)", "y")}
