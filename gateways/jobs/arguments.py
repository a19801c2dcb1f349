"""The command line of a job, by the standard library alone."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from gateways.jobs import apart
from gateways.jobs.bot import Away, Bot, Denied, Refused
from gateways.jobs.job import Job
from gateways.jobs.running import Here, Manner, run
from gateways.jobs.spool import Spool, folder

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = 2
SECONDS_AN_HOUR = 3600
MOST_GPUS, MOST_HOURS = 100_000, 24 * 366


def main(arguments: Sequence[str]) -> int:
    """Run a job, or deliver what earlier ones could not tell; the exit code."""
    asked = _parser().parse_args(arguments)
    url, key = os.environ.get("TOKENS_BOT_URL", ""), os.environ.get("TOKENS_BOT_KEY", "")
    if missing := [name for name, value in (("TOKENS_BOT_URL", url), ("TOKENS_BOT_KEY", key)) if not value]:
        _say(f"{' and '.join(missing)} must be set: the bot's address, and a key with the scope holds:write.")
        return USAGE
    bot, spool = Bot(url, key), Spool(folder())
    if asked.what == "send":
        return _send(bot, spool)
    if asked.what in {"begin", "end"}:
        return _apart(asked, bot, spool)
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command:
        _say("Write the command after --, as in: run --service gpu-cluster --gpus 8 --hours 6 -- python train.py")
        return USAGE
    return run(_job(asked), command, bot, spool, manner=_manner(asked), machine=Here(), say=_say)


def _send(bot: Bot, spool: Spool) -> int:
    waiting = sum(1 for _ in spool.waiting())
    try:
        spool.send(bot)
    except (Away, Refused) as error:
        _say(f"{sum(1 for _ in spool.waiting())} of {waiting} reports still wait: {error}")
        return 1
    _say("1 report was delivered." if waiting == 1 else f"{waiting} reports were delivered.")
    return 0


def _apart(asked: argparse.Namespace, bot: Bot, spool: Spool) -> int:
    now = datetime.now(UTC)
    try:
        if asked.what == "begin":
            apart.begin(_job(asked), bot, spool, now, source=_source(), on_outage=asked.on_outage)
        elif not apart.end(asked.id, bot, spool, now):
            _say(f"no job {asked.id!r} was begun here")
            return 1
    except (Away, Denied, Refused) as error:
        _say(str(error))
        return 1
    return 0


def _source() -> str:
    return os.environ.get("TOKENS_BOT_SOURCE", "jobs")


def _job(asked: argparse.Namespace) -> Job:
    seconds = int(asked.hours * SECONDS_AN_HOUR)
    return Job(asked.id, asked.user, asked.service, asked.model, asked.project, asked.gpus, max(seconds, 1))


def _manner(asked: argparse.Namespace) -> Manner:
    return Manner(
        period=asked.report_every,
        source=_source(),
        on_outage=asked.on_outage,
        let_run=asked.let_run,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tokens-bot job", description="Training jobs within the token programme.")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("send", help="deliver what earlier jobs could not tell the bot")
    over = commands.add_parser("end", help="report what a job that was begun has used")
    over.add_argument("--id", required=True)
    begun = commands.add_parser(
        "begin", help="have a job's estimate held, as a prolog does; `end` reports what it used"
    )
    one = commands.add_parser("run", help="run a command within what is held for it")
    for one_of in (begun, one):
        _add_what(one_of)
    begun.add_argument("--id", required=True)
    one.add_argument("--id", default=f"job-{secrets.token_hex(8)}", help="the same id is the same job")
    one.add_argument("--report-every", type=_seconds, default=300.0, metavar="SECONDS")
    one.add_argument("--let-run", action="store_true", help="do not end it when what it holds is used up")
    one.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--service", required=True, help="the approved service, as gpu-cluster")
    parser.add_argument("--model", default="", help="the kind of GPU, where the service has several")
    parser.add_argument("--gpus", required=True, type=_gpus)
    parser.add_argument("--hours", required=True, type=_hours, help="how long it should take; 1.2 times that is held")
    parser.add_argument("--project", default="")
    parser.add_argument("--user", default=_user(), help="whose job it is")
    parser.add_argument("--on-outage", choices=["pass", "stop"], default="pass", help="while the bot does not answer")


def _user() -> str:
    return os.environ.get("TOKENS_BOT_USER") or getpass.getuser()


def _gpus(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= MOST_GPUS:
        raise argparse.ArgumentTypeError(f"{text!r}: write how many GPUs, as 8")
    return int(text)


def _hours(text: str) -> Decimal:
    try:
        hours = Decimal(text)
    except InvalidOperation:
        hours = Decimal(0)
    if not hours.is_finite() or not 0 < hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r}: write how many hours, as 6 or 1.5")
    return hours


def _seconds(text: str) -> float:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= SECONDS_AN_HOUR:
        raise argparse.ArgumentTypeError(f"{text!r}: write how many seconds, from 1 to {SECONDS_AN_HOUR}")
    return float(text)


def _say(text: str) -> None:
    sys.stderr.write(f"tokens-bot: {text}\n")
