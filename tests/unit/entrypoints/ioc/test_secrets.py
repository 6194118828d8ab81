"""Secrets of settings that are in Vault, from the variable to the value in force."""

import asyncio
from pathlib import Path

import pytest

from entrypoints.ioc.secrets import resolved_at_start
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import Settings, SettingsError
from tests.vault_server import TOKEN, VaultServer


async def loaded(folder: Path, **environ: str) -> Settings:
    """In a thread, beside the loop that Vault runs in."""
    return await asyncio.to_thread(load_settings, environ=environ, folder=folder, ask_vault=resolved_at_start)


async def test_vault_is_asked_for_settings_before_anything_runs(tmp_path: Path) -> None:
    server = VaultServer()
    server.secrets = {"secret/omg": {"mail": "smtp://mail.example", "password": "p@ss"}}
    async with server.running():
        given = {
            "VAULT_ADDR": server.address,
            "VAULT_TOKEN": TOKEN,
            "OMG_SMTP_URL": "vault:secret/omg#mail",
            "OMG_DATABASE_URL": "postgresql://omg:{vault:secret/omg#password}@db.example/omg",
        }

        settings = await loaded(tmp_path, **given)
        with pytest.raises(SettingsError, match=r"OMG_SMTP_URL \(environment\): vault:secret/omg has no text"):
            await loaded(tmp_path, **given | {"OMG_SMTP_URL": "vault:secret/omg#other"})
        server.sealed = True
        with pytest.raises(SettingsError, match=r"OMG_DATABASE_URL.*Vault is sealed"):
            await loaded(tmp_path, **given)

    assert settings.smtp_url.reveal() == "smtp://mail.example"
    assert settings.database == "postgresql://omg:p%40ss@db.example/omg"


async def test_a_reference_to_vault_without_its_address_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"OMG_ADMIN_TOKEN.*VAULT_ADDR is not set"):
        await loaded(tmp_path, OMG_ADMIN_TOKEN="vault:secret/omg#admin")
