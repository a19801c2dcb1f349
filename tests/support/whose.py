"""Whose a figure is, by what it says of them: each in the ways in which messages round it."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from policy.period import Week
from policy.units import MicroTokens
from programme.balance import balance
from store.exceptions import requests as requests_store
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.people import people
from store.tables.reviews import review_cases
from store.tables.usage import usage_days
from tests.support import books

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from programme.app import App
    from views.balance import Lapse

Figures = dict[str, set[Decimal]]
"""By e-mail."""
LEFT, GRANT, USED, LAPSE, YEAR, AFTER = (
    "what they have left, or had when they asked",
    "their monthly grant",
    "what they used",
    "what will lapse",
    "what a year's allowance was worth",
    "their grant before and after a review",
)
ASKED = "how much they asked for"
TOGETHER = {"appeal": "grant", "reversal": "usage", "expiry": "lapse"}
"""Kinds of entries that a year's worth tells as one."""


def told(amounts: Iterator[int] | list[int], scale: int) -> set[Decimal]:
    """Amounts in the ways in which messages round them; small ones could be anything."""
    found: set[Decimal] = set()
    for amount in amounts:
        for digits in ("0.01", "1"):
            found.add((Decimal(abs(amount)) / scale).quantize(Decimal(digits), ROUND_HALF_EVEN))
    return {figure for figure in found if figure >= 1_000 or (figure >= 10 and figure != figure.to_integral_value())}


def figures(app: App) -> Figures:
    """Everything of each person but what they asked the board for."""
    found: Figures = defaultdict(set)
    for kind, of_people in by_kind(app).items():
        for who, theirs in of_people.items():
            found[who] |= set() if kind == ASKED else theirs
    return found


def by_kind(app: App) -> dict[str, Figures]:
    """What everyone has, was granted, spent and loses, and asked for."""
    emails = dict(books.rows(app, sa.select(people.c.id, people.c.email)))
    wallet_of = {
        account: emails[person]
        for account, person in books.rows(app, sa.select(accounts.c.id, accounts.c.person_id))
        if person
    }
    return {
        LEFT: _left(app, emails, wallet_of),
        GRANT: _granted(app, emails, wallet_of),
        USED: _used(app, wallet_of),
        LAPSE: _lapsing(app, emails.values()),
        YEAR: _years(app, wallet_of),
        AFTER: _reviewed(app, emails),
        ASKED: _asked(app, emails),
    }


def _left(app: App, emails: Mapping[str, str], wallet_of: Mapping[int, str]) -> Figures:
    """Balances, what remains of lots, and what people had when they asked for more."""
    found: Figures = defaultdict(set)
    balances = books.rows(app, sa.select(accounts.c.id, accounts.c.balance))
    for account, held in [*balances, *books.rows(app, sa.select(lots.c.account_id, lots.c.remaining))]:
        if account in wallet_of:
            found[wallet_of[account]] |= told([held], 10**6) | told([held], 10**8)
    with app.reading() as moment:
        for request in requests_store.made_between(moment.session, None, None):
            had = int(request.situation["available"])
            found[emails[request.person_id]] |= told([had], 10**6) | told([had], 10**8)
    return found


def _granted(app: App, emails: Mapping[str, str], wallet_of: Mapping[int, str]) -> Figures:
    """Grants with what they follow from, and lots as they were given."""
    found: Figures = defaultdict(set)
    for account, amount in books.rows(app, sa.select(lots.c.account_id, lots.c.amount)):
        found[wallet_of[account]] |= told([amount], 10**6) | told([amount], 10**8)
    g = grants.c
    for person, amount, entitled in books.rows(app, sa.select(g.person_id, g.amount, g.entitled_nano_usd)):
        found[emails[person]] |= told([amount], 10**6) | told([entitled], 10**9)
    return found


def _used(app: App, wallet_of: Mapping[int, str]) -> Figures:
    """Use by day, week, month and service, and all of it."""
    found: Figures = defaultdict(set)
    for (who, _), (cost, debit) in sums_of_use(app, {who: (who,) for who in wallet_of.values()}).items():
        found[who] |= told([cost], 10**9) | told([debit], 10**6)
    return found


def sums_of_use(app: App, groups: Mapping[str, Iterable[str]]) -> dict[tuple[str, object], list[int]]:
    """(cost, debit) of some groups of people, by the group and a period or service."""
    d = usage_days.c
    query = sa.select(people.c.email, d.day, d.service_key, d.cost_nano_usd, d.debit_micro_tokens)
    query = query.join_from(usage_days, accounts, accounts.c.id == d.account_id)
    groups_of: dict[str, list[str]] = defaultdict(list)
    for name, some in groups.items():
        for who in some:
            groups_of[who].append(name)
    sums: dict[tuple[str, object], list[int]] = defaultdict(lambda: [0, 0])
    for who, day, service, cost, debit in books.rows(app, query.join(people, people.c.id == accounts.c.person_id)):
        for name in groups_of[who]:
            for period in (day, Week.containing(day), (day.year, day.month), service, ""):
                sums[name, period][0] += cost
                sums[name, period][1] += debit
    return sums


def _lapsing(app: App, emails: Iterable[str]) -> Figures:
    found: Figures = defaultdict(set)
    for who, lapse in lapses(app, emails):
        found[who] |= told([lapse.amount, lapse.left], 10**6)
    return found


def _years(app: App, wallet_of: Mapping[int, str]) -> Figures:
    """What was granted, used or the like in each year, in tokens and USD, and half of that, as a year's worth tells."""
    query = sa.select(postings.c.account_id, entries.c.kind, entries.c.effective_at, postings.c.amount)
    sums: dict[tuple[int, str, int], int] = defaultdict(int)
    for account, kind, at, amount in books.rows(app, query.join_from(postings, entries)):
        sums[account, TOGETHER.get(kind, kind), at.astimezone(app.zone).year] += amount
    found: Figures = defaultdict(set)
    for (account, *_), amount in sums.items():
        if account in wallet_of:
            found[wallet_of[account]] |= told([amount], 10**6) | told([amount], 10**8) | told([amount], 2 * 10**8)
    return found


def _reviewed(app: App, emails: Mapping[str, str]) -> Figures:
    found: Figures = defaultdict(set)
    c = review_cases.c
    for person, before, after in books.rows(app, sa.select(c.person_id, c.grant_before, c.grant_after)):
        found[emails[person]] |= told([amount for amount in (before, after) if amount], 10**6)
    return found


def _asked(app: App, emails: Mapping[str, str]) -> Figures:
    found: Figures = defaultdict(set)
    with app.reading() as moment:
        for request in requests_store.made_between(moment.session, None, None):
            amounts = [int(request.amount), int(request.granted or MicroTokens(0))]
            found[emails[request.person_id]] |= told(amounts, 10**6) | told(amounts, 10**8)
    return found


def lapses(app: App, emails: Iterable[str]) -> Iterator[tuple[str, Lapse]]:
    """What is announced to lapse of everyone's grants."""
    with app.reading() as moment:
        for email in emails:
            card = balance.of_email(moment, email)
            if card is not None and card.lapse is not None:
                yield email, card.lapse
