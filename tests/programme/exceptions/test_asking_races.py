"""Many people press at once, on several replicas: one decision, one lot, one message of each kind."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import Refusal
from policy.units import MicroTokens
from scheduler import tick
from store.engine import open_database
from store.tables.exceptions import requests
from store.tables.ledger import entries, lots
from store.tables.outbox import outbox
from tests.support import books, cast, rollout
from tests.support import requests as asking
from tests.support.books import BEN
from tests.support.requests import IRIS, LENA, OMAR, TESS, ask, convene

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

pytestmark = pytest.mark.every_database

MEMBERS = (IRIS, OMAR, TESS, LENA, "pia@example.com")
PRESSES = 10
"""Of each member: every other one through the other replica."""


def test_fifty_presses_at_once_decide_once(app: App, database_url: str) -> None:
    """Five members press ten times each, through two replicas, at the same moment."""
    office = convene(app)
    cast.hire(
        office,
        "email,name,level,role_family,time_zone,hired_on,roles\n"
        "pia@example.com,Pia Roth,senior,engineering,Europe/Berlin,2022-01-01,board\n"
        "lena@example.com,,,,,,board\n",
    )
    before, grant = books.wallet(office, BEN), rollout.granted(office, "2026-11")[BEN]
    request = ask(office, BEN, f"{grant.decimal * 2:f}")
    assert request.class_name == "standard"
    codes: list[str] = []

    presses = [member for member in MEMBERS for _ in range(PRESSES)]
    barrier = threading.Barrier(len(presses))

    def press(member: str, replica: App) -> None:
        barrier.wait(books.WAIT_SECONDS)
        try:
            voted = asking.vote(replica, member, request)
            codes.append("again" if voted.again else voted.request.state)
        except Refusal as refusal:
            codes.append(refusal.code)

    replicas = [dataclasses.replace(office, database=open_database(database_url)) for _ in range(2)]
    with ThreadPoolExecutor(len(presses)) as pool:
        done = [pool.submit(press, member, replicas[number % 2]) for number, member in enumerate(presses)]
    assert [one.exception() for one in done] == [None] * len(presses)
    for replica in replicas:
        replica.database.close()
    counted = Counter(codes)
    assert sum(counted.values()) == len(MEMBERS) * PRESSES
    assert counted["approved"] == 1
    assert counted["open"] == 1
    assert set(counted) <= {"approved", "open", "again", "decided"}
    assert books.wallet(office, BEN) == before + request.amount
    for table, kind in ((entries.c.kind, "exception"), (lots.c.kind, "exception")):
        assert books.rows(office, sa.select(sa.func.count()).where(table == kind)) == [(1,)]
    told = asking.owed(office, request)
    assert len(told) == len(set(told))
    assert [key for key in told if key.startswith("note:")] == [f"note:approved:{cast.person_id(office, BEN)}"]
    assert books.findings(office) == {}


def test_one_form_sent_by_two_replicas_is_one_request(app: App, database_url: str) -> None:
    """Slack may deliver a submission twice: whoever comes second finds the first one's request."""
    office = convene(app)
    found: list[str] = []

    def send(database: Database) -> None:
        replica = dataclasses.replace(office, database=database)
        found.append(ask(replica, BEN, "5000", key="view-1").id)

    assert books.at_once(database_url, [send] * 8) == []
    assert len(found) == 8
    assert len(set(found)) == 1
    assert books.count(office, requests) == 1


def test_two_incidents_at_once_are_one_break_glass(app: App, database_url: str) -> None:
    """Once in thirty days, also when both forms are sent at the same moment."""
    office = convene(app)
    refused: list[str] = []

    def break_glass(database: Database) -> None:
        replica = dataclasses.replace(office, database=database)
        try:
            ask(replica, BEN, "100", incident="INC-1")
        except Refusal as refusal:
            refused.append(refusal.code)

    assert books.at_once(database_url, [break_glass] * 6) == []
    assert refused == ["request_invalid"] * 5
    assert books.count(office, requests) == 1
    assert books.findings(office) == {}


def test_a_vote_and_the_deadline_at_once(app: App, database_url: str) -> None:
    """Replicas that lapse a request while others vote and withdraw leave it in one state, told of once."""
    office = convene(app)
    request = ask(office, BEN, "5000")
    office.clock.move(seconds=(request.lapse_at - office.clock()).total_seconds())  # type: ignore[attr-defined]

    def lapse(database: Database) -> None:
        replica = dataclasses.replace(office, database=database)
        assert tick.tick(replica, now=office.clock()).failed == ()

    def vote(database: Database) -> None:
        replica = dataclasses.replace(office, database=database)
        assert asking.refused(replica, TESS, request) in {"too_late", "decided"}

    assert books.at_once(database_url, [lapse, vote, lapse, vote, lapse, vote]) == []
    assert asking.states(office) == {request.id: "lapsed"}
    told = books.rows(office, sa.select(outbox.c.key).where(outbox.c.key.like("note:%")))
    assert told == [(f"note:{request.id}:lapsed:{cast.person_id(office, BEN)}",)]
    assert books.account(office, "pool") == MicroTokens(0)
    assert books.findings(office) == {}
