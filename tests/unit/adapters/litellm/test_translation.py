"""LiteLLM's config.yaml and rows become a document, and what is otherwise there becomes a note."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from adapters.litellm.translation import Carried, Installation, carried

DIGEST = "ab" * 32

CONFIG = """
model_list:
  - model_name: smart
    litellm_params: {model: anthropic/claude-x, api_key: os.environ/ANTHROPIC_API_KEY, weight: 3}
  - model_name: smart
    litellm_params: {model: openai/gpt-x, api_key: sk-in-the-file-0123, weight: 1}
  - model_name: local
    litellm_params:
      model: hosted_vllm/llama-x
      api_base: http://vllm:8000/v1
      input_cost_per_token: 1e-7
      output_cost_per_token: 2e-7
    model_info: {access_groups: [Cheap Ones]}
  - model_name: deployed
    litellm_params:
      {model: azure/dep-1, api_base: os.environ/AZURE_BASE, api_key: os.environ/AZURE_KEY, api_version: "2025-01-01"}
  - model_name: on-aws
    litellm_params:
      model: bedrock/converse/some.model
      aws_region_name: eu-west-1
      aws_access_key_id: AKIA0123456789
      aws_secret_access_key: secret-0123
  - model_name: bare
    litellm_params: {model: gpt-x}
  - model_name: groq/*
    litellm_params: {model: groq/*, api_key: os.environ/NOT_SET}
router_settings:
  routing_strategy: simple-shuffle
  fallbacks: [{smart: [local]}]
  model_group_alias: {clever: smart}
litellm_settings:
  default_fallbacks: [bare]
"""


def translated(
    config: str | Mapping[str, Any] = "", tables: Mapping[str, Any] | None = None, *, approximate: bool = False
) -> Carried:
    document = yaml.safe_load(config) if isinstance(config, str) else config
    variables = {
        "ANTHROPIC_API_KEY": "sk-ant-0123456789",
        "AZURE_BASE": "https://x.openai.azure.com",
        "AZURE_KEY": "az",
    }
    here = Installation(variables, {"cerebras"}, frozenset({"chat.completions", "embeddings"}))
    return carried(document or {}, tables or {}, "", here, approximate=approximate)


def whys(found: Carried, what: str) -> list[str]:
    return [note.why for note in found.notes if what in note.what]


def by(found: Carried, section: str, field: str) -> dict[Any, dict[str, Any]]:
    return {entry[field]: entry for entry in found.document.get(section, [])}


def test_each_address_becomes_one_provider_with_its_keys_by_reference() -> None:
    found = translated(CONFIG)
    providers = by(found, "providers", "id")

    assert list(providers) == [
        "anthropic",
        "openai",
        "vllm-vllm",
        "azure-x-openai-azure-com",
        "bedrock",
        "groq",
    ]
    assert providers["anthropic"]["keys"] == [{"label": "ANTHROPIC_API_KEY", "secret": "env:ANTHROPIC_API_KEY"}]
    assert providers["azure-x-openai-azure-com"]["settings"] == {"preset": "azure", "api_version": "2025-01-01"}
    assert providers["vllm-vllm"]["settings"] == {"preset": "vllm", "allow_private_network": True}
    assert providers["bedrock"]["settings"]["location"] == "eu-west-1"


def test_a_secret_in_the_file_is_beside_the_document_and_never_in_it() -> None:
    found = translated(CONFIG)

    aws, plain = sorted(found.secrets.values(), key=len, reverse=True)
    assert plain == "sk-in-the-file-0123"
    assert '"access_key_id":"AKIA0123456789"' in aws
    assert "0123" not in str(found.document)
    assert "NOT_SET" in whys(found, "key of provider groq")[0]


def test_a_name_with_several_deployments_is_a_route_by_their_weights_and_falls_back_at_last() -> None:
    routes = by(translated(CONFIG), "routes", "alias")

    assert routes["smart"]["strategy"] == "weighted"
    assert [(target["provider"], target.get("weight")) for target in routes["smart"]["targets"]] == [
        ("anthropic", 3.0),
        ("openai", 1.0),
        ("vllm-vllm", 0.0),
    ]
    assert routes["clever"]["targets"] == routes["smart"]["targets"]
    assert [target["model"] for target in routes["deployed"]["targets"]] == ["dep-1", "gpt-x"]
    assert "groq/*" not in routes


def test_prices_are_by_the_million_and_access_groups_are_model_groups() -> None:
    found = translated(CONFIG)

    assert found.document["models"] == [
        {"provider": "vllm-vllm", "model": "llama-x", "prices": {"input": "0.1", "output": "0.2"}}
    ]
    assert found.document["model_groups"] == [{"name": "cheap-ones", "patterns": ["vllm-vllm/llama-x"]}]


def test_the_same_input_gives_the_same_document() -> None:
    assert translated(CONFIG) == translated(CONFIG)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"model": "watsonx/some"}, "not known here"),
        ({"model": "azure/dep"}, "no api_base"),
        ({"model": "openai/m", "extra_headers": {"a": "b"}}, "extra_headers"),
        ({"model": "openai/m", "input_cost_per_token": 1e-6}, "both input and output"),
        ({"model": "openai/m", "api_base": "os.environ/ABSENT"}, "ABSENT"),
    ],
)
def test_a_deployment_that_is_not_carried_as_it_is_says_why(params: dict[str, object], said: str) -> None:
    found = translated({"model_list": [{"model_name": "one", "litellm_params": params}]})

    assert any(said in why for why in whys(found, "one"))


@pytest.mark.parametrize(
    "config",
    [
        {"model_list": None},
        {"model_list": "a"},
        {"model_list": ["a", {}, {"model_name": "x"}, {"litellm_params": {}}]},
        {"router_settings": [], "litellm_settings": "x", "environment_variables": None},
        {"router_settings": {"fallbacks": {"a": ["b"]}, "model_group_alias": ["x"], "default_fallbacks": "nobody"}},
    ],
    ids=["null", "text", "parts", "other types", "routing"],
)
def test_what_is_no_configuration_makes_nothing_and_breaks_nothing(config: dict[str, Any]) -> None:
    assert translated(config).document == {}


def test_a_provider_that_the_environment_declares_is_not_made_again() -> None:
    params = {"model": "cerebras/m", "api_key": "os.environ/CEREBRAS_API_KEY"}
    found = translated({"model_list": [{"model_name": "quick", "litellm_params": params}]})

    assert "providers" not in found.document
    assert by(found, "routes", "alias")["quick"]["targets"] == [{"provider": "cerebras", "model": "m"}]
    assert "already" in whys(found, "provider cerebras")[0]


def key_row(**changes: object) -> dict[str, object]:
    return {"token": DIGEST, "key_name": "sk-...wxyz", "key_alias": "one", "models": [], "metadata": "{}"} | changes


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([], None),
        (["*"], None),
        (["all-proxy-models"], None),
        (["smart"], ["anthropic/claude-x", "openai/gpt-x"]),
        (["clever"], ["anthropic/claude-x", "openai/gpt-x"]),
        (["Cheap Ones"], ["@cheap-ones"]),
        (["azure/*"], ["azure-x-openai-azure-com/*"]),
        (["no-default-models"], []),
        (["gone"], ["gone"]),
    ],
    ids=str,
)
def test_lists_of_models_let_what_they_let_there(models: list[str], expected: list[str] | None) -> None:
    """An empty list lets everything there and nothing here: the widest mistake that there is to make (S-01)."""
    found = translated(CONFIG, {"VerificationToken": [key_row(models=models)]})

    assert found.document["keys"][0]["allowed_models"] == expected


def test_a_key_keeps_its_digest_and_its_last_four() -> None:
    (key,) = translated("", {"VerificationToken": [key_row()]}).document["keys"]

    assert key["secret"] == f"sha256:{DIGEST}:wxyz"
    assert key["tenant_id"] == "Default"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocked": True}, "blocked"),
        ({"allowed_routes": ["management_routes"]}, "no model"),
        ({"token": "sk-plain"}, "SHA-256"),
        ({"team_id": "gone"}, "gone"),
    ],
)
def test_a_key_that_would_be_more_here_than_there_is_not_made(changes: dict[str, object], said: str) -> None:
    found = translated("", {"VerificationToken": [key_row(**changes)]})

    assert "keys" not in found.document
    assert said in whys(found, "key one")[0]


@pytest.mark.parametrize(
    ("duration", "period"),
    [
        (None, "never"), ("1d", "day"), ("24h", "day"), ("7d", "week"), ("1w", "week"), ("30d", "month"),
        ("1mo", "month"),
        ("14d", None), ("5h", None), ("90m", None), ("2mo", None), ("soon", None),
    ],
)  # fmt: skip
def test_durations_are_carried_where_their_periods_begin_alike(duration: str | None, period: str | None) -> None:
    row = key_row(max_budget=3.5, budget_duration=duration)
    found = translated("", {"VerificationToken": [row]})
    budgets: Any = found.document["keys"][0].get("budgets", [])

    assert [budget["period"] for budget in budgets] == ([period] if period else [])
    assert bool(whys(found, "budget of key one")) is (period is None)


def test_the_nearest_period_is_taken_only_where_that_is_asked_for() -> None:
    row = key_row(max_budget=3.5, budget_duration="5h")
    budgets: Any = translated("", {"VerificationToken": [row]}, approximate=True).document["keys"][0]["budgets"]

    assert [(budget["period"], budget["limit_usd"]) for budget in budgets] == [("rolling_5h", "3.5")]


def test_a_budget_warns_where_the_soft_one_did_and_lets_models_without_a_price_as_there() -> None:
    row = key_row(budget_id="b")
    tables = {"VerificationToken": [row], "BudgetTable": [{"budget_id": "b", "max_budget": "10", "soft_budget": 8.0}]}
    budgets: Any = translated("", tables).document["keys"][0]["budgets"]

    assert budgets == [{"limit_usd": "10", "period": "never", "unpriced": "allow", "warn_at": [0.8]}]


def test_a_viewer_who_has_a_key_in_a_team_is_a_member_of_it() -> None:
    tables = {
        "UserTable": [{"user_id": "u", "user_email": "Bob@Example.org", "user_role": "internal_user_viewer"}],
        "TeamTable": [{"team_id": "t", "team_alias": "ML", "members_with_roles": '[{"user_id": "u", "role": "user"}]'}],
        "VerificationToken": [key_row(team_id="t", user_id="u")],
    }
    found = translated("", tables)

    assert [(member["email"], member["role"]) for member in found.document["members"]] == [
        ("bob@example.org", "member")
    ]
    assert found.document["keys"][0]["owner_id"] == "bob@example.org"


def test_keys_of_one_name_get_another_by_their_digests() -> None:
    rows = [key_row(), key_row(token="cd" * 32)]

    names = [key["name"] for key in translated("", {"VerificationToken": rows}).document["keys"]]

    assert names == ["one abababab", "one cdcdcdcd"]


def test_aliases_that_mean_different_things_to_different_teams_are_told() -> None:
    tables = {
        "ModelTable": [{"id": 1, "aliases": '{"best": "smart"}'}, {"id": 2, "aliases": {"best": "local"}}],
        "TeamTable": [
            {"team_id": "a", "team_alias": "A", "model_id": 1},
            {"team_id": "b", "team_alias": "B", "model_id": 2},
        ],
    }
    found = translated(CONFIG, tables)

    assert by(found, "routes", "alias")["best"]["targets"] == by(found, "routes", "alias")["smart"]["targets"]
    assert "something else" in whys(found, "alias best of team B")[0]
