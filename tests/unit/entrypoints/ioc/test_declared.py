"""Providers and keys that variables, the settings file and the demo declare."""

from pathlib import Path

import pytest

from application.configuration.new_providers import FILE_PRIORITY
from application.snapshot import DeclaredConfig
from domain.ports.providers import ProviderRegistry
from domain.providers import ProviderPreset
from entrypoints.ioc.declared import declared_config
from entrypoints.ioc.upstream import build_registry
from entrypoints.settings.loading import load_settings
from entrypoints.settings.model import SettingsError
from tests.fakes.clock import FakeClock
from tests.fakes.providers import FakeRegistry


def a_preset(preset_id: str, *env: str, base_url: str = "https://up.example/v1", **fields: object) -> ProviderPreset:
    return ProviderPreset(preset_id, "openai", preset_id.title(), base_url, env, 100, **fields)  # type: ignore[arg-type]  # facts are test data


def declared(tmp_path: Path, registry: ProviderRegistry, file: str = "", **environ: str) -> DeclaredConfig:
    (tmp_path / "omg.yaml").write_text(file)
    return declared_config(load_settings(environ=environ, folder=tmp_path), registry, FakeClock())


CLOUD = a_preset("cloud", "CLOUD_API_KEY", "CLOUD_TOKEN")
LOCAL = a_preset("local", "LOCAL_HOST", "LOCAL_API_KEY", base_url="http://127.0.0.1:11434/v1", requires_key=False)


def test_a_providers_usual_variable_switches_it_on(tmp_path: Path) -> None:
    config = declared(tmp_path, FakeRegistry(presets=[CLOUD, LOCAL]), CLOUD_API_KEY=" key-one ")

    (provider,), (key,) = config.providers, config.keys
    assert (provider.id, provider.owner, provider.base_url, provider.enabled) == ("cloud", "environment", None, True)
    assert (key.id, key.secret.reveal(), key.owner) == ("pk_env_cloud", "key-one", "environment")


def test_a_key_that_is_all_that_a_variables_file_holds_is_renewed_there(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("key-one\n")
    (tmp_path / "two").write_text("key-two,key-three\n")
    environ = {"CLOUD_API_KEY": f"file:{tmp_path / 'one'}", "CLOUD_API_KEY_2": f"file:{tmp_path / 'two'}"}

    config = declared(tmp_path, FakeRegistry(presets=[CLOUD, LOCAL]), **environ)

    assert [key.secret.reveal() for key in config.keys] == ["key-one", "key-two", "key-three"]
    assert config.references == {"pk_env_cloud": f"file:{tmp_path / 'one'}"}


def test_the_first_variable_that_is_set_holds_the_key(tmp_path: Path) -> None:
    registry = FakeRegistry(presets=[CLOUD])

    assert declared(tmp_path, registry, CLOUD_TOKEN="second").keys[0].secret.reveal() == "second"
    both = declared(tmp_path, registry, CLOUD_TOKEN="second", CLOUD_API_KEY="first")
    assert [key.secret.reveal() for key in both.keys] == ["first"]


def test_an_ambient_variable_switches_on_without_a_stored_key(tmp_path: Path) -> None:
    cloud = a_preset("aws", "AWS_BEARER_TOKEN_BEDROCK", requires_key=False, ambient=("AWS_ACCESS_KEY_ID",))

    config = declared(tmp_path, FakeRegistry(presets=[cloud]), AWS_ACCESS_KEY_ID="AKID")

    assert [provider.id for provider in config.providers] == ["aws"]
    assert config.keys == ()


def test_nothing_set_declares_nothing(tmp_path: Path) -> None:
    assert declared(tmp_path, FakeRegistry(presets=[CLOUD, LOCAL]), CLOUD_API_KEY="  ") == DeclaredConfig()


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("gpu.lan:80", "http://gpu.lan:80"),
        ("https://ollama.example/", "https://ollama.example"),
        ("http://host:1/v1", "http://host:1/v1"),
        ("[::1]", "http://[::1]:11434"),
    ],
)
def test_a_local_server_is_switched_on_by_its_address(tmp_path: Path, value: str, url: str) -> None:
    config = declared(tmp_path, FakeRegistry(presets=[LOCAL]), LOCAL_HOST=value)

    assert [provider.base_url for provider in config.providers] == [url]
    assert config.keys == ()


def test_an_account_id_alone_is_no_credential(tmp_path: Path) -> None:
    registry = FakeRegistry(presets=[a_preset("cf", "CF_TOKEN", "CF_ACCOUNT_ID")])

    assert declared(tmp_path, registry, CF_ACCOUNT_ID="abc") == DeclaredConfig()
    assert [key.secret.reveal() for key in declared(tmp_path, registry, CF_ACCOUNT_ID="a", CF_TOKEN="t").keys] == ["t"]


def test_an_endpoint_is_an_address_and_no_key(tmp_path: Path) -> None:
    azure = a_preset("azure", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", base_url="")
    registry = FakeRegistry(presets=[azure])

    config = declared(
        tmp_path, registry, AZURE_OPENAI_ENDPOINT="https://res.openai.azure.com/", AZURE_OPENAI_API_KEY="k"
    )

    assert [provider.base_url for provider in config.providers] == ["https://res.openai.azure.com"]
    assert [key.secret.reveal() for key in config.keys] == ["k"]
    assert declared(tmp_path, registry, AZURE_OPENAI_ENDPOINT="https://res.openai.azure.com/") == DeclaredConfig()


def test_the_file_declares_with_defaults_from_the_preset(tmp_path: Path) -> None:
    file = """
    providers:
      cloud: {priority: 3, keys: [{secret: one}, {secret: two, label: spare, weight: 4}]}
      lab: {base_url: "http://10.0.0.5/v1", name: The Lab}
    """

    config = declared(tmp_path, FakeRegistry(presets=[CLOUD]), file)

    assert [(p.id, p.name, p.priority, p.owner) for p in config.providers] == [
        ("cloud", "Cloud", 3, "file"),
        ("lab", "The Lab", FILE_PRIORITY, "file"),
    ]
    assert [(key.id, key.label, key.weight) for key in config.keys] == [
        ("pk_file_cloud_1", "1", 1),
        ("pk_file_cloud_spare", "spare", 4),
    ]


def test_the_file_may_leave_the_key_to_the_environment(tmp_path: Path) -> None:
    registry, file = FakeRegistry(presets=[CLOUD]), "providers: [{id: cloud, priority: 1}]"

    config = declared(tmp_path, registry, file, CLOUD_API_KEY="from-variable")
    own = declared(tmp_path, registry, file[:-2] + ", keys: [{secret: own}]}]", CLOUD_API_KEY="from-variable")

    assert [(p.id, p.owner, p.priority) for p in config.providers] == [("cloud", "file", 1)]
    assert [key.secret.reveal() for key in config.keys] == ["from-variable"]
    assert [key.secret.reveal() for key in own.keys] == ["own"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("providers: [{id: Bad Id, base_url: 'http://x'}]", "providers (Bad Id): A provider id is"),
        ("providers: [{id: v1, base_url: 'http://x'}]", "providers (v1): 'v1' is the name of a route"),
        ("providers: [{id: lab}]", "providers (lab): Provider kind 'openai' needs a base_url"),
        ("providers: [{id: lab, kind: unknown, base_url: 'http://x'}]", "providers (lab): There is no provider kind"),
    ],
)
def test_a_declared_provider_that_cannot_be_is_one_line(tmp_path: Path, file: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        declared(tmp_path, FakeRegistry(), file)

    assert str(raised.value).startswith(message)


def test_every_known_provider_that_needs_a_key_is_switched_on_by_its_variable(tmp_path: Path) -> None:
    """The registry's own rows, so that none has a variable that this does not read."""
    registry = build_registry(load_settings(environ={}, folder=tmp_path))
    for preset in registry.presets():
        if preset.requires_key and preset.env:
            config = declared(tmp_path, registry, **{preset.env[0]: "some-key-0123456789"})
            assert preset.id in {provider.id for provider in config.providers}
            assert f"pk_env_{preset.id}" in {key.id for key in config.keys}


def test_several_keys_of_a_provider_come_from_commas_and_numbered_variables(tmp_path: Path) -> None:
    config = declared(
        tmp_path, FakeRegistry(presets=[CLOUD]), CLOUD_API_KEY='"one", two', CLOUD_API_KEY_2="three", CLOUD_TOKEN="no"
    )

    assert [(key.id, key.label, key.secret.reveal()) for key in config.keys] == [
        ("pk_env_cloud", "environment", "one"),
        ("pk_env_cloud_2", "environment_2", "two"),
        ("pk_env_cloud_3", "environment_3", "three"),
    ]


def test_a_placeholder_switches_nothing_on_and_the_next_variable_is_looked_at(tmp_path: Path) -> None:
    assert declared(tmp_path, FakeRegistry(presets=[CLOUD]), CLOUD_API_KEY="your-api-key").providers == ()
    both = declared(tmp_path, FakeRegistry(presets=[CLOUD]), CLOUD_API_KEY="<key>", CLOUD_TOKEN="real")
    assert [key.secret.reveal() for key in both.keys] == ["real"]


@pytest.mark.parametrize("value", ["two words", "k\u00e9y", "a\x01b", "k1" * 5000, '{"broken": '])
def test_a_key_that_no_header_can_carry_is_one_line_that_names_its_variable(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        declared(tmp_path, FakeRegistry(presets=[CLOUD]), CLOUD_API_KEY=value)

    assert str(raised.value).startswith("CLOUD_API_KEY: ")
    assert "\n" not in str(raised.value)
    assert value not in str(raised.value)
