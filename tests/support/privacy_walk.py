"""The walk through everything that everyone can read, in a company in which each figure says whose it is.

Everyone has amounts that no one else has, so that a figure says whose it is. What may be known of others is spelled
out in `allowed`: what someone asked the board for, for members whom it does not concern.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from slack_sdk import WebClient

from handlers import slack_app
from handlers.appeals import deciding as appeal_handlers
from handlers.reviews import board as review_handlers
from handlers.slack import homes
from handlers.slack.interactions import Modal, Press
from policy.period import Quarter
from policy.reasons import Refusal
from policy.reviews.persons import LOW
from policy.units import MicroTokens
from programme.appeals import deciding, filing
from programme.exceptions import cards, questions
from programme.reviews import file, single_cases, voting
from programme.usage import intake
from scheduler import messages, ticker
from store.exceptions import requests as requests_store
from store.people import directory as people_store
from store.reviews import drafts
from store.tables.outbox import outbox
from store.tables.people import people
from store.tables.reviews import review_cases, review_inputs, review_panels
from templates import review_page, review_shown
from tests.support import books, cast, depth, played, rollout, teams
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.requests import IRIS, KOFI, OMAR, TESS, ZOE
from tests.support.teams import DANA, KIM, LOU, MARA, MAX, NED, PIA, TEAM
from tests.support.whose import figures, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programme.app import App
    from store.people.directory import Person

ANNOUNCE, DAYS = "C0ALL", 75
Q4 = Quarter(2026, 4)
ADOPTED_ON = 56
"""On 15 January: the last day for February, and then an appeal is possible until 5 February."""
POSTS = {ADA: "1", KIM: "0.95", LOU: "0.9", MAX: "0.85", NED: "0.8", teams.OLA: "0.75", MARA: "0.97", PIA: "0.92"}
"""No one has the same post, and so no one has the same grant."""
BOARD, ALTERNATES = (IRIS, OMAR, TESS), (ZOE, KOFI)
FAY, ROOT, AUDRA, REX = (f"{name}@example.com" for name in ("fay", "root", "audra", "rex"))
ROLES = {FAY: "finance", ROOT: "admin", AUDRA: "auditor", REX: "recruiter"}
"""People outside of the programme who have a part in it; finance votes on reviews, and decides appeals."""
SAM, TIA = "sam@example.com", "tia@example.com"
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>|\b[0-9a-f]{64}\b", re.DOTALL)
"""What is no word of a page: styles, scripts, tags with their pictures, a digest."""
SLACK_MARKUP = re.compile(r"<!date\^[^>]*>|<[@#][^>]*>|\b20\d\d-[^\s]*")


# --- A company with a past -----------------------------------------------------------------------------------------


def live(app: App, changes: Mapping[str, str] = rollout.NONE, *, days: int = DAYS) -> App:
    """Two months and a half of grants, use, requests, warnings, reports, and a review with its appeals."""
    begun = app.clock()
    played.once(app, f"lived {days} {sorted(changes.items())}", partial(_live, app, changes, days))
    app.clock.now = begun + timedelta(days=days)  # type: ignore[attr-defined]  # the tests' clock
    return dataclasses.replace(app, governance_channel=asking.BOARD_CHANNEL)


def _live(app: App, changes: Mapping[str, str], days: int) -> None:
    teams.hire_team(app)
    few = [teams.person(SAM, PIA), teams.person(TIA, PIA)]
    teams.hire(app, teams.person(DANA, ""), teams.person(PIA, DANA), *few)
    others = [teams.person(who, "").replace(",engineering,", ",operations,") for who in ROLES]
    teams.hire(app, *(line[: line.rindex(",")] + f",{ROLES[who]}\n" for who, line in zip(ROLES, others, strict=True)))
    teams.move(app, MARA, DANA)
    cast.hire(app, "email,fte\n" + "".join(f"{email},{post}\n" for email, post in POSTS.items()))
    app = asking.convene(app, changes=changes)
    spenders = [*TEAM, MARA, PIA, SAM, TIA]
    for number in range(days):
        rollout.run_calendar(app, app.clock(), announce_in=ANNOUNCE)
        use(app, spenders, number)
        ticker.warn(app)
        ask(app, number)
        review(app, number)
        app.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock


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
        asking.vote(app, TESS, asking.ask(app, ADA, "4321.5", purpose=purpose(ADA)))
        rejected = asking.ask(app, BEN, "2345.25", purpose=purpose(BEN))
        asking.vote(app, TESS, rejected, approves=False, reason=REJECTION)
    elif number == DAYS - 1:
        open_ = asking.ask(app, KIM, "5432.75", purpose=purpose(KIM))
        with app.transaction() as moment:
            asked = questions.ask(moment, asking.person(moment.session, IRIS), open_.id, QUESTION, key="question")
            questions.answer(moment, asking.person(moment.session, KIM), asked.id, ANSWER)
        asking.ask(app, LOU, "1678.25", incident="INC-1", purpose=purpose(LOU))


REJECTION, QUESTION, ANSWER = "Use the small model", "Which parser is it for?", "For the second one"


def purpose(who: str) -> str:
    """What someone asks for tokens for, in words that no one else uses."""
    return f"A purpose of {_first_name(who)}"


def plea(who: str) -> str:
    """Why someone appeals, in the same way."""
    return f"A plea of {_first_name(who)}"


def amendment(who: str) -> str:
    """Why the board changes what was proposed for someone."""
    return f"Another project of {_first_name(who)}"


def verdict(who: str) -> str:
    """Why an appeal of someone is decided as it is."""
    return f"It was as {_first_name(who)} told"


def _first_name(who: str) -> str:
    return who.partition("@")[0].title()


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
            reason=amendment(who),
            seen=single_cases.mark(case),
        )


def appeal(app: App, who: str, *, decided_by: str = "", upheld: bool = False) -> None:
    with app.transaction() as moment:
        filed = filing.file(moment, asking.person(moment.session, who), Q4, plea(who))
        if decided_by:
            deciding.decide(
                moment, asking.person(moment.session, decided_by), filed.id, upheld=upheld, reason=verdict(who)
            )


# --- What may be known of others -------------------------------------------------------------------------------------


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
    for person_id in _pressed_about(person, everybody):
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


def _pressed_about(person: Person, everybody: list[str]) -> list[str]:
    """About whom someone presses: who has a seat about each, whoever else about themselves and two others, if quick."""
    if person.email in {*BOARD, *ALTERNATES, FAY}:
        return everybody
    return depth.either(quick=[person.id, *(one for one in everybody if one != person.id)][:3], deep=everybody)


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


Read = Mapping[str, list[tuple[str, Any]]]
"""(where, what) of all that each person reads."""


def leaks(app: App, read: Read) -> set[tuple[str, str, str, Decimal]]:
    """(reader, where, whose, figure) of everything that someone reads of another person."""
    whose, found = figures(app), set()
    for reader, contents in read.items():
        own = whose.get(reader, set()) | allowed(app, reader)
        others = {who: theirs - own for who, theirs in whose.items() if who != reader}
        for where, content in contents:
            seen = set(numbers(content))
            found |= {(reader, where, who, figure) for who, theirs in others.items() for figure in theirs & seen}
    return found


def assert_walked(read: Read) -> None:
    """The board opened cases, the pack's parts and an appeal, no one else did; each is told what is theirs."""
    opened = opened_by(read)
    for member in BOARD:
        assert {"press_cases", "press_page", "press_why", "press_show", "press_send"} <= opened[member]
    for member in (*ALTERNATES, FAY):
        assert "press_uphold" in opened[member]
    for reader in read.keys() - {*BOARD, *ALTERNATES, FAY}:
        assert not any(where.startswith("press_") for where in opened[reader]), reader
    of_ada = json.dumps([str(content) for where, content in read[ADA] if where.startswith(("appeal:", "/tokens rev"))])
    assert "tokens that the cut took from your grants so far are back in your wallet" in of_ada
    assert "*Upheld*" in of_ada


def opened_by(read: Read) -> dict[str, set[str]]:
    """Which presses opened something, by reader."""
    opened: dict[str, set[str]] = defaultdict(set)
    for reader, contents in read.items():
        opened[reader] |= {where.partition(" ")[0] for where, content in contents if isinstance(content, dict)}
    return opened
