"""`tokens-bot`: every command, each group in a file of its own.

Exit codes: 0 done, 1 refused with the reason, 2 wrong usage.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import click

from policy import texts
from policy.reasons import Refusal

COMMANDS = {
    "audit": "audit",
    "backup": "upkeep",
    "balance": "accounts",
    "bands": "budgets",
    "budgets": "budgets",
    "caps": "caps",
    "chart": "chart",
    "close": "close",
    "cost-centres": "cost_centres",
    "deliver": "deliver",
    "demo": "demo",
    "doctor": "running",
    "due": "calendar",
    "exceptions": "exceptions",
    "export": "export",
    "grants": "grants",
    "handbook": "handbook",
    "identities": "identities",
    "invoices": "invoices",
    "job": "jobs",
    "keys": "keys",
    "listing": "offers",
    "manifest": "running",
    "migrate": "upkeep",
    "offer": "offers",
    "offers": "offers",
    "outbox": "outbox",
    "outcomes": "outcomes",
    "people": "people",
    "projects": "projects",
    "quarantine": "quarantine",
    "rates": "budgets",
    "reconcile": "reconcile",
    "report": "archive",
    "requests": "exceptions",
    "restore": "upkeep",
    "review": "review",
    "reviews": "annual",
    "roi": "roi",
    "roles": "roles",
    "rollout": "rollout",
    "run": "running",
    "setup": "setup",
    "statement": "accounts",
    "tick": "calendar",
    "usage": "usage",
    "value": "value",
    "vendors": "vendors",
    "verify": "running",
}


class Commands(click.Group):
    """Loads a command's file when the command is called: the price list alone takes half a second to import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"bot.cli.{COMMANDS[cmd_name]}"), _function(cmd_name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The first sentence of each, read where it stands: importing every command takes seconds."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(name)) for name in sorted(COMMANDS)])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Bytes that are no UTF-8 come as halves of letters, which no database takes."""
        if wrong := [one for one in args if not texts.is_storable(one)]:
            raise click.UsageError(f"{texts.storable(wrong[0])!r} is not text in UTF-8.", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            raise click.ClickException(str(refusal)) from refusal
        except Exception as error:
            if (reason := _database_away(error)) is None:
                raise
            raise click.ClickException(f"The database does not answer: {reason}") from error


def _function(name: str) -> str:
    """The name of a command in Python."""
    return name.replace("-", "_")


def _first_sentence(name: str) -> str:
    """What a command is for, as its docstring begins; to parse all of the files takes longer than everything else."""
    source = Path(__file__).with_name(f"{COMMANDS[name]}.py").read_text("utf-8")
    docstring = re.search(rf'^def {_function(name)}\(.*?:\n    """(.*?)"""', source, re.DOTALL | re.MULTILINE)
    told = " ".join(docstring[1].split()) if docstring else ""
    return told.partition(". ")[0].removesuffix(".") + "."


def _database_away(error: Exception) -> str | None:
    """Why, if that is the error. Only now, when it costs nothing, is the library imported that it is of."""
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 - see above

    return str(error.orig).strip() if isinstance(error, OperationalError) else None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tokens-bot")
def main() -> None:
    """Run a company's AI token allowance: ledger, metering, balances, in Slack."""
