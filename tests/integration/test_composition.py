"""The whole application composed in one process, as a server would run it."""

import logging
import sqlite3
import stat
from pathlib import Path
from typing import get_args

import httpx
import pytest
from dishka import Provider, Scope, provide
from typing_extensions import override

from adapters.transport.client import DEFAULT_TRANSPORT, TransportName
from domain.configuration import Section
from domain.ports.runtime import UsageSink
from domain.records import RequestRecord
from entrypoints.app import GatewayProcess, create_app
from entrypoints.banner import banner
from entrypoints.settings.loading import field_types, load_settings
from entrypoints.settings.model import Settings, SettingsError

ASK = {"model": "demo", "messages": [{"role": "user", "content": "hello there"}]}


class Recorded(UsageSink):
    def __init__(self) -> None:
        self.records: list[RequestRecord] = []

    @override
    def record(self, record: RequestRecord) -> None:
        self.records.append(record)


class RecordedModule(Provider):
    scope = Scope.APP

    def __init__(self, sink: Recorded) -> None:
        super().__init__()
        self._sink = sink

    @provide(override=True)
    def sink(self) -> UsageSink:
        return self._sink


def settings_in(folder: Path, **environ: str) -> Settings:
    return load_settings(environ={"OMG_DATA_DIR": str(folder / "data")} | environ, folder=folder)


def client_of(app: GatewayProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")  # type: ignore[arg-type]  # ASGI


async def test_a_first_start_gives_credentials_that_work_and_a_second_gives_none(tmp_path: Path) -> None:
    settings, sink = settings_in(tmp_path, OMG_DEMO="true"), Recorded()

    async with create_app(settings, RecordedModule(sink)).running() as app, client_of(app) as client:
        assert app.gateway.services.state.followed == set(Section)
        made = app.first_start
        assert made is not None
        assert made.virtual_key is not None
        assert made.admin_token is not None
        key = {"authorization": f"Bearer {made.virtual_key.reveal()}"}
        token = {"authorization": f"Bearer {made.admin_token.reveal()}"}
        text = banner(settings, app.gateway, "http://here")
        assert made.virtual_key.reveal() in text
        assert "Stores SQLite, for this one process: limits are exact, in memory" in text
        answer = await client.post("/v1/chat/completions", json=ASK, headers=key)
        providers = await client.get("/admin/providers", headers=token)
        models = await client.get("/admin/models?provider=demo-b&limit=1", headers=token)

    assert answer.json()["choices"][0]["message"]["content"] == "hello there"
    assert [record.outcome for record in sink.records] == ["ok"]
    assert [row["id"] for row in providers.json()["data"]] == ["demo-a", "demo-b", "demo-c"]
    assert models.json()["data"][0]["provider"] == "demo-b"

    async with create_app(settings).running() as app, client_of(app) as client:
        assert app.first_start is None
        assert "sk-omg-" not in banner(settings, app.gateway, "http://here")
        assert (await client.post("/v1/chat/completions", json=ASK, headers=key)).status_code == 200


async def test_the_data_folder_is_private(tmp_path: Path) -> None:
    """S-35."""
    async with create_app(settings_in(tmp_path)).running():
        folder = tmp_path / "data"
        inside = [*folder.rglob("*")]
        folders = {stat.S_IMODE(path.stat().st_mode) for path in (folder, *inside) if path.is_dir()}
        files = {stat.S_IMODE(path.stat().st_mode) for path in inside if path.is_file()}

    assert {path.name for path in inside} >= {"omg.db", "master.key"}
    assert (folders, files) == ({0o700}, {0o600})


async def test_without_any_provider_it_starts_and_says_what_to_set(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    async with create_app(settings).running() as app, client_of(app) as client:
        text = banner(settings, app.gateway, "http://here")
        ready = await client.get("/health/ready")

    assert ready.status_code == 200
    assert "OPENROUTER_API_KEY" in text
    assert "--demo" in text


async def test_a_newcomer_is_sent_where_something_is_free_today(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    async with create_app(settings).running() as app:
        text = banner(settings, app.gateway, "http://here")

    assert "GROQ_API_KEY" in text
    assert "30 requests a minute, 1,000 requests a day" in text
    assert "CEREBRAS_API_KEY" not in text


async def test_a_banner_never_shows_what_the_settings_gave(tmp_path: Path) -> None:
    token, key = "Vq8mZ2xK7tR4wB9cN6pL3sD5fH1jG0aY", "Kp3nX8vB5mQ1zW7cT4rL9sD2fH6jG0aE"
    settings = settings_in(tmp_path, OMG_ADMIN_TOKEN=token, OMG_BOOTSTRAP_KEY=key)

    async with create_app(settings).running() as app:
        text = banner(settings, app.gateway, "http://here")

    assert token not in text
    assert key not in text
    assert "$OMG_BOOTSTRAP_KEY" in text


async def test_open_access_needs_no_key(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, OMG_AUTH="open", OMG_DEMO="1")

    async with create_app(settings).running() as app, client_of(app) as client:
        assert (await client.post("/v1/chat/completions", json=ASK)).status_code == 200
        assert "Authorization" not in banner(settings, app.gateway, "http://here")


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async with create_app(settings_in(tmp_path)).running():
        pass
    database = sqlite3.connect(tmp_path / "data" / "omg.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    with pytest.raises(SettingsError, match="9999"):
        async with create_app(settings_in(tmp_path)).running():
            pass


async def test_master_keys_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """S-11."""
    with pytest.raises(SettingsError, match="OMG_MASTER_KEYS"):
        async with create_app(settings_in(tmp_path, OMG_MASTER_KEYS="k1:c2hvcnQ=")).running():
            pass


async def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")

    with pytest.raises(SettingsError, match="OMG_DATA_DIR"):
        async with create_app(settings_in(tmp_path)).running():
            pass


async def test_a_failed_start_is_told_to_the_server_and_kept_for_the_command_line(tmp_path: Path) -> None:
    app, sent = create_app(settings_in(tmp_path)), list[str]()
    (tmp_path / "data").write_text("a file came in the way after the settings were checked")

    async def receive() -> dict[str, object]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    await app({"type": "lifespan"}, receive, send)

    assert sent == ["lifespan.startup.failed"]
    assert isinstance(app.failure, SettingsError)


def test_the_transport_setting_offers_the_transports_there_are() -> None:
    choices = get_args(get_args(field_types()["transport"])[0])

    assert set(choices) == set(get_args(TransportName))
    assert Settings().transport == DEFAULT_TRANSPORT


def test_logging_is_left_alone_by_composing(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]

    create_app(settings_in(tmp_path))

    assert logging.getLogger().handlers == before
