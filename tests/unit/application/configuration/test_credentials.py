"""Credentials are read as they are written in the wild, and placeholders are taken for none."""

import pytest

from application.configuration.credentials import credentials, is_placeholder, placeholders

KEY = "sk-live-0123456789abcdef"
JSON = '{"type": "service_account", "private_key": "a,b"}'

WRITTEN = [
    (KEY, [KEY]),
    (f'"{KEY}"', [KEY]),
    (f"'{KEY}'", [KEY]),
    (f"`{KEY}`", [KEY]),
    (f"“{KEY}”", [KEY]),
    (f"\"'{KEY}'\"", [KEY]),
    (f" {KEY}\r\n", [KEY]),
    (f"\ufeff{KEY}", [KEY]),
    (f"Bearer {KEY}", [KEY]),
    (f"bearer  {KEY}", [KEY]),
    (f"'Authorization: Bearer {KEY}'", [KEY]),
    ("one,two", ["one", "two"]),
    (" one , 'two' ,, \"three\",", ["one", "two", "three"]),
    ('"one","two"', ["one", "two"]),
    ('"one, two"', ["one", "two"]),
    ("one,one", ["one"]),
    ("one,your-api-key", ["one"]),
    (JSON, [JSON]),
    (f"'{JSON}'", [JSON]),
    ("", []),
    ("  ", []),
    ('""', []),
    ("''", []),
    (",", []),
]


@pytest.mark.parametrize(("value", "found"), WRITTEN)
def test_what_is_written_around_a_key_is_no_part_of_it(value: str, found: list[str]) -> None:
    assert [secret.reveal() for secret in credentials({"A_API_KEY": value}, "A_API_KEY")] == found


def test_several_keys_stand_in_numbered_variables() -> None:
    variables = {"A_API_KEY": "one", "A_API_KEY_2": "two,three", "A_API_KEY_4": "'four'", "A_API_KEY_X": "no"}

    assert [s.reveal() for s in credentials(variables, "A_API_KEY")] == ["one", "two", "three", "four"]
    assert [s.reveal() for s in credentials({"A_API_KEY_2": "two"}, "A_API_KEY")] == ["two"]


PLACEHOLDERS = """
<your key>|<API_KEY>|[your-key]|{{ OPENAI_API_KEY }}|${OPENAI_API_KEY}|$OPENAI_API_KEY|%OPENAI_API_KEY%
xxxx|XXXXXXXX|sk-xxxx|sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|sk-proj-xxxxxxxx|sk-ant-api03-xxx|gsk_xxxx|sk-...
sk-…|...|***
changeme|CHANGE_ME|change-me|change this|replace-me|REPLACE_ME|replace_this|fill-me-in|todo|TBD
placeholder|none|null|undefined|your-api-key|YOUR_API_KEY|your_openai_key|your key here|sk-your-key-here
sk-your-api-key|insert-your-key-here
<insert key>|enter_your_api_key|paste-your-key-here|api-key|api_key|my-api-key|API-KEY-HERE|the_key
add-key-here|your-openai-api-key-here
""".strip().replace("\n", "|")
KEYS = """
sk-live-0123456789abcdef|sk-proj-T3BlbkFJxxxx0a1b2c3d|gsk_1a2b3c|AIzaSyD-1234|csk-9x8y7z|sk-or-v1-0f0f0f
hf_abcDEF|xai-42abc
r8_ABCxyz|nvapi-Zk3|ghp_16C7e42F292c6912E7710c838347Ae178B4a|0123456789abcdef|dummy|test|EMPTY-1|ollama
token-abc123|sk-xyz1
""".strip().replace("\n", "|")


@pytest.mark.parametrize("value", PLACEHOLDERS.split("|"))
def test_a_placeholder_is_no_key(value: str) -> None:
    assert is_placeholder(value)
    assert credentials({"A_API_KEY": value}, "A_API_KEY") == ()
    assert placeholders({"A_API_KEY_2": f'"{value}"'}, "A_API_KEY") == ("A_API_KEY_2",)


@pytest.mark.parametrize("value", KEYS.split("|"))
def test_a_key_is_no_placeholder(value: str) -> None:
    assert not is_placeholder(value)
