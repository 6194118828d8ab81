"""Secrets by reference are found in variables and files, and what is not there is told without a value."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import get_args

import pytest

from application.configuration.new_providers import KeptKey
from domain.ports.security import SecretMissing
from domain.secrets import Secret
from entrypoints.settings.loading import field_types, load_settings, unknown_variables
from entrypoints.settings.model import Settings, SettingsError
from entrypoints.settings.secret_references import MAX_BYTES, LocalSecretReferences


async def test_a_secret_is_read_from_a_variable_and_from_a_file_without_white_space(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("  from-a-file\n", encoding="utf-8")
    references = LocalSecretReferences({"KEY": " from-a-variable "})

    assert await references.resolve("env:KEY") == Secret("from-a-variable")
    assert await references.resolve(f"file:{file}") == Secret("from-a-file")


async def test_a_file_that_was_renewed_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "key"
    references = LocalSecretReferences({})
    file.write_text("old", encoding="utf-8")
    old = await references.resolve(f"file:{file}")
    file.write_text("new", encoding="utf-8")

    assert (old, await references.resolve(f"file:{file}")) == (Secret("old"), Secret("new"))


@pytest.mark.parametrize(
    "content",
    [None, b"", b" \n", b"\xff\xfe", b"x" * (MAX_BYTES + 1)],
    ids=["absent", "empty", "blank", "bytes", "large"],
)
async def test_a_file_that_holds_no_secret_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SecretMissing, match="key"):
        await LocalSecretReferences({}).resolve(f"file:{file}")


async def test_a_variable_that_is_not_set_or_blank_is_named() -> None:
    references = LocalSecretReferences({"BLANK": "  "})

    for name in ("BLANK", "ABSENT"):
        with pytest.raises(SecretMissing, match=name):
            await references.resolve(f"env:{name}")


@pytest.mark.parametrize(("text", "is_one"), [("env:A", True), ("file:/a", True), ("sk-env:A", False), ("", False)])
def test_what_is_a_reference_is_told_by_its_beginning(text: str, is_one: bool) -> None:
    assert LocalSecretReferences({}).is_reference(text) is is_one


def test_a_setting_takes_a_secret_by_reference_as_a_whole_or_within_an_address(tmp_path: Path) -> None:
    (tmp_path / "admin").write_text("omg-admin-0aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0k\n", encoding="utf-8")
    (tmp_path / "password").write_text("p@ss/word\n", encoding="utf-8")
    settings = load_settings(
        environ={
            "OMG_ADMIN_TOKEN": f"file:{tmp_path / 'admin'}",
            "OMG_DATABASE_URL": f"postgresql+asyncpg://omg:{{file:{tmp_path / 'password'}}}@{{env:DB_HOST}}/omg",
            "OMG_SMTP_URL": "env:MAIL",
            "DB_HOST": "db.example",
            "MAIL": "smtp://mail.example",
        },
        folder=tmp_path,
    )

    assert settings.admin_token.reveal() == "omg-admin-0aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0k"
    assert settings.database == "postgresql+asyncpg://omg:p%40ss%2Fword@db.example/omg"
    assert settings.smtp_url == Secret("smtp://mail.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OMG_ADMIN_TOKEN", "file:/nowhere/token"),
        ("OMG_BOOTSTRAP_KEY", "env:NOT_SET"),
        ("OMG_DATABASE_URL", "postgresql+asyncpg://omg:{env:NOT_SET}@db/omg"),
        ("OMG_VALKEY_URL", "valkey://:{file:/nowhere}@valkey"),
        ("OMG_SMTP_URL", "env:NOT_SET"),
        ("OMG_MASTER_KEYS", "file:/nowhere"),
    ],
)
def test_a_reference_of_a_setting_that_leads_nowhere_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings(environ={name: value}, folder=tmp_path)


def test_provider_keys_of_the_file_and_of_variables_are_taken_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n", encoding="utf-8")
    (tmp_path / "omg.yaml").write_text(
        f"providers: [{{id: lab, base_url: 'http://lab.example/v1', keys: [{{secret: 'file:{tmp_path / 'key'}'}}]}}]",
        encoding="utf-8",
    )
    settings = load_settings(environ={"GROQ_API_KEY": f"file:{tmp_path / 'key'}"}, folder=tmp_path)

    (key,) = settings.providers[0].keys
    assert isinstance(key, KeptKey)
    assert (key.secret, key.kept_at) == (Secret("sk-from-a-file"), f"file:{tmp_path / 'key'}")
    assert settings.variables["GROQ_API_KEY"] == "sk-from-a-file"


SECRET_SETTINGS = [name for name, type_ in field_types().items() if (get_args(type_) or (type_,))[0] is Secret]

TEXTS = {
    "database_url": "sqlite+aiosqlite:///x.db",
    "valkey_url": "valkey://v.example",
    "smtp_url": "smtp://m.example",
    "proxy": "http://user:word@proxy.example:3128",
    "master_keys": "k1:" + "A" * 43 + "=",
}
"""What each may hold; the others are tokens."""


@pytest.mark.parametrize("name", SECRET_SETTINGS)
def test_every_setting_with_a_secret_may_be_named_as_a_file(tmp_path: Path, name: str) -> None:
    """`OMG_…_FILE`, as images of databases have it."""
    text = TEXTS.get(name, "omg-" + "0aZ9bY8c" * 5)
    (tmp_path / "secret").write_text(text + "\n", encoding="utf-8")
    variable = f"OMG_{name.upper()}"

    settings = load_settings(environ={f"{variable}_FILE": str(tmp_path / "secret")}, folder=tmp_path)

    assert getattr(settings, name) == Secret(text)
    assert list(unknown_variables({f"{variable}_FILE": "x"})) == []
    with pytest.raises(SettingsError, match=f"{variable}.*twice"):
        load_settings(environ={f"{variable}_FILE": str(tmp_path / "secret"), variable: text}, folder=tmp_path)
    with pytest.raises(SettingsError, match=variable):
        load_settings(environ={f"{variable}_FILE": "/nowhere"}, folder=tmp_path)
    with pytest.raises(SettingsError, match=f"{variable}.*vault:"):  # or the reference would be the secret
        load_settings(environ={variable: "vault:secret/omg#it"}, folder=tmp_path)


@pytest.mark.parametrize("name", SECRET_SETTINGS)
def test_every_setting_with_a_secret_may_be_in_vault(tmp_path: Path, name: str) -> None:
    text = TEXTS.get(name, "omg-" + "0aZ9bY8c" * 5)
    variable = f"OMG_{name.upper()}"
    asked: list[str] = []

    def vault(_: Settings, references: Collection[str]) -> Mapping[str, Secret]:
        asked.extend(references)
        return dict.fromkeys(references, Secret(text))

    given = {variable: "vault:secret/omg#it"}
    assert getattr(load_settings(environ=given, folder=tmp_path, ask_vault=vault), name) == Secret(text)
    assert asked == ["vault:secret/omg#it"]


def test_a_part_of_an_address_may_be_in_vault_and_a_providers_proxy_too(tmp_path: Path) -> None:
    (tmp_path / "omg.yaml").write_text(
        "providers: [{id: lab, base_url: 'http://lab.example/v1', settings: {proxy: 'http://u:{vault:s/p#w}@p:1', "
        "headers: {x-one: 'vault:s/h#one', x-two: 'of {vault:s/h#two}', x-three: 'env:DB', x-four: plain}}}]"
    )

    def vault(_: Settings, references: Collection[str]) -> Mapping[str, Secret]:
        return {reference: Secret("p@ss") for reference in references}

    environ = {"OMG_DATABASE_URL": "postgresql+asyncpg://omg:{vault:s/db#password}@{env:DB}/omg", "DB": "db.example"}
    settings = load_settings(environ=environ, folder=tmp_path, ask_vault=vault)

    assert settings.database == "postgresql+asyncpg://omg:p%40ss@db.example/omg"
    own = settings.providers[0].settings
    assert own.proxy == "http://u:p%40ss@p:1"
    assert own.headers == {"x-one": "p@ss", "x-two": "of p@ss", "x-three": "db.example", "x-four": "plain"}
    assert own.shown().headers == {"x-one": "***", "x-two": "***", "x-three": "***", "x-four": "plain"}


def test_vault_is_asked_without_the_proxy_whose_address_is_in_it(tmp_path: Path) -> None:
    seen: list[str] = []

    def vault(settings: Settings, references: Collection[str]) -> Mapping[str, Secret]:
        seen.append(settings.outbound_proxy)
        return dict.fromkeys(references, Secret("http://u:p@proxy.example:3128"))

    settings = load_settings(environ={"OMG_PROXY": "vault:s/proxy#url"}, folder=tmp_path, ask_vault=vault)

    assert (seen, settings.outbound_proxy) == ([""], "http://u:p@proxy.example:3128")


def test_vault_that_does_not_have_it_ends_the_start_with_the_settings_name(tmp_path: Path) -> None:
    def vault(_: Settings, references: Collection[str]) -> Mapping[str, Secret]:
        raise SecretMissing("vault:s/x: Vault is sealed or down")

    with pytest.raises(SettingsError, match=r"OMG_SMTP_URL \(environment\): vault:s/x: Vault is sealed"):
        load_settings(environ={"OMG_SMTP_URL": "vault:s/x#y"}, folder=tmp_path, ask_vault=vault)
