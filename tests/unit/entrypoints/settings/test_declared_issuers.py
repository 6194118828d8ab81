"""`auth.issuers:` of the settings file."""

from pathlib import Path

import pytest

from domain.secrets import Secret
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings, SettingsError

WHOLE = """
auth:
  issuers:
    - name: corp
      title: Corp
      issuer: https://login.example.org/realm
      client_id: omg
      client_secret: "env:CORP_SECRET"
      audience: omg-api
      bearer: true
      claims: {tenant: org}
      groups:
        - {value: llm-users, tenant: research}
        - {value: admins, claim: roles, tenant: research, role: admin}
"""


def loaded(folder: Path, text: str) -> Settings:
    (folder / "omg.yaml").write_text(text)
    return load_settings(environ={"CORP_SECRET": "hush"}, folder=folder)


def one(**fields: str) -> str:
    """A file with one issuer of these fields."""
    given = {"name": "corp", "issuer": "https://login.example.org", "client_id": "omg"} | fields
    lines = (f"      {name}: {value}" for name, value in given.items() if value)
    return "auth:\n  issuers:\n    -\n" + "\n".join(lines)


def test_an_issuer_is_read_with_its_rules_and_its_secret_by_reference(tmp_path: Path) -> None:
    settings = loaded(tmp_path, WHOLE)

    (issuer,) = settings.issuers
    assert settings.auth == "keys"
    assert (issuer.name, issuer.shown_as, issuer.sign_in, issuer.bearer) == ("corp", "Corp", True, True)
    assert issuer.client_secret == Secret("hush")
    assert "hush" not in repr(settings)
    assert [(rule.claim, rule.value, rule.role) for rule in issuer.groups] == [
        ("groups", "llm-users", "member"),
        ("roles", "admins", "admin"),
    ]
    assert issuer.algorithms == ("RS256", "ES256", "EdDSA")


def test_a_secret_in_a_file_is_read_when_it_is_needed_and_must_be_there_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    at = f"file:{tmp_path / 'secret'}"

    assert loaded(tmp_path, one(client_secret=at)).issuers[0].client_secret == Secret(at)
    with pytest.raises(SettingsError, match=r"client_secret.*/nowhere cannot be read"):
        loaded(tmp_path, one(client_secret="file:/nowhere"))


def test_the_one_word_is_still_understood_and_stands_beside_issuers_as_mode(tmp_path: Path) -> None:
    assert loaded(tmp_path, "auth: open").auth == "open"
    assert loaded(tmp_path, "auth: {mode: open, issuers: []}").auth == "open"
    assert loaded(tmp_path, "auth:").issuers == ()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"issuer": "http://login.example.org"}, "https"),
        ({"issuer": "login.example.org"}, "address"),
        ({"client_id": ""}, "client_id"),
        ({"bearer": "true"}, "audience"),
        ({"bearer": "true", "audience": "a"}, "groups"),
        ({"sign_in": "false"}, "for nothing"),
        ({"algorithms": "[HS256]"}, "algorithms"),
        ({"algorithms": "[none]"}, "algorithms"),
        ({"algorithms": "[]"}, "algorithms"),
        ({"client_secret": "env:NOT_THERE"}, "NOT_THERE"),
        ({"clientid": "x"}, "did you mean 'client_id'"),
        ({"groups": "[{value: a, tenant: b, rule: admin}]"}, "did you mean 'role'"),
        ({"groups": "[{value: a, tenant: b, role: root}]"}, "role"),
        ({"name": "Corp Login"}, "name"),
    ],
)
def test_what_would_leave_a_door_open_or_never_open_one_is_refused(
    tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        loaded(tmp_path, one(**fields))

    assert said in str(refusal.value)
    assert "auth.issuers[0]" in str(refusal.value)


def test_an_issuer_on_the_machine_itself_may_go_without_tls_for_trying_out(tmp_path: Path) -> None:
    assert loaded(tmp_path, one(issuer="http://127.0.0.1:8080")).issuers


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    text = one() + "\n" + one().removeprefix("auth:\n  issuers:\n")

    with pytest.raises(SettingsError, match="declared twice"):
        loaded(tmp_path, text)


def test_people_sign_in_at_an_issuer_by_one_entry_alone(tmp_path: Path) -> None:
    """Else the groups of one entry would be taken away by the other."""
    again = one(name="again").removeprefix("auth:\n  issuers:\n")
    bearer = one(name="again", sign_in="false", bearer="true", audience="a", groups="[{value: a, tenant: b}]")

    with pytest.raises(SettingsError, match="one entry alone"):
        loaded(tmp_path, one() + "\n" + again)
    assert len(loaded(tmp_path, one() + "\n" + bearer.removeprefix("auth:\n  issuers:\n")).issuers) == 2
