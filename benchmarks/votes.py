"""(g) A vote that decides: a signed press of *Approve* to the committed decision, over an empty Bolt handler."""

from __future__ import annotations

import dataclasses
import gc
import json
import time
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from benchmarks import balance, monthly, past_requests
from handlers import slack_app
from policy.period import day_of
from programme.exceptions import asking, cards, voting
from programme.exceptions.asking import NewRequest
from programme.exceptions.voting import Ballot
from programme.grants import monthly as monthly_grants
from programme.people import board
from store import audit, bulk
from store.people import directory as people_store
from store.tables.audit import audit_log
from store.tables.exceptions import request_votes, requests
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.outbox import outbox
from store.tables.people import people
from templates import exceptions as shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slack_bolt import Ack, BoltRequest
    from slack_bolt import App as Bolt

    from programme.app import App
    from store.people.directory import Person

PEOPLE = 5_000
BOARD = {"board": 5, "alternate": 2, "chair": 1, "finance": 1}
"""People by role, each another's."""
CHANNEL = "C0BOARD"
WARM_UP, ROUNDS = 40, 400
CHANGED = (request_votes, entries, postings, lots, outbox, audit_log)
"""Where a decision adds rows; it changes a request and two accounts besides."""
CHANGES = 3
EXPECTED = {"request_votes": 1, "entries": 1, "postings": 2, "lots": 1, "outbox": 3, "audit_log": 1}
"""Rows that a decision adds: three messages are the two cards' new faces and the word to the requester."""


class Measured(NamedTuple):
    """Medians in seconds of what was taken in turn; the floor's transaction has so many statements and rows.

    On a busy machine the processor's time, which is this process's alone, says more than the clock.
    """

    press: float
    empty: float
    press_cpu: float
    empty_cpu: float
    decision: float
    raw: float
    statements: int
    rows: int


class Vote(NamedTuple):
    voter: Person
    request_id: str


def measure(kind: str, past: int) -> Measured:
    """A vote on a fresh request in a ledger with so many past ones; the totals are asserted."""
    with company(kind, past) as (app, office):
        votes = open_requests(app, office, 2 * (WARM_UP + ROUNDS) + 1)
        before = _counts(app)
        statements = _statements(app, votes[0])
        rows = sum(EXPECTED.values()) + CHANGES
        spent = _in_turn(app, votes[1:], _Raw(app, statements=statements, rows=rows))
        _assert_totals(app, votes, before)
    press, empty, press_cpu, empty_cpu, decision, raw = map(median, zip(*spent, strict=True))
    return Measured(press, empty, press_cpu, empty_cpu, decision, raw, statements, rows)


@contextmanager
def company(kind: str, past: int) -> Iterator[tuple[App, past_requests.Office]]:
    """A company with its board, past requests, and December's grants, to measure fresh requests by."""
    with monthly.company(kind, PEOPLE) as prepared:
        app = dataclasses.replace(prepared, governance_channel=CHANNEL)
        with app.database.transaction() as session:
            session.execute(sa.update(people).values(slack_user_id=sa.literal("U") + people.c.id))
            roles = [role for role, count in BOARD.items() for _ in range(count)]
            for number, role in enumerate(roles):
                people_store.set_roles(session, _person(session, number).id, [role])
        with app.reading(monthly.NOW) as moment:
            seats = board.seats(moment)
            version = moment.handbooks.on(day_of(monthly.NOW, app.zone)).version
            everybody = moment.session.execute(sa.select(people.c.id).order_by(people.c.id)).scalars().all()
        office = past_requests.Office(app, seats, version, CHANNEL)
        past_requests.write(office, everybody, past, until=monthly.NOW - timedelta(days=2))
        with app.transaction(monthly.NOW) as moment:
            monthly_grants.run(moment, monthly.MONTH)
        _vacuum(app)
        yield app, office


def _person(session: sa.Connection, number: int) -> Person:
    person = people_store.by_email(session, f"person{number}@bench.example")
    assert person is not None
    return person


def _vacuum(app: App) -> None:
    """What a server's own housekeeping would have done since."""
    if app.database.dialect == "postgresql":
        with app.database.reading() as session:
            session.exec_driver_sql("VACUUM ANALYZE")
            session.exec_driver_sql("CHECKPOINT")


def open_requests(app: App, office: past_requests.Office, count: int) -> list[Vote]:
    """Fresh requests of the fast class, each of another person, with the member who will approve it."""
    made: list[Vote] = []
    members = [seat.person_id for seat in office.seats if seat.kind == "member"]
    last_day = day_of(app.clock(), app.zone) + timedelta(days=29)
    asked = NewRequest(past_requests.AMOUNT, "Trying the new model on the release's migration scripts", last_day)
    first = sum(BOARD.values())
    for number in range(first, first + count):
        with app.transaction() as moment:
            person = _person(moment.session, number)
            submitted = asking.submit(moment, person, asked, key=f"bench{number}")
            voter = people_store.by_id(moment.session, members[number % len(members)])
        assert voter is not None
        assert submitted.request.class_name == "fast"
        made.append(Vote(voter, submitted.request.id))
    return made


def _in_turn(app: App, votes: Sequence[Vote], raw: _Raw) -> list[tuple[float, ...]]:
    """Seconds of a press and an empty handler, by the clock and of the processor, a decision and a bare transaction."""
    bolt = slack_app.build(app, signing_secret=balance.SECRET, authorize=balance.authorize, rate=balance.AT_ANY_RATE)
    floor = _empty_app()
    spent: list[tuple[float, ...]] = []
    gc.collect()
    for number, (pressed, decided) in enumerate(zip(votes[::2], votes[1::2], strict=True)):
        # Both before either: the card of a decided request is a shorter one.
        press, bare = (press_of(app, pressed, action) for action in ("fast_track_approve", "empty"))
        begin = time.process_time()
        clicked, then = dispatch(bolt, press), time.process_time()
        ignored, end = dispatch(floor, bare), time.process_time()
        taken = (clicked, ignored, then - begin, end - then, _decide(app, decided), raw.transact())
        if number >= WARM_UP:
            spent.append(taken)
    return spent


def _empty_app() -> Bolt:
    """One handler that does nothing, in the same mode; among ours it would be looked for behind all the others."""
    bolt = balance.empty_app()

    def empty(ack: Ack) -> None:
        ack()

    bolt.action("empty")(empty)
    return bolt


def press_of(app: App, vote: Vote, action: str) -> BoltRequest:
    """A press of a button under the request's card, as Slack sends it but for an address to answer at."""
    with app.reading() as moment:
        card = cards.of(moment, vote.request_id)
    blocks, user = shown.card(card).blocks, vote.voter.slack_user_id
    value, ts = shown.button_value(card), "1764547200.000100"
    payload = {
        "type": "block_actions",
        "api_app_id": "A1",
        "token": "t",
        "trigger_id": f"1.2.{vote.request_id}",  # What has been answered is not done again.
        "user": {"id": user, "username": "member", "team_id": "T1"},
        "team": {"id": "T1", "domain": "bench"},
        "container": {"type": "message", "message_ts": ts, "channel_id": CHANNEL, "is_ephemeral": False},
        "channel": {"id": CHANNEL, "name": "board"},
        "message": {"type": "message", "user": "U0BOT", "bot_id": "B1", "ts": ts, "text": "", "blocks": blocks},
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": "decide",
                "value": value,
                "action_ts": ts,
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
    }
    return balance.signed({"payload": json.dumps(payload)})


def dispatch(bolt: Bolt, request: BoltRequest) -> float:
    begin = time.perf_counter()
    answer = bolt.dispatch(request)
    spent = time.perf_counter() - begin
    assert answer.status == 200
    assert not answer.body
    return spent


def _decide(app: App, vote: Vote) -> float:
    begin = time.perf_counter()
    with app.transaction() as moment:
        voting.vote(moment, vote.voter, vote.request_id, Ballot(approves=True))
    return time.perf_counter() - begin


def _statements(app: App, vote: Vote) -> int:
    """How many statements a decision runs, whichever way they go."""
    seen: list[str] = []
    run = bulk._run  # noqa: SLF001 - what goes past SQLAlchemy has no event

    def note(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's
        seen.append(statement)

    def noted(session: Any, text: str, values: Any, **how: Any) -> Any:  # noqa: ANN401 - the driver's own
        seen.append(text)
        return run(session, text, values, **how)

    sa.event.listen(app.database.writer, "before_cursor_execute", note)
    bulk._run = noted  # noqa: SLF001 - as above
    _decide(app, vote)
    bulk._run = run  # noqa: SLF001 - as above
    sa.event.remove(app.database.writer, "before_cursor_execute", note)
    return sum(statement != "BEGIN IMMEDIATE" for statement in seen)


class _Raw:
    """A transaction by the bare driver: so many statements, of which so many insert a row and the others find one."""

    def __init__(self, app: App, *, statements: int, rows: int) -> None:
        self._inserts, self._reads = rows, statements - rows
        self._app, self._next = app, 0
        self._mark = "?" if app.database.dialect == "sqlite" else "%s"
        with app.database.transaction() as session:
            session.exec_driver_sql("CREATE TABLE bench_floor (id BIGINT PRIMARY KEY, key TEXT UNIQUE, body TEXT)")

    def transact(self) -> float:
        insert = f"INSERT INTO bench_floor VALUES ({', '.join([self._mark] * 3)})"
        read = f"SELECT body FROM bench_floor WHERE id = {self._mark}"
        with self._app.database.writer.connect() as session:
            driver: Any = session.connection.driver_connection
            driver.rollback()
            begin = time.perf_counter()
            cursor = driver.cursor()
            cursor.execute("BEGIN IMMEDIATE" if self._mark == "?" else "SELECT 1")
            for number in range(self._next, self._next + self._inserts):
                cursor.execute(insert, (number, f"row:{number:x}:{hash(str(number)):x}", "x" * 200))
            for _ in range(self._reads):
                assert cursor.execute(read, (self._next,)).fetchone()
            cursor.execute("COMMIT")
            spent = time.perf_counter() - begin
        self._next += self._inserts
        return spent


def _counts(app: App) -> dict[str, int]:
    with app.database.reading() as session:
        return {
            table.name: session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in CHANGED
        }


def _assert_totals(app: App, votes: Sequence[Vote], before: dict[str, int]) -> None:
    """Every request is approved, with its entry, lot, messages and audit row, and the chain holds."""
    added = {name: count - before[name] for name, count in _counts(app).items()}
    assert added == {name: rows * len(votes) for name, rows in EXPECTED.items()}, added
    ids = [vote.request_id for vote in votes]
    approved = sa.select(sa.func.count()).where(requests.c.id.in_(ids), requests.c.state == "approved")
    credited = sa.select(sa.func.sum(lots.c.remaining)).join(requests, requests.c.entry_id == lots.c.entry_id)
    with app.database.reading() as session:
        assert session.execute(approved).scalar_one() == len(votes)
        assert session.execute(credited.where(requests.c.id.in_(ids))).scalar_one() == len(votes) * past_requests.AMOUNT
        assert session.execute(sa.select(sa.func.sum(accounts.c.balance))).scalar_one() == 0
        assert not list(audit.broken_links(session))
