"""What never reaches a log line."""

import ast
from pathlib import Path

import pytest

from adapters.telemetry.redaction import ALLOWED_FIELDS, MAX_TEXT, allowed, mask
from domain.keys import ADMIN_TOKEN_PREFIX, VIRTUAL_KEY_PREFIX, generate_key
from domain.secrets import Secret


@pytest.mark.parametrize("prefix", [VIRTUAL_KEY_PREFIX, ADMIN_TOKEN_PREFIX])
def test_our_own_keys_are_masked_wherever_they_stand(prefix: str) -> None:
    """S-22."""
    key = generate_key(prefix).reveal()

    assert key not in mask(f"before {key}, after ({key}) and {key}")


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-Ab12Cd34Ef56Gh78Ij90",
        "gsk_Ab12Cd34Ef56Gh78Ij90Kl12",
        "csk-ab12cd34ef56gh78ij90kl12",
        "AIzaSyA1234567890abcdefghijklmnopqrstu",
        "hf_AbCdEfGhIjKlMnOpQrStUvWx",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_DEF-123",
    ],
)
def test_text_shaped_like_a_providers_key_is_masked(secret: str) -> None:
    assert secret not in mask(f"Incorrect API key provided: {secret}.")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer opaque-credential", "opaque-credential"),
        ("connect postgresql+asyncpg://user:hunter2hunter2@db/omg", "hunter2hunter2"),
        ("GET /v1beta/models?key=opaque123&alt=sse", "opaque123"),
    ],
)
def test_credentials_are_masked_where_their_place_gives_them_away(text: str, secret: str) -> None:
    assert secret not in mask(text)


def test_public_ids_stay_readable() -> None:
    """S-22: logs speak of keys by id."""
    ids = "key_0193abcdef0193abcdef0193abcdef01 pk_env_cerebras pk_0193abcdef0193abcdef0193abcdef01 req_0193"

    assert mask(ids) == ids


def test_only_known_fields_are_shown_and_secrets_mask_themselves() -> None:
    """S-23."""
    shown = allowed({"provider": "alpha", "x-secret-header": "canary", "reason": Secret("canary"), "count": 3})

    assert shown == {"provider": "alpha", "reason": "***", "count": 3}


def test_long_text_is_cut_and_a_traceback_keeps_its_end() -> None:
    assert len(mask("a" * 10_000)) == MAX_TEXT + 1
    assert str(allowed({"exception": "x" * 50_000 + "the cause"})["exception"]).endswith("the cause")


def test_every_fact_that_the_code_logs_is_allowed() -> None:
    """Or it would be left out of its line without a word."""
    logged: set[str] = set()
    for path in (Path(__file__).parents[4] / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "extra=" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Dict):
                logged |= {str(key.value) for key in node.value.keys if isinstance(key, ast.Constant)}

    assert logged
    assert logged <= ALLOWED_FIELDS
