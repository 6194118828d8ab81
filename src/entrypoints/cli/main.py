"""The `omg` command. Each subcommand's module is imported when it is called, so that `--help` is quick."""

import importlib
import sys
from typing import NamedTuple

import click
from typing_extensions import override

from domain.errors import GatewayError, StoreUnavailable
from domain.ports.security import SecretUnreadable
from entrypoints.cli.systems import lacking_module
from entrypoints.settings.model import SettingsError


class Entry(NamedTuple):
    """Where a command's code is, and what `omg --help` says of it."""

    module: str
    summary: str


COMMANDS = {
    "serve": Entry("entrypoints.cli.serve", "Run the gateway."),
    "doctor": Entry("entrypoints.cli.doctor", "Check settings, database, credentials, clock and file modes."),
    "keys": Entry("entrypoints.cli.keys", "Create, list and revoke virtual keys."),
    "tokens": Entry("entrypoints.cli.tokens", "Create, list and revoke admin tokens for automation."),
    "tenants": Entry("entrypoints.cli.tenants", "List, create, change and delete tenants."),
    "users": Entry("entrypoints.cli.users", "List, create, invite, change, disable and delete users."),
    "members": Entry("entrypoints.cli.members", "List, add, change and remove members of a tenant."),
    "groups": Entry("entrypoints.cli.groups", "List, set and delete model groups."),
    "defaults": Entry("entrypoints.cli.defaults", "Limits and budgets of keys and tenants without their own."),
    "providers": Entry("entrypoints.cli.providers", "List, add, remove and retry providers."),
    "route": Entry("entrypoints.cli.route", "Say where requests would go by a route."),
    "routes": Entry("entrypoints.cli.routes", "List, show, set and delete routes to models."),
    "models": Entry("entrypoints.cli.models", "List the models that can be called; set prices."),
    "prices": Entry("entrypoints.cli.prices", "Take in newer list prices, and go back."),
    "usage": Entry("entrypoints.cli.usage", "Show usage and cost by model, day, provider, key or task."),
    "reconcile": Entry("entrypoints.cli.reconcile", "Compare a provider's bill with the ledger."),
    "ledger": Entry("entrypoints.cli.ledger", "Check that the usage ledger adds up."),
    "link": Entry("entrypoints.cli.link", "Print a one-time sign-in link of the platform's admin."),
    "alerts": Entry("entrypoints.cli.alerts", "Set up who is told of what, and see what was told."),
    "audit": Entry("entrypoints.cli.audit", "Read and verify the audit trail."),
    "config": Entry("entrypoints.cli.config", "Show and check the settings; plan, apply and export the objects."),
    "import": Entry("entrypoints.cli.importing", "Carry over what another gateway has: LiteLLM."),
    "db": Entry("entrypoints.cli.db", "Migrate, check, back up and restore the database."),
    "secrets": Entry("entrypoints.cli.secrets", "Make credentials; change the master key."),
    "setup": Entry("entrypoints.cli.setup", "Print the settings of a client: Claude Code, Codex."),
    "web": Entry("entrypoints.cli.web", "Build the web pages."),
    "simulate": Entry("entrypoints.cli.simulate", "Run the simulated providers as a server of their own."),
    "openapi": Entry("entrypoints.cli.openapi", "Print the OpenAPI document."),
}


class LazyGroup(click.Group):
    """Lists its commands from the table and imports one when it is asked for. Each module has a `command`."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(entry.module).command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="open-model-gateway", prog_name="omg")
def omg() -> None:
    """One OpenAI-compatible service in front of every model provider."""


def main() -> None:
    """Exit codes: 0 fine, 1 the check failed, 2 wrong usage or settings."""
    try:
        omg(prog_name="omg")
    except SettingsError as error:
        print(f"omg: {error}", file=sys.stderr)
        sys.exit(2)
    except ImportError as error:
        words = lacking_module(error)
        if words is None:
            raise
        print(f"omg: {words}", file=sys.stderr)
        sys.exit(2)
    except (GatewayError, StoreUnavailable, SecretUnreadable) as error:
        print(f"omg: {error}", file=sys.stderr)
        sys.exit(1)
