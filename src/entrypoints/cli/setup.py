"""`omg setup`: the settings with which a client speaks to this gateway, ready to paste.

Source: Claude Code 2.1.329 and Codex 0.169.0 (read 2026-11), and the pages of the others' settings (read 2026-11).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

from entrypoints.cli.gateway_client import DEFAULT_PORT
from entrypoints.settings.documents import read_dotenv

_NO_KEY = "sk-omg-…"

_url = click.option("--url", help="The gateway's URL (OMG_URL, http://127.0.0.1:8000).")
_key = click.option("--key", help="The virtual key the client sends (OMG_BOOTSTRAP_KEY); see `omg keys create`.")
_model = click.option("--model", default="auto", show_default=True, help="A model as the gateway names it.")


@click.group(name="setup")
def command() -> None:
    """Print a client's settings, ready to paste."""


@command.command()
@_url
@_key
@_model
@click.option("--small-model", help="For background work such as titles. Default: the same model.")
def claude(url: str | None, key: str | None, model: str, small_model: str | None) -> None:
    """Claude Code: environment variables."""
    url, key = _resolved(url, key)
    lines = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": key,
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": small_model or model,
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    click.echo("# Claude Code: run these in the shell, then `claude`. For good, put them under `env` in")
    click.echo("# ~/.claude/settings.json. Where the model's limit is below 32000 tokens of output, also set")
    click.echo("# CLAUDE_CODE_MAX_OUTPUT_TOKENS to it.")
    for name, value in lines.items():
        click.echo(f'export {name}="{value}"')
    _say_what_is_missing(key)


@command.command()
@_url
@_key
@_model
def codex(url: str | None, key: str | None, model: str) -> None:
    """Codex: ~/.codex/config.toml, and the variable with the key."""
    url, key = _resolved(url, key)
    click.echo(f"""\
# Codex: put this into ~/.codex/config.toml …
model = "{model}"
model_provider = "omg"

[model_providers.omg]
name = "Open Model Gateway"
base_url = "{url}/v1"
env_key = "OMG_KEY"
wire_api = "responses"
supports_websockets = false

# … and run this in the shell, then `codex`:
# export OMG_KEY="{key}"
""", nl=False)  # fmt: skip
    _say_what_is_missing(key)


@command.command()
@_url
@_key
@_model
def opencode(url: str | None, key: str | None, model: str) -> None:
    """opencode: opencode.json, and the variable with the key."""
    url, key = _resolved(url, key)
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Open Model Gateway",
        "options": {"baseURL": f"{url}/v1", "apiKey": "{env:OMG_KEY}"},
        "models": {model: {"name": model}},
    }
    settings = {"$schema": "https://opencode.ai/config.json", "model": f"omg/{model}", "provider": {"omg": provider}}
    click.echo("# opencode: put this into ~/.config/opencode/opencode.json …")
    _print_json(settings, key, "opencode")


@command.command()
@_url
@_key
@_model
def crush(url: str | None, key: str | None, model: str) -> None:
    """Crush: crush.json, and the variable with the key."""
    url, key = _resolved(url, key)
    models = [{"id": model, "name": model, "context_window": 128_000, "default_max_tokens": 16_000}]
    provider = {"type": "openai-compat", "base_url": f"{url}/v1", "api_key": "$OMG_KEY", "models": models}
    settings = {"$schema": "https://charm.land/crush.json", "providers": {"omg": provider}}
    click.echo("# Crush: put this into ~/.config/crush/crush.json …")
    _print_json(settings, key, "crush")


@command.command()
@_url
@_key
@_model
def qwen(url: str | None, key: str | None, model: str) -> None:
    """Qwen Code: environment variables."""
    url, key = _resolved(url, key)
    _exports("Qwen Code", "qwen", {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": key, "OPENAI_MODEL": model})


@command.command()
@_url
@_key
@_model
def copilot(url: str | None, key: str | None, model: str) -> None:
    """GitHub Copilot CLI: environment variables for a provider of one's own."""
    url, key = _resolved(url, key)
    lines = {
        "COPILOT_PROVIDER_TYPE": "openai",
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1",
        "COPILOT_PROVIDER_API_KEY": key,
        "COPILOT_MODEL": model,
    }
    _exports("GitHub Copilot CLI", "copilot", lines)


@command.command()
@_url
@_key
@_model
def gemini(url: str | None, key: str | None, model: str) -> None:
    """Gemini CLI: environment variables."""
    url, key = _resolved(url, key)
    lines = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": key, "GEMINI_MODEL": model}
    _exports("Gemini CLI", "gemini", lines)


_UNTRIED = "# Written after the client's own documentation, and not tried against this version of it."


def _exports(name: str, program: str, lines: Mapping[str, str]) -> None:
    click.echo(_UNTRIED)
    click.echo(f"# {name}: run these in the shell, then `{program}`.")
    for variable, value in lines.items():
        click.echo(f'export {variable}="{value}"')
    _say_what_is_missing(next(value for name, value in lines.items() if name.endswith("_API_KEY")))


def _print_json(settings: Mapping[str, object], key: str, program: str) -> None:
    click.echo(_UNTRIED)
    click.echo(json.dumps(settings, indent=2))
    click.echo(f"# … and run this in the shell, then `{program}`:")
    click.echo(f'# export OMG_KEY="{key}"')
    _say_what_is_missing(key)


def _resolved(url: str | None, key: str | None) -> tuple[str, str]:
    values = read_dotenv(Path(".env")) | {name: value for name, value in os.environ.items() if value}
    default = f"http://127.0.0.1:{values.get('OMG_PORT', DEFAULT_PORT)}"
    found = (url or values.get("OMG_URL") or default).rstrip("/").removesuffix("/v1")
    return found, key or values.get("OMG_BOOTSTRAP_KEY") or _NO_KEY


def _say_what_is_missing(key: str) -> None:
    if key == _NO_KEY:
        click.echo(
            f"Put a virtual key in place of {_NO_KEY}: `omg serve` printed one on its first start, "
            "and `omg keys create` makes more.",
            err=True,
        )
