"""Every message to everyone: no reader finds another person's figures in anything that they can read.

Everyone has amounts that no one else has, so that a figure says whose it is. What may be known of others is spelled
out in `allowed`: what someone asked the board for, for members whom it does not concern.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from slack_sdk import WebClient

from handlers import slack_app
from handlers.appeals import deciding as appeal_handlers
from handlers.reviews import board as review_handlers
from handlers.slack import homes
from handlers.slack.interactions import Modal, Press
from policy.period import Quarter, Week, day_of
from policy.reasons import Refusal
from policy.reviews.persons import LOW
from policy.units import MicroTokens
from programme.appeals import deciding, filing
from programme.balance import balance
from programme.exceptions import cards
from programme.reviews import file, single_cases, voting
from programme.usage import intake
from scheduler import messages, ticker
from store.exceptions import requests as requests_store
from store.people import directory as people_store
from store.reviews import drafts
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.outbox import outbox
from store.tables.people import people
from store.tables.reviews import review_cases, review_inputs, review_panels
from store.tables.usage import usage_days
from templates import review_page, review_shown
from tests.support import books, cast, rollout, teams
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.requests import IRIS, KOFI, OMAR, TESS, ZOE
from tests.support.teams import DANA, KIM, LOU, MARA, MAX, NED, PIA, TEAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from programme.app import App
    from store.people.directory import Person
    from views.balance import Lapse

ANNOUNCE, DAYS = "C0ALL", 75
Q4 = Quarter(2026, 4)
ADOPTED_ON = 56
"""On 15 January: the last day for February, and then an appeal is possible until 5 February."""
POSTS = {ADA: "1", KIM: "0.95", LOU: "0.9", MAX: "0.85", NED: "0.8", teams.OLA: "0.75", MARA: "0.97", PIA: "0.92"}
"""No one has the same post, and so no one has the same grant."""
BOARD, ALTERNATES = (IRIS, OMAR, TESS), (ZOE, KOFI)
TOGETHER = {"appeal": "grant", "reversal": "usage", "expiry": "lapse"}
"""Kinds of entries that a year's worth tells as one."""
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>|\b[0-9a-f]{64}\b", re.DOTALL)
"""What is no word of a page: styles, scripts, tags with their pictures, a digest."""
SLACK_MARKUP = re.compile(r"<!date\^[^>]*>|<[@#][^>]*>|\b20\d\d-[^\s]*")
Figures = dict[str, set[Decimal]]


# --- A company with a past -----------------------------------------------------------------------------------------


def live(app: App, changes: Mapping[str, str] = rollout.NONE, *, days: int = DAYS) -> App:
    """Two months and a half of grants, use, requests, warnings, reports, and a review with its appeals."""
    teams.hire_team(app)
    few = [teams.person("sam@example.com", PIA), teams.person("tia@example.com", PIA)]
    teams.hire(app, teams.person(DANA, ""), teams.person(PIA, DANA), *few)
    teams.move(app, MARA, DANA)
    cast.hire(app, "email,fte\n" + "".join(f"{email},{post}\n" for email, post in POSTS.items()))
    app = asking.convene(app, changes=changes)
    spenders = [*TEAM, MARA, PIA, "sam@example.com", "tia@example.com"]
    for number in range(days):
        rollout.run_calendar(app, app.clock(), announce_in=ANNOUNCE)
        use(app, spenders, number)
        ticker.warn(app)
        ask(app, number)
        review(app, number)
        app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    return app


def use(app: App, spenders: list[str], number: int) -> None:
    """Each spends an amount of their own; Ned comes to an end of his tokens, Ola hardly uses any."""
    events = [
        cast.event(
            f"{who}-{number}",
            at=app.clock(),
            who=who,
            meters={"output": {NED: 12_000_000, teams.OLA: 900}.get(who, 31_000) + 7_919 * (place + 1)},
        )
        for place, who in enumerate(spenders)
    ]
    with app.transaction() as moment:
        intake.take_in(moment, events)


def ask(app: App, number: int) -> None:
    if number == 40:
        asking.vote(app, TESS, asking.ask(app, ADA, "4321.5"))
        asking.vote(app, TESS, asking.ask(app, BEN, "2345.25"), approves=False, reason="Use the small model")
    elif number == DAYS - 1:
        asking.ask(app, KIM, "5432.75")
        asking.ask(app, LOU, "1678.25", incident="INC-1")


def review(app: App, number: int) -> None:
    """Three are cut by the board's amendment, it adopts the review, and each of them appeals."""
    if number == ADOPTED_ON:
        for who, change in ((ADA, "-10"), (teams.OLA, "-7.5"), (LOU, "-5")):
            count_as_low(app, who)
            amend(app, TESS, who, change)
        with app.transaction() as moment:
            for who in (IRIS, OMAR):
                package = voting.panel_of(moment, Q4).package
                ballot = voting.Ballot(package, adopts=True)
                voting.vote(moment, asking.person(moment.session, who), Q4, ballot)
    elif number == ADOPTED_ON + 3:
        appeal(app, teams.OLA, decided_by=KOFI, upheld=False)
    elif number == DAYS - 1:
        appeal(app, ADA, decided_by=ZOE, upheld=True)
        appeal(app, LOU)


def count_as_low(app: App, who: str) -> None:
    """Only so can the board cut them: the grants are too large for most, and nobody here uses next to nothing."""
    person_id = cast.person_id(app, who)
    with app.database.transaction() as session:
        session.execute(sa.update(review_cases).where(review_cases.c.person_id == person_id).values(state_after=LOW))
        session.execute(
            sa.update(review_inputs).where(review_inputs.c.person_id == person_id).values(utilisation=["0.01", "0.01"])
        )


def amend(app: App, member: str, who: str, change: str) -> None:
    person_id = cast.person_id(app, who)
    with app.transaction() as moment:
        case = drafts.case(moment.session, Q4, person_id)
        assert case is not None
        single_cases.amend(
            moment,
            asking.person(moment.session, member),
            Q4,
            person_id,
            change=change,
            reason="Another project",
            seen=single_cases.mark(case),
        )


def appeal(app: App, who: str, *, decided_by: str = "", upheld: bool = False) -> None:
    with app.transaction() as moment:
        filed = filing.file(moment, asking.person(moment.session, who), Q4, "I was on leave")
        if decided_by:
            deciding.decide(
                moment, asking.person(moment.session, decided_by), filed.id, upheld=upheld, reason="As it was"
            )


# --- Whose a figure is -----------------------------------------------------------------------------------------------


def told(amounts: Iterator[int] | list[int], scale: int) -> set[Decimal]:
    """Amounts in the ways in which messages round them; small ones could be anything."""
    found: set[Decimal] = set()
    for amount in amounts:
        for digits in ("0.01", "1"):
            found.add((Decimal(abs(amount)) / scale).quantize(Decimal(digits), ROUND_HALF_EVEN))
    return {figure for figure in found if figure >= 1_000 or (figure >= 10 and figure != figure.to_integral_value())}


def figures(app: App) -> Figures:
    """What everyone has, was granted, spent and loses: balance, lots, grants, use by day, week, month and service."""
    found: Figures = defaultdict(set)
    emails = dict(books.rows(app, sa.select(people.c.id, people.c.email)))
    wallet_of = {
        account: emails[person]
        for account, person, _ in books.rows(app, sa.select(accounts.c.id, accounts.c.person_id, accounts.c.balance))
        if person
    }
    for account, held in books.rows(app, sa.select(accounts.c.id, accounts.c.balance)):
        if account in wallet_of:
            found[wallet_of[account]] |= told([held], 10**6) | told([held], 10**8)
    for account, amount, left in books.rows(app, sa.select(lots.c.account_id, lots.c.amount, lots.c.remaining)):
        found[wallet_of[account]] |= told([amount, left], 10**6) | told([amount, left], 10**8)
    for person, amount, entitled in books.rows(
        app, sa.select(grants.c.person_id, grants.c.amount, grants.c.entitled_nano_usd)
    ):
        found[emails[person]] |= told([amount], 10**6) | told([entitled], 10**9)
    for person, before, after in books.rows(
        app, sa.select(review_cases.c.person_id, review_cases.c.grant_before, review_cases.c.grant_after)
    ):
        found[emails[person]] |= told([amount for amount in (before, after) if amount], 10**6)
    for who, lapse in lapses(app, emails.values()):
        found[who] |= told([lapse.amount, lapse.left], 10**6)
    d = usage_days.c
    sums: dict[tuple[str, object], list[int]] = defaultdict(lambda: [0, 0])
    for day, account, service, cost, debit in books.rows(
        app, sa.select(d.day, d.account_id, d.service_key, d.cost_nano_usd, d.debit_micro_tokens)
    ):
        for period in (day, Week.containing(day), (day.year, day.month), service, ""):
            sums[wallet_of[account], period][0] += cost
            sums[wallet_of[account], period][1] += debit
    for (who, _), (cost, debit) in sums.items():
        found[who] |= told([cost], 10**9) | told([debit], 10**6)
    add_years(app, wallet_of, found)
    return found


def add_years(app: App, wallet_of: Mapping[int, str], found: Figures) -> None:
    """What was granted, used or the like in each year, in tokens and USD, and half of that, as a year's worth tells."""
    query = sa.select(postings.c.account_id, entries.c.kind, entries.c.effective_at, postings.c.amount)
    sums: dict[tuple[int, str, int], int] = defaultdict(int)
    for account, kind, at, amount in books.rows(app, query.join_from(postings, entries)):
        sums[account, TOGETHER.get(kind, kind), at.astimezone(app.zone).year] += amount
    for (account, *_), amount in sums.items():
        if account in wallet_of:
            found[wallet_of[account]] |= told([amount], 10**6) | told([amount], 10**8) | told([amount], 2 * 10**8)


def lapses(app: App, emails: Iterable[str]) -> Iterator[tuple[str, Lapse]]:
    """What is announced to lapse of everyone's grants."""
    with app.reading() as moment:
        for email in emails:
            card = balance.of_email(moment, email)
            if card is not None and card.lapse is not None:
                yield email, card.lapse


def allowed(app: App, reader: str) -> set[Decimal]:
    """What a member of the board reads of requests that do not concern them, and what the board's channel shows."""
    found: set[Decimal] = set()
    if reader not in BOARD + ALTERNATES:
        return found
    with app.reading() as moment:
        for request in requests_store.made_between(moment.session, None, None):
            card = cards.of(moment, request.id)
            judged = card.situation
            amounts = [request.amount, request.granted or MicroTokens(0)]
            if not judged.is_small_group:
                amounts += [judged.monthly_grant, judged.available]
            amounts += [judged.earlier, card.left, *(past.amount for past in card.past)]
            found |= told([int(amount) for amount in amounts], 10**6) | told([int(amount) for amount in amounts], 10**8)
    return found


# --- What everyone reads --------------------------------------------------------------------------------------------


def everything(app: App) -> dict[str, list[tuple[str, Any]]]:
    """(where, what) of all that each person can read: answers, forms, messages, the channel, their Home."""
    read: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    staff = books.rows(app, sa.select(people.c.id, people.c.email, people.c.slack_user_id))
    for person_id, email, user in staff:
        for command in slack_app.COMMANDS:
            said = slack_app.COMMANDS.answer(app, text=command.name, slack_user_id=user, client=WebClient())
            read[email].append((f"/tokens {command.name}", said.view if isinstance(said, Modal) else said))
        with app.reading() as moment:
            person = people_store.by_id(moment.session, person_id)
            assert person is not None
            read[email].append(("Home", homes.compose(moment, person)))
        read[email] += at_the_board(app, person, [person_id for person_id, _, _ in staff])
    email_of = {person_id: email for person_id, email, _ in staff}
    query = sa.select(outbox.c.key, outbox.c.template, outbox.c.view, outbox.c.person_id, outbox.c.channel)
    for key, template, view, person_id, channel in books.rows(app, query):
        composed = messages.compose(template, view, app=app)
        if composed is None:
            continue
        page = MARKUP.sub(" ", composed.document.content.decode()) if composed.document else ""
        content = (composed.message, composed.picture.alt_text if composed.picture else "", page)
        if channel == ANNOUNCE:
            readers = [email for _, email, _ in staff]
        elif channel == asking.BOARD_CHANNEL:
            readers = list(BOARD)
        else:
            readers = [email_of[person_id]]
        for reader in readers:
            read[reader].append((key, content))
    return read


def at_the_board(app: App, person: Person, everybody: list[str]) -> Iterator[tuple[str, Any]]:
    """What someone gets for pressing whatever there is to press about a review and its appeals."""
    if not books.rows(app, sa.select(review_panels.c.quarter)):
        return
    presses: list[tuple[Callable[[App, Press], Any], str]] = [(review_handlers.press_cases, f"{Q4}:1")]
    presses += [(review_handlers.press_page, f"{Q4}:{number}") for number in range(1, 9)]
    for person_id in everybody:
        presses += [
            (press, f"{Q4}:{person_id}:0")
            for press in (review_handlers.press_why, review_handlers.press_hold, review_handlers.press_amend)
        ]
        presses += [
            (press, f"{Q4}/{person_id}") for press in (appeal_handlers.press_uphold, appeal_handlers.press_reject)
        ]
    presses.append((appeal_handlers.press_appeal, str(Q4)))
    for press, value in presses:
        yield f"{press.__name__} {value}", pressed(app, press, Press(person, value, app.clock(), None, None))
    for what in review_shown.TITLES:
        shown = Press(person, f"{Q4}:1", app.clock(), None, None)
        yield f"press_show {what}", pressed(app, partial(review_handlers.press_show, what=what), shown)
    with app.reading() as moment:
        taken = file.for_reader(moment, person.id, Q4)
    if taken is not None:
        yield "press_send", {"page": MARKUP.sub(" ", review_page.document(taken).content.decode())}


def pressed(app: App, press: Callable[[App, Press], Any], what: Press) -> Any:  # noqa: ANN401 - a view, or why none
    try:
        return press(app, what).view
    except Refusal as refusal:
        return str(refusal)


def numbers(content: Any) -> Iterator[Decimal]:  # noqa: ANN401 - a message, a view, or any part of them
    """Every figure in what someone reads: in texts, in tables, in charts."""
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        content = [getattr(content, field.name) for field in dataclasses.fields(content)]
    if isinstance(content, dict):
        content = [
            value
            for key, value in content.items()
            if key not in {"value", "block_id", "action_id"} or isinstance(value, int | float)
        ]
    if isinstance(content, list | tuple):
        for part in content:
            yield from numbers(part)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield Decimal(str(content))
    elif isinstance(content, str):
        for number in NUMBER.findall(SLACK_MARKUP.sub(" ", content)):
            yield Decimal(number.replace(",", ""))


def leaks(app: App) -> set[tuple[str, str, str, Decimal]]:
    """(reader, where, whose, figure) of everything that someone reads of another person."""
    whose, found = figures(app), set()
    for reader, contents in everything(app).items():
        own = whose.get(reader, set()) | allowed(app, reader)
        others = {who: theirs - own for who, theirs in whose.items() if who != reader}
        for where, content in contents:
            seen = set(numbers(content))
            found |= {(reader, where, who, figure) for who, theirs in others.items() for figure in theirs & seen}
    return found


def assert_walked(app: App) -> None:
    """The board opened cases, the pack's parts and an appeal, no one else did; each is told what is theirs."""
    read = everything(app)
    opened = opened_by(read)
    for member in BOARD:
        assert {"press_cases", "press_page", "press_why", "press_show", "press_send"} <= opened[member]
    for member in ALTERNATES:
        assert "press_uphold" in opened[member]
    for reader in read.keys() - set(BOARD + ALTERNATES):
        assert not any(where.startswith("press_") for where in opened[reader]), reader
    of_ada = json.dumps([str(content) for where, content in read[ADA] if where.startswith(("appeal:", "/tokens rev"))])
    assert "tokens that the cut took from your grants so far are back in your wallet" in of_ada
    assert "*Upheld*" in of_ada


def opened_by(read: Mapping[str, list[tuple[str, Any]]]) -> dict[str, set[str]]:
    """Which presses opened something, by reader."""
    opened: dict[str, set[str]] = defaultdict(set)
    for reader, contents in read.items():
        opened[reader] |= {where.partition(" ")[0] for where, content in contents if isinstance(content, dict)}
    return opened


def test_nobody_reads_anothers_figures(sqlite_app: App) -> None:
    """Engineers, managers, a director, the board: all that they are told, and no one else's amount in it."""
    app = live(sqlite_app)
    kinds = {template for (template,) in books.rows(app, sa.select(outbox.c.template).distinct())}
    assert {
        "exceptions/card",
        "exceptions/mine",
        "exceptions/note",
        "grants/digest",
        "grants/greeting",
        "grants/statement",
        "reports/weekly",
        "warnings/warning",
        "reviews/pack",
        "reviews/face",
        "reviews/use",
        "reviews/page",
        "reviews/notice",
        "appeals/card",
        "appeals/face",
        "appeals/mine",
        "appeals/note",
    } <= kinds
    assert leaks(app) == set()
    assert_walked(app)
    # The walk would see them: everyone reads their own, and the manager the total of the seven.
    whose, read = figures(app), everything(app)
    for who in (*TEAM, MARA):
        assert whose[who] & set(numbers(read[who])), who
    [answer] = [content for where, content in read[MARA] if where == "/tokens team"]
    assert "*Spent:*" in json.dumps(answer.blocks)


def test_nobody_reads_anothers_figures_while_the_board_votes(sqlite_app: App) -> None:
    """With the draft before the board: the forms to hold and amend, and of the proposal nothing to whom it is about."""
    app = live(sqlite_app, days=ADOPTED_ON)
    # The rest is walked at the end: in January an even pace of Pia's happens to be a grant of Mara's.
    of_review = ("press_", "/tokens review", "pack:", "use:")
    assert {leak for leak in leaks(app) if leak[1].startswith(of_review)} == set()
    read = everything(app)
    opened = opened_by(read)
    for member in BOARD:
        assert {"press_why", "press_hold", "press_amend"} <= opened[member]
    for reader in read.keys() - set(BOARD):
        assert not any(where.startswith("press_") for where in opened[reader]), reader
        [answer] = [content for where, content in read[reader] if where == "/tokens review"]
        assert "No quarterly review has been adopted yet" in json.dumps(answer.blocks)


@pytest.mark.deep
def test_a_bot_that_told_of_two_would_be_found(sqlite_app: App) -> None:
    """With a handbook that lets a total be of one person, the same walk finds what their manager reads of them."""
    app = live(sqlite_app, {"least_people = 5": "least_people = 1"})
    teams.leave(app, "sam@example.com", day_of(app.clock(), app.zone))
    app.clock.move(days=14)  # type: ignore[attr-defined]  # the tests' clock
    use(app, ["tia@example.com"], DAYS)
    app.clock.move(days=7)  # type: ignore[attr-defined]  # the tests' clock
    ticker.tick_once(app)
    assert ("tia@example.com", PIA) in {(who, reader) for reader, _, who, _ in leaks(app)}
