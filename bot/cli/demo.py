"""`demo`: a workspace in the browser where the real bot answers."""

from __future__ import annotations

import logging
import shutil
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import office, serving, settings
from bot.demo import company, story
from bot.demo.clock import DemoClock
from policy.period import day_of
from policy.reasons import Refusal
from sandbox import Control, Sandbox, Workspace
from scheduler import courier, slack_post

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path("var/demo")
STEPS = 1_000
CONTROLS = (
    Control(name="day", label="Next day"),
    Control(name="monday", label="Next Monday"),
    Control(name="month", label="First of next month"),
    Control(name="quarter", label="Next quarter"),
)


@click.command()
@click.option(
    "--port", default=8070, show_default=True, help="Where the workspace's page listens; the intake is one above."
)
@click.option("--reset", is_flag=True, help="Begin anew; otherwise the demo goes on where it was.")
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER, show_default=True)
def demo(port: int, folder: Path, *, reset: bool, no_browser: bool) -> None:
    """Open a workspace on this machine, with an invented company, and talk to the bot as anybody in it."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if reset:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace.from_dict(company.workspace_plan(), history=folder / "talk.jsonl")
    clock = DemoClock(folder / "clock")
    calendar = _Calendar()
    try:
        sandbox = Sandbox(workspace, port=port, clock=clock, controls=CONTROLS, operate=calendar.press).start()
    except OSError as error:
        raise Refusal("port_taken", f"Port {port} is taken.", next_step="Choose another with --port.") from error
    try:
        _run(sandbox, clock, calendar, folder, port=port, browse=not no_browser)
    except Refusal as refusal:
        if refusal.code != "port_taken":
            raise
        taken = f"Port {port + 1}, for the intake, is taken."
        raise Refusal("port_taken", taken, next_step="Choose another pair with --port.") from refusal
    finally:
        sandbox.stop()


class _Calendar:
    """The buttons of the page's calendar; at work once the company is told of."""

    def __init__(self) -> None:
        self.teller: story.Teller | None = None
        self.show: Callable[[str], None] = lambda _: None

    def press(self, name: str) -> str:
        """Let time pass until the evening of the button's day; what the page says then."""
        if self.teller is None:
            return "The company is still being prepared."
        today = day_of(self.teller.clock(), self.teller.desk.zone)
        day = story.target(name, today)
        delivered = self.teller.tell(
            story.evening(day, self.teller.desk), progress=lambda day, _: self.show(f"{day:%A}, {day.day} {day:%B %Y}…")
        )
        messages = "one message was" if delivered == 1 else f"{delivered} messages were"
        return f"It is {day:%A}, {day.day} {day:%B %Y}; {messages} delivered on the way."


def _run(sandbox: Sandbox, clock: DemoClock, calendar: _Calendar, folder: Path, *, port: int, browse: bool) -> None:
    app = sandbox.workspace.app
    loaded = settings.load(
        {
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_API_URL": sandbox.api_url,
            "TOKENS_DATABASE_URL": f"sqlite:///{folder / 'tokens.db'}",
            "TOKENS_HTTP_PORT": str(port + 1 if port else 0),
            "TOKENS_TIME_ZONE": company.ZONE,
            "TOKENS_ANNOUNCE_CHANNEL": company.ANNOUNCE_IN,
            "TOKENS_GOVERNANCE_CHANNEL": company.GOVERNANCE_IN,
            "TOKENS_BOARD_USERGROUP": company.BOARD_GROUP,
        }
    )
    desk = office.new_desk(loaded, clock=clock)
    slack = slack_post.client(loaded.slack_bot_token, loaded.slack_api_url)
    teller = story.Teller(desk, clock, slack, folder, courier.name())
    teller.prepare()
    with click.progressbar(length=STEPS, label="Preparing the company", file=sys.stderr) as bar:
        teller.tell(clock(), progress=lambda _, share: bar.update(round(share * STEPS) - bar.pos))
    secret = story.gateway_key(desk, folder)
    with serving.serving(loaded, desk) as intake:
        calendar.teller, calendar.show = teller, sandbox.tell_progress
        page = sandbox.page_url("U0ADA")
        click.echo(_welcome(page, intake, secret))
        if browse:
            webbrowser.open(page)
        serving.wait_for_signal()
        click.echo("Stopping. `make demo` goes on from here; --reset begins anew.")
    desk.database.close()


def _welcome(page: str, intake: str, secret: str) -> str:
    event = (
        '{"specversion":"1.0","type":"gen_ai.usage","source":"demo","id":"\'$(date +%s%N)\'",'
        '"time":"\'$(date -u +%FT%TZ)\'","data":{"user.email":"ada@northwind.example",'
        '"gen_ai.provider.name":"anthropic","gen_ai.request.model":"claude-sonnet-4-6",'
        '"gen_ai.usage.input_tokens":80000,"gen_ai.usage.output_tokens":12000}}'
    )
    return f"""
The workspace is open at  {page}

You are Ada, a staff engineer. Type  /tokens balance , then  /tokens why .
The calendar at the top of the page lets time pass: on the first of a month, grants and their statements arrive.
After  Next quarter  the board has that quarter's review in #token-board: hold a case, adopt it as Iris and Omar, or let
another Monday or two pass; then be Finn, whose grant is cut, and read why.
Be Ben and type  /tokens request  to ask the board for more; be Iris, and decide it in #token-board.

To see usage arrive, send some of Ada's from another terminal, and ask for the balance again:

curl {intake}/v1/usage -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' -d '{event}'

What the intake takes is described at  {intake}/docs .  Ctrl-C stops.
"""
