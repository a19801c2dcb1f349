"""What a company is told over ten weeks, word for word: no view is written by hand, so what makes them is seen as well.

`pytest tests/templates --snapshot-update` writes the golden files anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from slack_sdk import WebClient

from handlers import slack_app
from policy.units import MicroTokens
from programme.app import App
from programme.balance import balance
from sandbox import block_kit
from scheduler.messages import compose
from store.engine import open_database
from store.tables.outbox import outbox
from templates.render import Message
from tests.support import books, cast, requests, rollout
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import Clock
from tests.support.requests import IRIS, OMAR
from views import codec
from views.grants import Statement

if TYPE_CHECKING:
    from policy.metering import Meters

GOLDEN = Path(__file__).parent / "played"
ANNOUNCE = "C0ANNOUNCE"
SLACK = {ADA: "U0ADA", BEN: "U0BEN"}
ZONE = ZoneInfo("Europe/Berlin")
NO_SLACK = WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")
DECEMBER, JANUARY = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2027, 1, 1, 9, tzinfo=UTC)
A_FEW: Meters = {"input_uncached": 400_000, "output": 900_000}
MANY: Meters = {"input_uncached": 4_000_000, "cache_read": 20_000_000, "output": 3_000_000}
MOST: Meters = {"input_uncached": 40_000_000, "cache_read": 200_000_000, "output": 20_000_000}


class Played(NamedTuple):
    app: App
    told: dict[str, Message]


CASES = (
    "greeting_of_a_first_month",
    "statement_of_a_second_month",
    "digest_of_too_few",
    "card_waiting",
    "mine_waiting",
    "card_approved",
    "note_approved",
    "break_glass_to_ratify",
    "break_glass_not_ratified",
    "lapse_notice",
    "statement_after_a_break_glass",
    "balance_of_ben",
    "why_of_ben",
    "history_of_ben",
    "balance_of_ada",
    "why_of_ada",
    "history_of_ada",
)


@pytest.fixture(scope="module")
def played(settled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Grants of three months, use, a request that is approved, a break-glass that is not ratified, and what lapses."""
    path = tmp_path_factory.mktemp("played") / "tokens.db"
    shutil.copy(settled_sqlite, path)
    clock = Clock()
    database = open_database(f"sqlite:///{path}")
    app = requests.convene(App(database, ZONE, clock), changes=rollout.TO_EVERYONE)
    told = {"greeting_of_a_first_month": owed(app, f"greeting:{cast.person_id(app, ADA)}")}
    use(app, ADA, MOST)
    use(app, BEN, A_FEW, model=GPT)
    go(app, clock, DECEMBER)
    told["statement_of_a_second_month"] = owed(app, f"statement:2026-12:{cast.person_id(app, ADA)}")
    told["digest_of_too_few"] = owed(app, f"digest:2026-12:{ANNOUNCE}")
    go(app, clock, datetime(2026, 12, 10, 9, tzinfo=UTC))
    use(app, ADA, MANY)
    use(app, BEN, MANY)
    told |= ask_and_decide(app)
    go(app, clock, datetime(2026, 12, 25, 12, tzinfo=UTC))
    told["lapse_notice"] = owed(app, f"notice:2027-01-01:7:{cast.person_id(app, BEN)}")
    go(app, clock, JANUARY)
    told["statement_after_a_break_glass"] = owed(app, f"statement:2027-01:{cast.person_id(app, BEN)}")
    for who, name in ((BEN, "ben"), (ADA, "ada")):
        told |= {
            f"{line.split()[0]}_of_{name}": answer(app, who, line) for line in ("balance", "why", "history 2026-12")
        }
    return Played(app, told)


def ask_and_decide(app: App) -> dict[str, Message]:
    """Ben breaks the glass, which is not ratified, and asks for tokens, of which some are approved."""
    glass = requests.ask(app, BEN, "3000", incident="INC-7", purpose="Restore the index")
    books.take_in(app, cast.event("index", at=app.clock(), who=BEN, meters={"output": 800_000}))
    asked = requests.ask(app, BEN, "15000", purpose="Fine-tune the support model")
    told = {
        "break_glass_to_ratify": owed(app, f"card:{glass.id}:board"),
        "card_waiting": owed(app, f"card:{asked.id}:board"),
        "mine_waiting": owed(app, f"mine:{asked.id}"),
    }
    requests.vote(app, IRIS, glass, approves=False, reason="The index had a replica")
    requests.vote(app, OMAR, asked, tokens="12000")
    ben = cast.person_id(app, BEN)
    return told | {
        "break_glass_not_ratified": owed(app, f"note:{glass.id}:not_ratified:{ben}"),
        "card_approved": owed(app, f"card:{asked.id}:board"),
        "note_approved": owed(app, f"note:{asked.id}:approved:{ben}"),
    }


def use(app: App, who: str, meters: Meters, *, model: tuple[str, str] = SONNET) -> None:
    """Three calls of a person's, all of them known and priced."""
    at = app.clock()
    events = [cast.event(f"{who}-{at:%m-%d}-{i}", at=at, who=who, meters=meters, model=model) for i in range(3)]
    assert set(books.take_in(app, *events)) == {"accepted"}


def go(app: App, clock: Clock, to: datetime) -> None:
    """Go to an instant, and do what the calendar owed on each day until then."""
    while clock.now < to:
        clock.now = min(clock.now + timedelta(days=1), to)
        rollout.run_calendar(app, clock.now, ANNOUNCE)


def view_of(app: App, key: str) -> tuple[str, object]:
    """(template, view) of a message that is owed."""
    [(template, view)] = books.rows(app, sa.select(outbox.c.template, outbox.c.view).where(outbox.c.key == key))
    return template, view


def owed(app: App, key: str) -> Message:
    """A message as the courier would compose it now."""
    composed = compose(*view_of(app, key), app=app)
    assert composed is not None
    return composed.message


def answer(app: App, who: str, line: str) -> Message:
    """What a person is answered who types `/tokens` and a line."""
    message = slack_app.COMMANDS.answer(app, text=line, slack_user_id=SLACK[who], client=NO_SLACK)
    assert isinstance(message, Message)
    return message


def written(message: Message) -> str:
    """The message as a golden file has it, without what chance makes: ids, and the order of people by theirs."""
    text = json.dumps({"text": message.text, "blocks": message.blocks}, indent=2, ensure_ascii=False) + "\n"
    text = re.sub(r"<@\w+>(?:, <@\w+>)+", lambda found: ", ".join(sorted(found[0].split(", "))), text)
    ids = list(dict.fromkeys(re.findall(r"\b(?:xr|per)_[0-9a-f]{16}\b", text)))
    for number, one in enumerate(ids, 1):
        text = text.replace(one, f"{one.partition('_')[0]}_{number}")
    return text


@pytest.mark.parametrize("case", CASES)
def test_what_a_company_is_told_is_golden(played: Played, case: str, pytestconfig: pytest.Config) -> None:
    """A message of the played company changes only on purpose, and Slack takes it."""
    path, message = GOLDEN / f"{case}.json", played.told[case]
    if pytestconfig.getoption("--snapshot-update"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(written(message), "utf-8")
    assert block_kit.problems(message.blocks) == ()
    assert written(message) == path.read_text("utf-8")


def test_every_message_of_the_company_has_its_golden_file(played: Played) -> None:
    """Nothing that is told is left out, and no file is left over."""
    assert set(played.told) == set(CASES) == {path.stem for path in GOLDEN.iterdir()}


@pytest.mark.parametrize("who", [ADA, BEN])
def test_a_statement_and_the_balance_tell_of_the_same_tokens(played: Played, who: str) -> None:
    """On the day of the grant, what a statement lists with its ends is what the balance says is left."""
    _, view = view_of(played.app, f"statement:2027-01:{cast.person_id(played.app, who)}")
    statement = codec.read(Statement, view)
    with played.app.reading() as moment:
        card = balance.of_email(moment, who)
    assert card is not None
    assert sum((one.amount for one in statement.endings), MicroTokens(0)) == card.available


def test_the_books_of_the_company_can_be_proved(played: Played) -> None:
    """After all of it every check of the ledger finds nothing."""
    assert books.findings(played.app) == {}
