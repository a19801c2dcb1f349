"""What a second record of somebody has, and how it becomes the first one's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from policy.kinds import LotKind
from store import bulk
from store.people import cost_centres
from store.tables.appeals import appeals, review_opt_outs
from store.tables.exceptions import request_beneficiaries, request_seats, requests
from store.tables.ledger import accounts, lots
from store.tables.outbox import homes, outbox
from store.tables.people import absences, assignments, identities, people, projects
from store.tables.scim import scim_members, scim_users

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from store.engine import Session

OPEN, CREDITED = "open", "credited"


class OpenLot(NamedTuple):
    """A lot with something left, as it would be opened again elsewhere."""

    id: int
    kind: LotKind
    priority: int
    remaining: int
    starts_at: datetime
    expires_at: datetime
    reason: str
    granted_by: str


def open_lots(session: Session, account_id: int, now: datetime) -> list[OpenLot]:
    """What is left in a wallet and has not ended, in order of its lots."""
    c = lots.c
    query = sa.select(c.id, c.kind, c.priority, c.remaining, c.starts_at, c.expires_at, c.reason, c.granted_by).where(
        c.account_id == account_id, c.remaining > 0, c.expires_at > now
    )
    return [OpenLot(*row)._replace(kind=LotKind(row.kind)) for row in session.execute(query.order_by(c.id))]


class Wallet(NamedTuple):
    balance: int
    held: int


def wallet(session: Session, account_id: int) -> Wallet:
    query = sa.select(accounts.c.balance, accounts.c.held).where(accounts.c.id == account_id)
    return Wallet(*session.execute(query).one())


class Heir(NamedTuple):
    """The wallet of a second record, that of its first, and their persons."""

    out: int
    into: int
    second_id: str
    first_id: str


def heirs(session: Session, wallets: Iterable[int]) -> list[Heir]:
    """Those of some wallets that are of second records, with those of their first ones."""
    a, b = accounts.alias(), accounts.alias()
    query = (
        sa.select(a.c.id, b.c.id, people.c.id, people.c.merged_into)
        .join_from(a, people, people.c.id == a.c.person_id)
        .join(b, b.c.person_id == people.c.merged_into)
        .order_by(a.c.id)
    )
    return [
        Heir(*row) for some in bulk.chunks(sorted(wallets)) for row in session.execute(query.where(a.c.id.in_(some)))
    ]


def undecided(session: Session, person_id: str) -> list[str]:
    """What of somebody's cannot change hands: a break-glass that is not ratified yet, and appeals, by their names."""
    of_requests = sa.select(requests.c.id).where(requests.c.person_id == person_id, requests.c.state == CREDITED)
    of_appeals = sa.select(appeals.c.quarter).where(appeals.c.person_id == person_id, appeals.c.state == OPEN)
    found = [f"request {one}" for one in session.execute(of_requests).scalars()]
    return found + [f"the appeal about {one}" for one in session.execute(of_appeals).scalars()]


def reports(session: Session, person_id: str) -> list[str]:
    """The ids of those who report to somebody now."""
    return list(session.execute(sa.select(people.c.id).where(people.c.manager_id == person_id)).scalars())


def hand_over(session: Session, second: str, first: str) -> None:
    """What is not of the books: names, addresses, requests that are still open, letters that wait, work and leave."""
    session.execute(sa.update(identities).where(identities.c.person_id == second).values(person_id=first))
    waiting = (outbox.c.person_id == second, outbox.c.state.in_(("waiting", "leased", "parked")))
    session.execute(sa.update(outbox).where(*waiting).values(person_id=first))
    cost_centres.hand_over(session, second, first)
    for column in (projects.c.director_id, projects.c.sponsor_id):
        session.execute(sa.update(projects).where(column == second).values({column: first}))
    for table, keys in (
        (absences, ("first_day",)),
        (assignments, ("project_key", "first_day")),
        (request_beneficiaries, ("request_id",)),
        (scim_members, ("group_id",)),
        (review_opt_outs, ()),
    ):
        _move(session, table, keys, second, first)
    session.execute(sa.delete(homes).where(homes.c.person_id == second))


def _move(session: Session, table: sa.Table, keys: tuple[str, ...], second: str, first: str) -> None:
    """The second's rows become the first's, but those that the first has as well."""
    theirs = table.alias()
    same = [theirs.c[key] == table.c[key] for key in keys]
    has = sa.exists().where(theirs.c.person_id == first, *same)
    session.execute(sa.delete(table).where(table.c.person_id == second, has))
    session.execute(sa.update(table).where(table.c.person_id == second).values(person_id=first))


def hand_over_requests(session: Session, second: str, first: str) -> list[str]:
    """Requests that are open become the first's, who then has no vote on them; their ids."""
    theirs = (requests.c.person_id == second, requests.c.state == OPEN)
    ids = list(session.execute(sa.select(requests.c.id).where(*theirs)).scalars())
    if ids:
        moved = {"person_id": first, "revision": requests.c.revision + 1}
        session.execute(sa.update(requests).where(requests.c.id.in_(ids)).values(moved))
        seat = (request_seats.c.request_id.in_(ids), request_seats.c.person_id == first)
        session.execute(sa.update(request_seats).where(*seat).values(recused="requester"))
    return ids


def hand_over_account(session: Session, second: str, first: str) -> None:
    """What a provider told of the second is the first's, where it told nothing of the first."""
    told = session.execute(sa.select(scim_users.c.person_id).where(scim_users.c.person_id == first)).one_or_none()
    of_second = scim_users.c.person_id == second
    if told is None:
        session.execute(sa.update(scim_users).where(of_second).values(person_id=first))
    else:
        session.execute(sa.delete(scim_users).where(of_second))
