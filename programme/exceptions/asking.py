"""Asking for an exception: how a request is judged, kept, withdrawn, and, in an incident, credited at once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from policy import deadlines, exceptions, texts
from policy.exceptions import BREAK_GLASS, Ask, ConcernedPeople
from policy.period import Month, Quarter, day_of, first_instant
from policy.reasons import FieldsRefused, Reason, Refusal
from policy.units import MicroTokens, NanoUSD
from programme.balance import balance
from programme.exceptions import crediting, notices
from programme.exceptions.crediting import Credit
from programme.exceptions.request import REQUEST, locked, move, note, require
from programme.exceptions.steps import NO_STEP, first_step
from programme.funding import LARGEST_LOT
from programme.people import board
from programme.value import valuation
from store import locks
from store.exceptions import drafts as drafts_store
from store.exceptions import requests as store
from store.exceptions.requests import CREDITED, OPEN, WITHDRAWN
from store.grants import monthly
from store.ledger import ledger
from store.people import directory as people_store
from store.people import projects as projects_store
from store.people import terms
from views import codec
from views.exceptions import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from policy.deadlines import Deadlines
    from policy.exceptions import Electorate
    from policy.handbook import Handbook
    from programme.handbooks import Handbooks
    from programme.moment import Moment
    from store.exceptions.requests import Request
    from store.people.directory import Person

AT_MOST = f"You may ask for at most {LARGEST_LOT.decimal:,f} tokens in one request."
NO_PURPOSE = 'Write in a sentence what it is for, for example "Load test of the new search". The board decides by it.'
LONGEST_INCIDENT = 100
MOST_BENEFICIARIES = 10


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What someone asks for. With an `incident` it is a break-glass."""

    amount: MicroTokens
    purpose: str
    last_day: date
    project_key: str | None = None
    service_key: str | None = None
    beneficiaries: frozenset[str] = frozenset()
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """How a request would be treated: its class and why, who decides, and until when."""

    class_name: str
    worth: NanoUSD
    panel: Electorate
    deadlines: Deadlines
    situation: Situation
    book: Handbook


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request that is kept; `again` when the same form had been sent before."""

    request: Request
    again: bool


def _concerned(moment: Moment, person_id: str, project_key: str | None, named: frozenset[str]) -> ConcernedPeople:
    manager = people_store.manager_of(moment.session, person_id)
    sponsor = projects_store.sponsor_of(moment.session, project_key) if project_key else None
    return ConcernedPeople(person_id, _one(manager), _one(sponsor), named)


def _one(person_id: str | None) -> frozenset[str]:
    return frozenset(() if person_id is None else {person_id})


# --- Judging -------------------------------------------------------------------------------------------------------


def judge(moment: Moment, person: Person, asked: NewRequest) -> Preview:
    """What would become of a request.

    FieldsRefused for a form with mistakes, another Refusal when no one can decide.
    """
    books = moment.handbooks
    today = moment.today
    book = books.on(today)
    if person.left_on is not None and person.left_on < today:
        raise Refusal("left", "You have left the company, so nothing more can be granted.")
    _require_sound(moment, person, asked, book, today)
    ask = _ask(moment, person, asked, books)
    if asked.incident:
        _require_break_glass(moment, person, ask, book)
        class_name = BREAK_GLASS
        because: tuple[Reason, ...] = (Reason("incident", "an incident, within the limit of break-glass"),)
    else:
        classified = exceptions.classify(ask, book.exceptions)
        class_name, because = classified.name, classified.because
    concerned = _concerned(moment, person.id, asked.project_key, asked.beneficiaries)
    panel = exceptions.electorate(board.seats(moment), concerned, class_name, book.exceptions)
    card = balance.of_email(moment, person.email)
    outlook = card.outlook if card else None
    factors = crediting.latest_factors(moment, person.id)
    return Preview(
        class_name,
        ask.value.worth(asked.amount),
        panel,
        _deadlines(class_name, asked.last_day, book, moment),
        Situation(
            monthly_grant=ask.monthly_grant,
            available=card.available if card else MicroTokens(0),
            runs_out=outlook.lasts_until if outlook else None,
            earlier=ask.earlier,
            pool=ask.pool,
            value_version=ask.value.version,
            per_token=ask.value.per_token,
            manager=next(iter(concerned.managers), None),
            sponsor=next(iter(concerned.sponsors), None),
            because=because,
            is_small_group=factors is not None and factors.is_small_group,
        ),
        book,
    )


def _deadlines(class_name: str, last_day: date, book: Handbook, moment: Moment) -> Deadlines:
    """No later than what is asked for would end: an approval after that would be of no use. A break-glass is there."""
    found = deadlines.deadlines(class_name, moment.now, book.exceptions, deadlines.business_hours(book, moment.zone))
    if class_name == BREAK_GLASS:
        return found
    end = first_instant(last_day + timedelta(days=1), moment.zone)
    return deadlines.Deadlines(
        *(min(at, end) for at in (found.remind_at, found.escalate_at, found.last_call_at, found.lapse_at))
    )


def _ask(moment: Moment, person: Person, asked: NewRequest, books: Handbooks) -> Ask:
    today = moment.today
    book = books.on(today)
    lately = store.since(moment.session, person.id, moment.now - timedelta(days=book.exceptions.split_days))
    return Ask(
        amount=asked.amount,
        earlier=_counted(lately),
        alike=_counted(_alike(moment, person, asked, book)),
        median_grant=monthly.median_grant(moment.session),
        monthly_grant=crediting.monthly_grant(moment, person.id),
        pool=_pool(moment, Quarter.containing(today)),
        value=valuation.expected(moment, Quarter.containing(today), books),
    )


def _counted(requests: Iterable[Request]) -> MicroTokens:
    return sum((request.counts for request in requests), MicroTokens(0))


def _alike(moment: Moment, person: Person, asked: NewRequest, book: Handbook) -> list[Request]:
    """What others asked for of the same kind: about the same incident, or lately for the same project."""
    days = book.exceptions.project_days
    if days is None:
        return []
    if asked.incident:
        taken = store.of_incident(moment.session, asked.incident.strip())
        return [request for request in taken if request.person_id != person.id]
    if asked.project_key is None:
        return []
    return store.of_others(moment.session, person.id, asked.project_key, moment.now - timedelta(days=days))


def _pool(moment: Moment, quarter: Quarter) -> NanoUSD | None:
    """The quarter's budget: its months' budgets, or three times what was issued last where none is set."""
    first = Month.containing(quarter.first_day)
    budgets = [terms.budget(moment.session, first.plus(i)) for i in range(3)]
    if all(budget is not None for budget in budgets):
        return NanoUSD(sum(int(budget) for budget in budgets if budget is not None))
    issued = monthly.latest_issue(moment.session)
    return NanoUSD(3 * int(issued)) if issued else None


def _require_sound(moment: Moment, person: Person, asked: NewRequest, book: Handbook, today: date) -> None:
    if problems := {**_wrong_texts(asked), **_wrong_choices(moment, person, asked, book, today)}:
        raise FieldsRefused(problems)


def _wrong_texts(asked: NewRequest) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not 0 < asked.amount <= LARGEST_LOT:
        problems["amount"] = AT_MOST if asked.amount > 0 else "Write an amount above 0, for example 2,500."
    if found := texts.problem(asked.purpose, NO_PURPOSE):
        problems["purpose"] = found
    if asked.incident and len(asked.incident) > LONGEST_INCIDENT:
        size = len(asked.incident)
        problems["incident"] = f"That is {size} characters. Write at most {LONGEST_INCIDENT}, for example INC-1234."
    return problems


def _wrong_choices(moment: Moment, person: Person, asked: NewRequest, book: Handbook, today: date) -> dict[str, str]:
    problems: dict[str, str] = {}
    latest = latest_last_day(book, today)
    if not today <= asked.last_day <= latest:
        wrong = "is too late" if asked.last_day > latest else "is over"
        problems["last_day"] = f"{asked.last_day} {wrong}. Choose a day from today to {latest}."
    if asked.project_key and projects_store.named(moment.session, asked.project_key) is None:
        gone = texts.quoted(asked.project_key)
        problems["project"] = f"There is no project {gone}. Choose another one, or leave the field empty."
    approved = {service.key for service in book.services if service.approved_on(today)}
    if asked.service_key and asked.service_key not in approved:
        gone = texts.quoted(asked.service_key)
        problems["service"] = f"{gone} is not an approved service. Choose another one, or leave the field empty."
    if person.id in asked.beneficiaries:
        problems["beneficiaries"] = "You named yourself. Name only others who will use the tokens, or no one."
    elif len(asked.beneficiaries) > MOST_BENEFICIARIES:
        problems["beneficiaries"] = f"You named {len(asked.beneficiaries)} people. Name at most {MOST_BENEFICIARIES}."
    return problems


def latest_last_day(book: Handbook, today: date) -> date:
    """An exception lives no longer than a monthly grant does."""
    return Month.containing(today).plus(book.lots.months).first_day - timedelta(days=1)


def usual_last_day(book: Handbook, today: date) -> date:
    """The end that an exception has unless someone wants another."""
    return min(today + timedelta(days=book.exceptions.lot_days - 1), latest_last_day(book, today))


def _require_break_glass(moment: Moment, person: Person, ask: Ask, book: Handbook) -> None:
    rules = book.exceptions
    limit = exceptions.break_glass_limit(ask.monthly_grant, ask.value, rules)
    if ask.amount > limit:
        # Rounded down: what is named as the limit has to be within it.
        text = f"In an incident you get at most {int(limit.decimal):,} tokens at once."
        raise FieldsRefused({"amount": f"{text} Write no more than that, or leave out the incident to ask the board."})
    if ask.amount + ask.alike > limit:
        text = "Others took tokens for this incident, and with yours it would be more than an incident gets at once."
        raise FieldsRefused({"incident": f"{text} Ask for less, or leave this empty to ask the board."})
    lately = store.since(moment.session, person.id, moment.now - timedelta(days=rules.break_glass.every_days))
    if used := [request for request in lately if request.class_name == BREAK_GLASS]:
        text = (
            f"You used break-glass on {day_of(used[-1].made_at, moment.zone)}. It is available once every "
            f"{rules.break_glass.every_days} days. Leave this empty to ask the board."
        )
        raise FieldsRefused({"incident": text})


# --- Submitting ----------------------------------------------------------------------------------------------------


def submit(moment: Moment, person: Person, asked: NewRequest, *, key: str) -> Submitted:
    """Keep a request and owe everyone their message; a break-glass is credited in the same transaction.

    `key` is the form's: the same form sent again is the same request.
    """
    idempotency_key = f"request:{key}"
    alike = f"incident:{asked.incident.strip().lower()}" if asked.incident else f"project:{asked.project_key}"
    locks.hold_sources(moment.session, "requests", [alike] if asked.incident or asked.project_key else [])
    # Before the accounts, as everywhere: who adopts the value of a quarter waits for no one who holds an account.
    value = crediting.value_now(moment) if asked.incident else None
    # One request of a person after the other: each counts in the class of the next. A break-glass posts to all three.
    codes = crediting.accounts(person.id) if asked.incident else [ledger.wallet_code(person.id)]
    held = ledger.hold(moment.session, codes)
    if (before := store.by_key(moment.session, idempotency_key)) is not None:
        return Submitted(_same(before, person, asked), again=True)
    judged = judge(moment, person, asked)
    request_id = f"xr_{secrets.token_hex(8)}"
    row = _row(request_id, idempotency_key, person, asked, judged, moment.now)
    if value is not None:
        credit = Credit(request_id, person.id, asked.amount, asked.last_day, asked.purpose, actor=person.id)
        entry_id = crediting.post(moment, credit, value, held)
        row |= {"granted": int(asked.amount), "granted_last_day": asked.last_day, "entry_id": entry_id}
    store.insert(moment.session, row, judged.panel, asked.beneficiaries)
    drafts_store.forget(moment.session, person.id)
    request = require(moment, request_id)
    notices.tell_of_new(moment, request, judged.panel, asked.beneficiaries)
    note(moment, request, person.id, "request.make", **_plain(request, judged))
    return Submitted(request, again=False)


def _same(before: Request, person: Person, asked: NewRequest) -> Request:
    kept = (before.person_id, before.amount, before.purpose, before.last_day, before.project_key, before.incident)
    if kept != (person.id, asked.amount, asked.purpose.strip(), asked.last_day, asked.project_key, asked.incident):
        raise Refusal("key_reused", "This form was sent before with different content.", next_step="Open a new one.")
    return before


def _row(  # noqa: PLR0917 - private, called once
    request_id: str, key: str, person: Person, asked: NewRequest, judged: Preview, now: datetime
) -> dict[str, Any]:
    steps = judged.deadlines
    return {
        "id": request_id,
        "idempotency_key": key,
        "person_id": person.id,
        "class_name": judged.class_name,
        "state": CREDITED if asked.incident else OPEN,
        "amount": int(asked.amount),
        "purpose": asked.purpose.strip(),
        "project_key": asked.project_key,
        "service_key": asked.service_key,
        "last_day": asked.last_day,
        "incident": asked.incident,
        "situation": codec.plain(judged.situation),
        "handbook_version": judged.book.version,
        "made_at": now,
        "needed": judged.panel.needed,
        "needs_finance": judged.panel.needs_finance,
        "first_stage": judged.panel.stage,
        "stage": judged.panel.stage,
        "remind_at": steps.remind_at,
        "escalate_at": steps.escalate_at,
        "last_call_at": steps.last_call_at,
        "lapse_at": steps.lapse_at,
        **first_step(steps, now),
    }


def withdraw(moment: Moment, person: Person, request_id: str) -> Request:
    """Take a request back; a Refusal when it is someone else's, or decided."""
    request = locked(moment, request_id)
    if request.person_id != person.id:
        raise Refusal("not_yours", "Only the person who asked can withdraw a request.")
    if request.state != OPEN:
        raise Refusal(
            "decided",
            f"This request {REQUEST.said[request.state]}, so there is nothing to withdraw.",
            next_step="`/tokens requests` shows where it stands.",
        )
    moved = move(moment, request, state=WITHDRAWN, decided_at=moment.now, decided_by=person.id, **NO_STEP)
    notices.tell_of_change(moment, moved)
    note(moment, moved, person.id, "request.withdraw")
    return moved


def _plain(request: Request, judged: Preview) -> dict[str, Any]:
    return {
        "class": request.class_name,
        "incident": request.incident,
        "needed": judged.panel.needed,
        "needs_finance": judged.panel.needs_finance,
        "stage": judged.panel.stage,
        "seats": {seat.person_id: seat.recused or seat.kind for seat in judged.panel.seats},
        "because": [reason.code for reason in judged.situation.because],
        "lapse_at": request.lapse_at.isoformat(),
    }
