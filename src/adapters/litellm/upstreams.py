"""LiteLLM's deployments as providers with their keys and prices: one provider for each address that is called."""

import hashlib
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

import msgspec

from adapters.litellm.source import Deployment
from adapters.litellm.values import Fields, Notes, number, plain, text

PRESETS: Final[Mapping[str, str]] = {
    "openai": "openai",
    "text-completion-openai": "openai",
    "azure": "azure",
    "azure_text": "azure",
    "anthropic": "anthropic",
    "anthropic_text": "anthropic",
    "gemini": "gemini",
    "vertex_ai": "vertex",
    "vertex_ai_beta": "vertex",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "groq": "groq",
    "cerebras": "cerebras",
    "mistral": "mistral",
    "codestral": "mistral",
    "openrouter": "openrouter",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "xai": "xai",
    "perplexity": "perplexity",
    "huggingface": "huggingface",
    "nvidia_nim": "nvidia",
    "sambanova": "sambanova",
    "deepinfra": "deepinfra",
    "hosted_vllm": "vllm",
    "vllm": "vllm",
    "lm_studio": "lmstudio",
    "moonshot": "moonshot",
    "dashscope": "dashscope",
    "zai": "zai",
    "novita": "novita",
    "hyperbolic": "hyperbolic",
    "nebius": "nebius",
    "github": "github_models",
    "cloudflare": "cloudflare",
    "vercel_ai_gateway": "vercel_ai_gateway",
}
"""LiteLLM's prefix of a model, and the preset here. Source: litellm.types.utils.LlmProviders (read 2026-11)."""

_OPENAI_LIKE: Final = frozenset(
    {"openai_like", "custom_openai", "litellm_proxy", "llamafile", "text-completion-openai"}
)
_BARE: Final = {
    "claude": "anthropic",
    "gemini": "vertex_ai",
    "command": "cohere_chat",
    "mistral": "mistral",
    "deepseek": "deepseek",
}
"""How a model without a prefix begins, and whose LiteLLM takes it to be; any other is OpenAI's."""

_KINDS: Final = {"anthropic", "azure", "bedrock", "cohere", "gemini", "huggingface", "ollama", "vertex"}
_METERS: Final = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
_NOT_CARRIED: Final = (
    "organization",
    "extra_headers",
    "drop_params",
    "additional_drop_params",
    "max_budget",
    "budget_duration",
    "mock_response",
    "tpm",
    "rpm",
    "timeout",
    "stream_timeout",
    "max_retries",
    "aws_role_name",
    "aws_session_name",
    "aws_profile_name",
    "vertex_credentials",
    "tenant_id",
    "client_id",
    "client_secret",
    "azure_ad_token",
)
_WITH_MEANING_FOR_ROUTES: Final = frozenset({"tpm", "rpm"})


class Upstream(msgspec.Struct, frozen=True):
    """Where a deployment's calls go here: a provider's id, and the model's id at it."""

    provider: str
    model: str


class Upstreams:
    """Makes providers of deployments; each that goes to the same address is the same one."""

    def __init__(
        self, variables: Mapping[str, str], own: Mapping[str, str], declared: Collection[str], notes: Notes
    ) -> None:
        """`variables` are of the environment here, `own` those that LiteLLM's configuration sets."""
        self._variables = variables
        self._own = {name: value for name, value in own.items() if name not in variables}
        self._declared = declared
        self._notes = notes
        self._by_address: dict[tuple[str, ...], str] = {}
        self.providers: dict[str, dict[str, object]] = {}
        self.keys: dict[str, dict[str, dict[str, object]]] = {}
        self.prices: dict[Upstream, dict[str, object]] = {}
        self.secrets: dict[str, str] = {}
        self.prefixes: dict[str, list[str]] = {}

    def add(self, deployment: Deployment) -> Upstream | None:
        """Where its calls go; None where nothing here can make them, which is noted."""
        prefix, model = _split(deployment.params)
        base = self._value(deployment, "api_base") or self._value(deployment, "base_url")
        preset = PRESETS.get(prefix)
        if preset is None and not (base or prefix in _OPENAI_LIKE):
            self._notes.add(f"model {deployment.name}", f"the provider '{prefix}' of LiteLLM is not known here")
            return None
        if (preset == "azure" or prefix in _OPENAI_LIKE) and not base:
            self._notes.add(f"model {deployment.name}", "it has no api_base")
            return None
        provider = self._provider(deployment, prefix, preset, base)
        self._key(deployment, provider)
        upstream = Upstream(provider, model)
        self._price(deployment, upstream)
        self._note_the_rest(deployment)
        return upstream

    def sections(self) -> dict[str, list[dict[str, object]]]:
        """`providers` and `models` of the document."""
        providers = [
            {**fields, "keys": list(self.keys.get(provider_id, {}).values())}
            for provider_id, fields in self.providers.items()
        ]
        return {"providers": providers, "models": list(self.prices.values())}

    def _provider(self, deployment: Deployment, prefix: str, preset: str | None, base: str) -> str:
        params = deployment.params
        version = self._value(deployment, "api_version") if preset == "azure" else ""
        location = text(params.get("aws_region_name") or params.get("vertex_location"))
        project = text(params.get("vertex_project"))
        address = (preset or prefix, base.rstrip("/"), version, location, project)
        if (known := self._by_address.get(address)) is not None:
            return known
        provider_id = self._free_id(preset, prefix, base, location)
        self._by_address[address] = provider_id
        self.prefixes.setdefault(prefix, []).append(provider_id)
        if provider_id in self._declared:
            self._notes.add(f"provider {provider_id}", "it is set up here already, by the environment or the file")
            return provider_id
        settings: dict[str, object] = {}
        if preset is not None and preset != provider_id:
            settings["preset"] = preset
        places = {"api_version": version, "location": location, "project": project}
        settings |= {name: value for name, value in places.items() if value}
        if base and _is_private_name(base):
            settings["allow_private_network"] = True
        kind = preset if preset in _KINDS else "openai"
        fields: dict[str, object] = {"id": provider_id, "kind": kind, "name": provider_id}
        if base:
            fields["base_url"] = base
        self.providers[provider_id] = fields | ({"settings": settings} if settings else {})
        return provider_id

    def _free_id(self, preset: str | None, prefix: str, base: str, location: str) -> str:
        """The preset's own id for its own address, and one with the host or the place for each other."""
        name = preset or re.sub(r"[^a-z0-9_-]+", "-", prefix.lower()).strip("-") or "imported"
        place = (urlsplit(base).hostname or "") if base else location
        slug = re.sub(r"[^a-z0-9_-]+", "-", f"{name}-{place}".lower()).strip("-")[:60]
        wanted = name if preset is not None and not base and name not in self._by_address.values() else slug
        taken = set(self._by_address.values())
        return next(
            each for n in range(1, len(taken) + 3) if (each := wanted if n == 1 else f"{wanted}-{n}") not in taken
        )

    def _key(self, deployment: Deployment, provider: str) -> None:
        given = text(deployment.params.get("api_key"))
        reference, label = "", ""
        if "api_key" in deployment.unreadable:
            self._notes.add(
                f"key of provider {provider}",
                f"the api_key of model {deployment.name} does not open with this LITELLM_SALT_KEY: enter it by hand",
            )
            return
        access, secret = (self._value(deployment, f"aws_{name}") for name in ("access_key_id", "secret_access_key"))
        if access and secret:
            session = self._value(deployment, "aws_session_token")
            parts = {"access_key_id": access, "secret_access_key": secret} | (
                {"session_token": session} if session else {}
            )
            given = msgspec.json.encode(parts).decode()
        if given.startswith("os.environ/"):
            label = given.removeprefix("os.environ/")
            reference = f"env:{label}"
            if provider in self._declared:
                return
            if not (self._variables.get(label) or self._own.get(label)):
                self._notes.add(
                    f"key of provider {provider}", f"the variable {label} is not set here: set it, and import again"
                )
                return
            if label in self._own:
                self.secrets[reference] = self._own[label]
        elif given:
            label = f"litellm-{hashlib.sha256(given.encode()).hexdigest()[:8]}"
            reference = f"litellm:{label}"
            self.secrets[reference] = given
        if reference:
            keys = self.keys.setdefault(provider, {})
            keys.setdefault(label, {"label": label, "secret": reference})
            if len(keys) == 2:
                self._notes.add(
                    f"keys of provider {provider}",
                    "there one key served some models, here each serves all of the provider",
                )

    def _price(self, deployment: Deployment, upstream: Upstream) -> None:
        given = {meter: number(_either(deployment, name)) for meter, name in _METERS.items()}
        if given["input"] is None and given["output"] is None:
            return
        if given["input"] is None or given["output"] is None or min(v for v in given.values() if v is not None) < 0:
            self._notes.add(f"price of model {deployment.name}", "it has no price for both input and output")
            return
        prices = {meter: plain(value * Decimal(1_000_000)) for meter, value in given.items() if value is not None}
        entry: dict[str, object] = {"provider": upstream.provider, "model": upstream.model, "prices": prices}
        if self.prices.setdefault(upstream, entry) != entry:
            self._notes.add(f"price of model {deployment.name}", "the same model has another price in another entry")

    def _value(self, deployment: Deployment, name: str) -> str:
        """A parameter, or the variable that it names; empty where that is not set, which is noted."""
        given = text(deployment.params.get(name))
        if not given.startswith("os.environ/"):
            return given
        variable = given.removeprefix("os.environ/")
        found = self._variables.get(variable) or self._own.get(variable, "")
        if not found:
            self._notes.add(
                f"model {deployment.name}", f"its {name} is in the variable {variable}, which is not set here"
            )
        return found

    def _note_the_rest(self, deployment: Deployment) -> None:
        there = [name for name in _NOT_CARRIED if deployment.params.get(name) not in (None, "", [], {}, False)]
        there = [name for name in there if name not in _WITH_MEANING_FOR_ROUTES]
        if there:
            self._notes.add(f"model {deployment.name}", f"not carried: {', '.join(there)}")
        if base_model := text(deployment.info.get("base_model")):
            self._notes.add(
                f"model {deployment.name}", f"its price there is that of {base_model}: set one, if it has none"
            )


def _split(params: Fields) -> tuple[str, str]:
    """LiteLLM's name of the provider, and the model's id at it: `<provider>/<id>` at the first slash."""
    model, said = text(params.get("model")), text(params.get("custom_llm_provider"))
    prefix, slash, rest = model.partition("/")
    if said:
        return said, rest if slash and prefix == said else model
    if slash and (prefix in PRESETS or prefix in _OPENAI_LIKE):
        return prefix, rest.removeprefix("converse/").removeprefix("invoke/") if prefix == "bedrock" else rest
    if slash:
        return prefix, rest
    return next((owner for begin, owner in _BARE.items() if model.startswith(begin)), "openai"), model


def _either(deployment: Deployment, name: str) -> object:
    return deployment.params.get(name, deployment.info.get(name))


def _is_private_name(base: str) -> bool:
    """A name as containers and clusters have it: LiteLLM calls such ones without being told to."""
    host = urlsplit(base).hostname or ""
    return (
        bool(host)
        and host != "localhost"
        and ("." not in host or host.endswith((".local", ".internal", ".svc", ".lan")))
    )
