"""Decided requests of three years, with everything that they left in the ledger."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.exceptions import FAST, MEMBER, STANDARD
from policy.kinds import EntryKind, LotKind
from policy.period import day_of
from policy.reasons import Reason
from policy.units import MicroTokens, NanoUSD
from programme.exceptions import notices
from programme.funding import PRIORITY
from store import audit, bulk
from store.exceptions import requests as store
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.outbox import messages as outbox_messages
from store.tables.exceptions import request_seats, request_votes, requests
from store.tables.outbox import outbox as messages
from views import codec
from views.exceptions import Situation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.exceptions import Seat
    from programme.app import App
    from store.engine import Session

YEARS = timedelta(days=3 * 365)
AMOUNT = MicroTokens.parse("1000")
"""So little that none makes a later request of the same person anything but fast."""
AT_ONCE = 1_000
OUTBOX_ROWS, AUDIT_ROWS = 6, 2
"""Of each request."""


class Past(NamedTuple):
    """A request as it was made and decided."""

    id: str
    person_id: str
    state: str
    class_name: str
    made_at: datetime
    decided_at: datetime
    voters: tuple[str, ...]

    @property
    def ends_at(self) -> datetime:
        return self.decided_at + timedelta(days=30)


class Office(NamedTuple):
    """What all of them were judged by."""

    app: App
    seats: Sequence[Seat]
    handbook_version: str
    channel: str


def write(office: Office, people: Sequence[str], count: int, *, until: datetime) -> None:
    """So many, evenly over three years and by chance over people; some of everyone's."""
    chance = random.Random(count)
    for numbers in bulk.chunks(range(count), AT_ONCE):
        pasts = [_past(office, people, until - YEARS * (count - n) / (count + 1), chance) for n in numbers]
        with office.app.database.transaction() as session:
            _write(session, office, pasts)


def _past(office: Office, people: Sequence[str], made_at: datetime, chance: random.Random) -> Past:
    state, voters_of_class = chance.choices(
        ((store.APPROVED, 1), (store.REJECTED, 1), (store.LAPSED, 0), (store.WITHDRAWN, 0)), (70, 15, 10, 5)
    )[0]
    class_name = chance.choice((FAST, STANDARD))
    members = [seat.person_id for seat in office.seats if seat.kind == MEMBER]
    voters = chance.sample(members, voters_of_class * (2 if class_name == STANDARD else 1))
    decided_at = made_at + timedelta(hours=chance.randrange(1, 24))
    return Past(
        f"xr_{chance.getrandbits(64):016x}",
        chance.choice(people),
        state,
        class_name,
        made_at,
        decided_at,
        tuple(voters),
    )


def _write(session: Session, office: Office, pasts: Sequence[Past]) -> None:
    entry_of = _credited(session, pasts)
    session.execute(sa.insert(requests), [_row(office, past, entry_of.get(past.id)) for past in pasts])
    seats = [
        (past.id, seat.person_id, seat.kind, seat.is_chair, seat.is_finance, "")
        for past in pasts
        for seat in office.seats
    ]
    columns = ("request_id", "person_id", "kind", "is_chair", "is_finance", "recused")
    bulk.insert(session, request_seats, columns, seats)
    votes = [_vote(past, voter) for past in pasts for voter in past.voters]
    if votes:
        session.execute(sa.insert(request_votes), votes)
    _write_messages(session, office, pasts)
    audit.append(session, *(record for past in pasts for record in _records(office, past)))


def _credited(session: Session, pasts: Sequence[Past]) -> dict[str, int]:
    """Post what was approved, and that it lapsed since: each wallet is left as it was, its lots are empty."""
    approved = [past for past in pasts if past.state == store.APPROVED]
    codes = [ledger.TREASURY, ledger.EXPIRED, *(ledger.wallet_code(past.person_id) for past in approved)]
    account_of = ledger.open_accounts(session, codes)
    treasury, expired = account_of[ledger.TREASURY], account_of[ledger.EXPIRED]
    drafts: list[Draft] = []
    for past in approved:
        wallet = account_of[ledger.wallet_code(past.person_id)]
        lot = NewLot(
            LotKind.EXCEPTION,
            PRIORITY,
            past.decided_at,
            past.ends_at,
            "Exception: bench",
            past.voters[0],
        )
        drafts += [
            _draft(past, EntryKind.EXCEPTION, past.decided_at, treasury, wallet, lot),
            _draft(past, EntryKind.EXPIRY, past.ends_at - timedelta(seconds=1), wallet, expired),
        ]
    ids = ledger.post(session, drafts, now=pasts[-1].decided_at)
    return {past.id: entry_id for past, entry_id in zip(approved, ids[::2], strict=True)}


def _draft(  # noqa: PLR0917 - private, the parts of one entry
    past: Past, kind: EntryKind, at: datetime, giver: int, taker: int, lot: NewLot | None = None
) -> Draft:
    key = f"{kind}:{past.id}"
    return Draft(
        kind, key, ledger.fingerprint(key), at, "bench", "bench", ((giver, -int(AMOUNT)), (taker, int(AMOUNT))), lot=lot
    )


_SITUATION = codec.plain(
    Situation(
        monthly_grant=MicroTokens.parse("100000"),
        available=MicroTokens.parse("5000"),
        runs_out=None,
        earlier=MicroTokens(0),
        pool=NanoUSD.parse("1000000"),
        value_version="2026-Q4.1",
        per_token=NanoUSD(3_000_000),
        manager=None,
        sponsor=None,
        because=(Reason("fast", "at most the monthly grant and USD 5,000"),),
    )
)


def _row(office: Office, past: Past, entry_id: int | None) -> dict[str, Any]:
    last_day = day_of(past.ends_at - timedelta(seconds=1), office.app.zone)
    deadline = past.made_at + timedelta(days=3)
    return {
        "id": past.id,
        "idempotency_key": f"request:bench:{past.id}",
        "person_id": past.person_id,
        "class_name": past.class_name,
        "state": past.state,
        "revision": 2,
        "amount": int(AMOUNT),
        "purpose": "Trying the new model on the release's migration scripts",
        "last_day": last_day,
        "situation": _SITUATION,
        "handbook_version": office.handbook_version,
        "made_at": past.made_at,
        "needed": max(len(past.voters), 1),
        "needs_finance": False,
        "first_stage": 0,
        "stage": 0,
        "remind_at": deadline,
        "escalate_at": deadline,
        "last_call_at": deadline,
        "lapse_at": deadline,
        "decided_at": past.decided_at,
        "decided_by": past.voters[-1] if past.voters else "policy",
        "granted": int(AMOUNT) if entry_id else None,
        "granted_last_day": last_day if entry_id else None,
        "entry_id": entry_id,
    }


def _vote(past: Past, voter: str) -> dict[str, Any]:
    approves = past.state == store.APPROVED
    return {
        "request_id": past.id,
        "seat": voter,
        "cast_by": voter,
        "approves": approves,
        "reason": None if approves else "There is a cheaper way.",
        "cast_at": past.decided_at,
    }


_MESSAGE = (
    "key",
    "template",
    "view",
    "person_id",
    "channel",
    "about",
    "replaces",
    "created_at",
    "due_at",
    "state",
    "at_once",
    "attempts",
    "slack_channel",
    "slack_ts",
    "sent_at",
)


def _write_messages(session: Session, office: Office, pasts: Sequence[Past]) -> None:
    """The cards with a later face each, the word of the decision and the question of what came of it, all sent."""
    instant = bulk.instant_codec(session)
    rows: list[bulk.Row] = []
    for past in pasts:
        made, decided, asked = instant(past.made_at), instant(past.decided_at), instant(past.ends_at)
        view, person = json.dumps({"request_id": past.id}), past.person_id
        mine, card = notices.mine_key(past.id), notices.card_key(past.id)
        for key, template, to, channel, replaces, at in (
            (mine, notices.MINE, person, None, None, made),
            (card, notices.CARD, None, office.channel, None, made),
            (f"{mine}@2", notices.MINE, person, None, mine, decided),
            (f"{card}@2", notices.FACE, None, office.channel, card, decided),
            (f"note:{past.id}:{past.state}:{person}", notices.NOTE, person, None, None, decided),
            (f"outcome:{past.id}", notices.OUTCOME, person, None, None, asked),
        ):
            slack = (channel or f"D{person}", "1764547200.000100")
            rows.append(
                (key, template, view, to, channel, past.id, replaces, at, at, outbox_messages.SENT, True, 1, *slack, at)
            )
    bulk.insert(session, messages, _MESSAGE, rows)


def _records(office: Office, past: Past) -> tuple[audit.Record, audit.Record]:
    version = office.handbook_version
    seats = {seat.person_id: seat.kind for seat in office.seats}
    after = {"state": store.OPEN, "class": past.class_name, "seats": seats, "because": ["fast"]}
    decided = {"state": past.state, "approvals": len(past.voters), "rejections": 0, "because": ["votes"]}
    made = audit.Record(
        at=past.made_at,
        actor=past.person_id,
        action="request.make",
        subject=past.id,
        after=after,
        handbook_version=version,
    )
    by = past.voters[-1] if past.voters else "policy"
    return made, audit.Record(
        at=past.decided_at, actor=by, action="request.vote", subject=past.id, after=decided, handbook_version=version
    )
