"""`GET /admin/settings`: every setting with its source and its meaning, and no secret."""

from tests.integration.admin_app import SETTINGS, AdminApp


async def test_every_setting_is_listed_with_its_value_its_source_and_what_it_means() -> None:
    async with (await AdminApp.make()).client() as http:
        answer = await http.get("/admin/settings")

    listed = {each["variable"]: each for each in answer.json()["data"]}
    level, connect = listed["OMG_LOG_LEVEL"], listed["OMG_TIMEOUT_CONNECT"]
    assert (level["value"], level["default"], level["source"], level["key"]) == (
        "debug", "info", "environment", "log_level"
    )  # fmt: skip
    assert (connect["value"], connect["source"], connect["key"]) == (3.0, "omg.yaml", "timeouts.connect")
    assert listed["OMG_ALLOWED_HOSTS"]["value"] == ["localhost"]
    assert (listed["OMG_PORT"]["source"], listed["OMG_DATA_DIR"]["value"]) == ("default", "data")
    assert (listed["OMG_DEFAULT_RPM"]["value"], listed["OMG_DEFAULT_RPM"]["set"]) == (None, False)
    assert [name for name, each in listed.items() if not each["meaning"]] == []


async def test_of_a_secret_only_whether_it_is_set_is_told() -> None:
    async with (await AdminApp.make()).client() as http:
        answer = await http.get("/admin/settings")

    secrets = {each["variable"]: each for each in answer.json()["data"] if each["masked"]}
    assert {"OMG_DATABASE_URL", "OMG_ADMIN_TOKEN", "OMG_MASTER_KEYS", "OMG_SMTP_URL"} <= secrets.keys()
    assert {name for name, each in secrets.items() if each["set"]} == {"OMG_DATABASE_URL"}
    assert {each["value"] for each in secrets.values()} == {None}
    for part in (SETTINGS.database_url.reveal(), "correct-horse"):
        assert part not in answer.text
