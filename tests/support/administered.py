"""Companies in which every command of `tokens-bot` has something to do, and what a command left of one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from bot import wiring
from bot.cli import common, main
from programme.app import App
from store.tables import metadata
from store.tables.outbox import outbox
from tests.support import (
    appealed,
    bills,
    books,
    cast,
    charged,
    held,
    months,
    offices,
    played,
    proposed,
    reconciled,
    returned,
    rollout,
)
from tests.support import vendors as trials
from tests.support.books import ADA, BEN
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pytest
    from click.testing import Result

    from tests.support.clock import Clock
    from tests.support.vendors import Trial

    Run = Callable[..., Result]

Name = tuple[str, ...]
"""The words of a command."""
TWIN, GONE = "ada.king@example.com", "gone@example.com"
OFFER = 'label = "Offer 17"\nbase = 180000\nbonus = 18000\nequity = 40000\n'
OUTCOMES = f"""\
source,outcome_id,kind,occurred_at,user,project,state,lines,weight,metric,score,updated_at
jira,SHOP-1,bug,2026-10-07T09:30:00Z,{ADA},shop,,,,,,
jira,SHOP-2,task,2026-10-08T09:30:00Z,ada-jira,shop,,,2.5,,,
"""
USAGE = f"""\
source,event_id,occurred_at,user,provider,model,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens,project
gateway,file-1,2026-11-19T09:30:00Z,{ADA},anthropic,claude-sonnet-4-5,1200,1000,,300,
gateway,file-2,2026-11-19T09:30:00Z,nobody,anthropic,claude-sonnet-4-5,1200,1000,,300,
"""
BILL = """\
BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,\
ChargeCategory,ProviderName,ServiceName,Tags
12.50,A-1,USD,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,2026-10-07T00:00:00Z,2026-10-08T00:00:00Z,\
Usage,Azure,Azure OpenAI,{}
"""
FILES: Mapping[str, str] = {
    "bill.csv": BILL,
    "offer.toml": OFFER,
    "outcomes.csv": OUTCOMES,
    "usage.csv": USAGE,
    "people.csv": f"email,level,name,role_family,time_zone,hired_on\n{ADA},principal,,,,\n"
    "new@example.com,mid,New Person,engineering,Europe/Berlin,2026-11-01\n",
    "twin.csv": "email,name,level,role_family,time_zone,hired_on,left_on\n"
    f"{TWIN},Ada King,staff,engineering,Europe/London,2026-11-01,\n"
    f"{GONE},Gone Person,mid,engineering,Europe/Berlin,2020-01-01,2026-01-31\n"
    "long.gone@example.com,Long Gone,mid,engineering,Europe/Berlin,2020-01-01,2022-01-31\n",
    "projects.csv": f"project,name,complexity,email,share\natlas,Atlas,novel,{ADA},0.6\n",
    "centres.csv": "cost_centre,name\n4711,Research\n",
    "groups.csv": f"email,group\n{ADA},above\n{BEN},below\n",
    "noboard.csv": "email,roles\niris@example.com,-\nomar@example.com,-\ntess@example.com,-\n",
    "handbook.toml": proposed.text(),
}
GROUPS = '[[sizing.annual]]\nname = "above"\nfactor = 1.05\n[[sizing.annual]]\nname = "below"\nfactor = 0.95\n'
CALLS = months.calls(hours=12)


def commands() -> Iterator[tuple[Name, click.Command]]:
    """Every command that does something, with its options."""
    return _within((), main)


def _within(name: Name, command: click.Command) -> Iterator[tuple[Name, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        found = command.get_command(context, word)
        assert found is not None
        yield from _within((*name, word), found)


def options(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


def write_files(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")


# --- The companies ----------------------------------------------------------------------------------------------------


def settle(company: str, app: App, clock: Clock, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a company in place; commands are then given at its time, by Ben, on engines that are open already."""
    monkeypatch.setattr(common, "login", lambda: "ben")
    monkeypatch.setattr(wiring, "open_app", lambda _loaded: nullcontext(App(app.database, app.zone, clock)))
    match company:
        case "usual" | "charts":
            played.once(app, "administered", lambda: _usual(app, run))
        case "finance":
            played.once(app, "administered finance", lambda: _finance(app))
        case "billed":
            played.once(app, "administered billed", lambda: _billed(app))
        case "adopted":
            appealed.settle(app, clock)
            with app.transaction() as moment:
                appealed.adopt(moment)
        case "returned":
            returned.settle(app, clock)


def _usual(app: App, run: Run) -> None:
    """A month after the first grants: with slips to undo, and something that waits for everybody."""
    rollout.launch(app, changes={"[lots]\n": f"{GROUPS}[lots]\n"})
    run("people", "import", "twin.csv")
    run("grants", "run", "--month", "2026-11")
    run("grants", "give", TWIN, "2,000", "--reason", "Second wallet", "--expires", "2027-12-31")
    run("grants", "give", ADA, "125k", "--reason", "Pilot", "--expires", "2027-12-31")
    run("keys", "create", "litellm-eu")
    books.take_in(
        app,
        cast.event("chat-1", at=NOON),
        cast.event("ci-1", at=NOON, who="ci-runner"),
        cast.event("laptop-1", at=NOON, who="ben-laptop"),
    )
    books.take_in(app, cast.event("chat-1", at=NOON, meters={"output": 7}))
    run("identities", "add", BEN, "ben-laptop")
    run("outcomes", "import", "outcomes.csv")
    run("identities", "add", ADA, "ada-jira", "--source", "jira")
    run("rates", "set", "2027-Q1", "EUR", "1.085")
    run("value", "propose", "--quarter", "2027-Q1")
    run("projects", "import", "projects.csv")
    run("offer", "--from", "offer.toml")
    held.reserve(app, "train-1", "22.56", kind="job", source="cluster")
    with app.transaction() as moment:
        parked = sa.update(outbox).where(outbox.c.template == "grants/greeting")
        moment.session.execute(parked.values(state="parked", problem="channel_not_found"))


def _finance(app: App) -> None:
    """October as a vendor billed it: a day of one gateway was lost, some days of the other came twice."""
    with trials.serving() as trial:
        bill(trial)
        lost = months.between(CALLS, months.EU, 12, 13)
        reconciled.post(app, [one for one in CALLS if one not in lost])
        reconciled.post(app, months.between(CALLS, months.US, 5, 11), prefix="again")
        reconciled.compare(app, trial)


def _billed(app: App) -> None:
    """Cost centres with owners, a month of use, and a handbook that says whose a bill of theirs is."""
    offices.settle(app)
    offices.work(app)
    charged.name_owners(app)
    bills.rule(app)


def bill(trial: Trial) -> None:
    reconciled.bill(trial, CALLS)


def named(run: Run, words: Name) -> list[str]:
    """A command's words, with the ids that a company has in place of `{lot}` and so on."""
    found = {
        "{lot}": lambda: str(_read(run, "grants", "list", ADA)[0]["id"]),
        "{parked}": lambda: str(_read(run, "outbox", "list", "--state", "parked")[0]["key"]),
        "{lost}": lambda: _finding(run, "lost_events"),
        "{doubled}": lambda: _finding(run, "double_reports"),
    }
    return [found[word]() if word in found else word for word in words]


def _finding(run: Run, cause: str) -> str:
    [shown] = _read(run, "reconcile", "show", "--month", "2026-10")
    return next(str(one["id"]) for one in shown["findings"] if one["cause"] == cause)


def _read(run: Run, *words: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(run(*words, "--json").stdout)


# --- What a command left ----------------------------------------------------------------------------------------------


def content(app: App) -> bytes:
    """A ledger to the byte."""
    with closing(sqlite3.connect(str(app.database.writer.url.database))) as file:
        return file.serialize()


def differing(before: bytes, after: bytes) -> Iterator[str]:
    """The tables that have other rows than before."""
    if before == after:
        return
    with closing(sqlite3.connect(":memory:")) as old, closing(sqlite3.connect(":memory:")) as new:
        for file, kept in ((old, before), (new, after)):
            played.deserialize(file, kept)
        for table in metadata.sorted_tables:
            query = f"SELECT * FROM {table.name}"  # noqa: S608 - our own
            if sorted(map(repr, old.execute(query))) != sorted(map(repr, new.execute(query))):
                yield table.name
