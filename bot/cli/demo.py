"""`demo`: a workspace in the browser where the real bot answers."""

from __future__ import annotations

import errno
import logging
import shutil
import socket
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import event

from bot import serving, settings, wiring
from bot.demo import agent, company, corner, story
from bot.demo.agent import Agent
from bot.demo.clock import DemoClock
from policy.period import day_of
from policy.reasons import Refusal
from sandbox import Control, Sandbox, Workspace
from scheduler import courier, slack_delivery

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import date

FOLDER = Path("var/demo")
HOST = "127.0.0.1"
HIGHEST_PORT = 65_534
"""The intake is one above."""
YOU = "U0ADA"
PREPARING = "The company is still being prepared, which takes about half a minute."
STEPS = 1_000
AGENT = "agent"
CONTROLS = (
    Control(name=AGENT, label="Let Ada's agent work"),
    Control(name="day", label="Next day"),
    Control(name="monday", label="Next Monday"),
    Control(name="month", label="First of next month"),
    Control(name="quarter", label="Next quarter"),
)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, HIGHEST_PORT),
    default=8070,
    show_default=True,
    help="Port of the workspace's page; usage is taken in on the next one.",
)
@click.option("--reset", is_flag=True, help="Start over; otherwise the demo goes on where it was.")
@click.option("--no-browser", is_flag=True, help="Don't open the page.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, show_default=True)
def demo(port: int, folder: Path, *, reset: bool, no_browser: bool) -> None:
    """Open a workspace on this machine, with an invented company, and talk to the bot as anyone in it."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    intake_port = port + 1 if port else 0
    _require_free(port, "for the page")
    _require_free(intake_port, "for usage reports")
    if reset:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.from_dict(company.workspace_plan(), history=folder / "talk.jsonl")
    clock = DemoClock(folder / "clock")
    buttons = _Buttons()
    with Sandbox(
        workspace, port=port, clock=clock, controls=CONTROLS, operate=buttons.press, held_for=PREPARING
    ) as sandbox:
        _run(sandbox, clock, buttons, folder, intake_port=intake_port, browse=not no_browser)


def _require_free(port: int, purpose: str) -> None:
    """Refuse a taken port before the company is prepared, or thrown away: another demo may be at work on it."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"can't be used: {error.strerror}"
        raise Refusal(
            "port_taken",
            f"Port {port}, {purpose}, {why}.",
            next_step="Choose another with --port; the demo uses that one and the next.",
        ) from error


class _Buttons:
    """The buttons of the page's calendar; they work once the company is prepared."""

    def __init__(self) -> None:
        self.teller: story.Teller | None = None
        self.agent: Agent | None = None
        self.show: Callable[[str], None] = lambda _: None

    def press(self, name: str) -> str:
        """Let the agent work, or time pass until the evening of the button's day; what the page says then."""
        if self.teller is None or self.agent is None:
            return PREPARING
        if name == AGENT:
            return self.agent.press()
        today = day_of(self.teller.clock(), self.teller.app.zone)
        day = story.target(name, today)
        delivered = self.teller.tell(
            story.evening(day, self.teller.app), progress=lambda day, _: self.show(f"{day:%A}, {day.day} {day:%B %Y}…")
        )
        messages = "One message was" if delivered == 1 else f"{delivered} messages were"
        return f"It is {day:%A}, {day.day} {day:%B %Y}. {messages} delivered on the way."


def _run(
    sandbox: Sandbox, clock: DemoClock, buttons: _Buttons, folder: Path, *, intake_port: int, browse: bool
) -> None:
    environment = _environment(sandbox, folder, intake_port)
    loaded = settings.load(environment)
    corner.keep_settings(folder, environment)
    app = wiring.new_app(loaded, clock=clock)
    event.listen(app.database.writer, "connect", _dont_wait_for_the_disk)
    slack = slack_delivery.client(loaded.slack_bot_token, loaded.slack_api_url)
    teller = story.Teller(app, clock, slack, folder, courier.name())
    _prepare(teller, sandbox)
    secret = story.gateway_key(app, folder)
    with serving.serving(loaded, app) as intake:
        buttons.teller, buttons.show = teller, sandbox.tell_progress
        buttons.agent = _agent(teller, sandbox, intake)
        _greet(sandbox)
        click.echo(_welcome(sandbox, intake, secret, folder))
        if browse:
            webbrowser.open(sandbox.page_url(YOU))
        serving.wait_for_signal()
        buttons.agent.stop()
        click.echo("Stopping. `make demo` goes on from here; `make demo ARGS=--reset` starts over.")
    app.database.close()


def _environment(sandbox: Sandbox, folder: Path, intake_port: int) -> dict[str, str]:
    installed = sandbox.workspace.app
    return {
        "SLACK_BOT_TOKEN": installed.bot_token,
        "SLACK_APP_TOKEN": installed.app_token,
        "SLACK_API_URL": sandbox.api_url,
        "TOKENS_DATABASE_URL": f"sqlite:///{folder.resolve() / 'tokens.db'}",
        "TOKENS_HTTP_PORT": str(intake_port),
        "TOKENS_TIME_ZONE": company.ZONE,
        "TOKENS_ANNOUNCE_CHANNEL": company.ANNOUNCE_IN,
        "TOKENS_GOVERNANCE_CHANNEL": company.GOVERNANCE_IN,
        "TOKENS_BOARD_USERGROUP": company.BOARD_GROUP,
    }


def _dont_wait_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    """A power cut may cost a demo its last half minute, after which --reset helps; thousands of waits cost seconds."""
    connection.execute("PRAGMA synchronous = NORMAL")


def _prepare(teller: story.Teller, sandbox: Sandbox) -> None:
    """Tell the story so far, with a bar in the terminal and the share on pages that are open already."""
    teller.prepare()
    with click.progressbar(length=STEPS, label="Preparing the company", file=sys.stderr) as bar:

        def show(_: date, share: float) -> None:
            bar.update(round(share * STEPS) - bar.pos)
            sandbox.tell_progress(f"Preparing: {share:.0%}")

        teller.tell(teller.clock(), progress=show)


def _agent(teller: story.Teller, sandbox: Sandbox, intake: str) -> Agent:
    """Ada's, with a key of its own; what it has to tell stands in her conversation with the bot."""
    key = story.gateway_key(teller.app, teller.folder, name="agent", source=agent.SOURCE, scopes=agent.SCOPES)
    return Agent(
        url=intake,
        key=key,
        clock=teller.clock,
        say=lambda text: sandbox.note(YOU, sandbox.dm(YOU), text),
        show=sandbox.tell_progress,
    )


def _greet(sandbox: Sandbox) -> None:
    """What was typed meanwhile is answered; then a greeting and Ada's balance, where the page opens."""
    sandbox.wait_for(lambda: sandbox.connections)
    sandbox.release()
    sandbox.note(YOU, sandbox.dm(YOU), company.GREETING)
    sandbox.command(YOU, sandbox.dm(YOU), "/tokens balance")


def _welcome(sandbox: Sandbox, intake: str, secret: str, folder: Path) -> str:
    # The time is asked of the workspace when the line is run: its calendar runs ahead of the machine's.
    call = (
        '{"specversion":"1.0","type":"gen_ai.usage","source":"demo","id":"\'$(date +%s%N)\'",'
        f'"time":"\'$(curl -s {sandbox.url}/page/now)\'","data":{{"user.email":"ada@northwind.example",'
        '"gen_ai.provider.name":"anthropic","gen_ai.request.model":"claude-sonnet-4-6",'
        '"gen_ai.usage.input_tokens":80000,"gen_ai.usage.output_tokens":12000}}'
    )
    return f"""
Open the workspace at  {sandbox.page_url(YOU)}

You are Ada, a staff engineer. Type  /tokens balance , then  /tokens why .
The calendar at the top of the page lets time pass. On the first of a month, grants and their statements arrive.
Click  Next quarter  and the board gets that quarter's review in #token-board: hold a case, adopt the review as Iris
and Omar, or let another week or two pass. Then be Finn, whose grant is cut, and read why.
Once a year is over, in January, a permanent policy is proposed and adopted; February's grants follow the annual
review, and Owen appeals against his.
Click  Let Ada's agent work  and watch a cap stop it: ask for more, approve it as Iris, and it goes on.
Be Omar, from finance, and open his conversation with Tokens: Anthropic charged more than the gateway reported.
Accept it, correct it, or ask. Mara, Nils, Yuki and Leila read in theirs what their teams' cost centres bear.
To ask the board for more, be Ben and type  /tokens request . To decide it, be Iris and go to #token-board.

To see usage arrive, report a call of Ada's from another terminal, then ask for her balance again:

curl {intake}/v1/usage -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' -d '{call}'

{intake}/docs  describes everything the intake takes.

{corner.text(folder)}

Ctrl-C stops.
"""
