"""The form of a request: what is in it, what would become of that, and what is wrong with it.

It is drawn anew at each change. Slack then forgets the mistakes that it was told when the form was sent, so they are
never kept: each drawing judges what is filled in, and shows beside its field what does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from handlers.exceptions import amounts, choices
from policy import exceptions, texts
from policy.period import Quarter
from policy.reasons import FieldsRefused, Refusal
from policy.units import MicroTokens
from programme.balance import balance
from programme.exceptions import asking, crediting
from programme.exceptions.asking import NewRequest
from programme.value import valuation
from store.exceptions import drafts as drafts_store
from store.people import directory as people_store
from templates import render

if TYPE_CHECKING:
    from handlers.slack.interactions import Form, View
    from policy.value.valuation import TokenValue
    from programme.exceptions.asking import Preview
    from programme.moment import Moment
    from store.engine import Session
    from store.people.directory import Person

CALLBACK = "fast_track_form"
LIVE_FIELDS = ("amount", "purpose", "last_day", "project", "service", "beneficiaries", "incident")
ANY_AMOUNT, ANY_PURPOSE = MicroTokens.parse("1"), "…"
"""They stand in for what cannot be read, so that the rest is judged all the same."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The form's fields as they are typed; people are Slack users."""

    amount: str = ""
    purpose: str = ""
    last_day: str = ""
    project: str = ""
    service: str = ""
    beneficiaries: list[str] = field(default_factory=list)
    incident: str = ""

    def renewed(self, moment: Moment) -> Fields:
        """As they begin today: with the usual end where theirs is over, without projects and services that are gone."""
        book, last_day = moment.handbooks.on(moment.today), _day(self.last_day)
        if last_day is None or last_day < moment.today:
            last_day = asking.usual_last_day(book, moment.today)
        return replace(
            self,
            last_day=last_day.isoformat(),
            project=self.project if choices.project(moment.session, self.project) else "",
            service=self.service if choices.services(book, self.service, moment.today).chosen else "",
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What a form asks for, how that would be treated, and what is wrong by field; of these there is one or more."""

    asked: NewRequest
    preview: Preview | None
    problems: dict[str, str]


def filled_in(form: Form) -> Fields:
    """What is filled in; people are those of the one field that takes them."""
    named = form.values.get("beneficiaries")
    texts_of = {name: form.text(name) for name in LIVE_FIELDS if name != "beneficiaries"}
    return Fields(beneficiaries=named if isinstance(named, list) else [], **texts_of)


def draft(session: Session, person: Person) -> tuple[Fields, datetime | None]:
    kept = drafts_store.of_person(session, person.id)
    if kept is None:
        return Fields(), None
    return Fields(**{name: value for name, value in kept.fields.items() if name in LIVE_FIELDS}), kept.saved_at


def opened(moment: Moment, person: Person, fields: Fields, *, drafted_at: datetime | None = None) -> View:
    """The form as it is opened, with what is known of the request."""
    return view(moment, person, fields.renewed(moment), drafted_at=drafted_at)


def view(moment: Moment, person: Person, fields: Fields, *, drafted_at: datetime | None = None) -> View:
    """The form with what is filled in; what is not filled in yet is no mistake."""
    found = judged(moment, person, fields)
    book, value = moment.handbooks.on(moment.today), _value(moment)
    grant = crediting.monthly_grant(moment, person.id)
    return render.modal(
        "exceptions/form",
        form=fields,
        balance=balance.of_email(moment, person.email),
        value=value,
        has_projects=choices.are_there_projects(moment.session),
        project=choices.project(moment.session, fields.project),
        services=choices.services(book, fields.service, moment.today),
        break_glass=exceptions.break_glass_limit(grant, value, book.exceptions),
        judged=found.preview if fields.amount.strip() else None,
        preview_amount=found.asked.amount,
        problems={name: said for name, said in found.problems.items() if getattr(fields, name)},
        drafted_at=drafted_at,
    )


def require_readable(moment: Moment, person: Person, fields: Fields) -> NewRequest:
    """What a form asks for; FieldsRefused with all that is wrong with it, where a part of it cannot be read."""
    asked, unread = _read(moment, fields)
    if unread:
        raise FieldsRefused(judged(moment, person, fields).problems)
    return asked


def judged(moment: Moment, person: Person, fields: Fields) -> Judged:
    """How a form would be treated as it stands, and everything that is wrong with it."""
    asked, unread = _read(moment, fields)
    try:
        preview = asking.judge(moment, person, asked)
    except FieldsRefused as refused:
        return Judged(asked, None, refused.problems | unread)
    except Refusal as refusal:
        return Judged(asked, None, {"amount": str(refusal)} | unread)
    # A purpose is often written last, and changes nothing about who decides.
    return Judged(asked, preview if unread.keys() <= {"purpose"} else None, unread)


def _read(moment: Moment, fields: Fields) -> tuple[NewRequest, dict[str, str]]:
    """What a form asks for, with stand-ins for what cannot be read, and what that is."""
    problems: dict[str, str] = {}
    amount, last_day, purpose = ANY_AMOUNT, _day(fields.last_day), fields.purpose
    try:
        amount = amounts.parse(fields.amount, _value(moment))
    except ValueError as error:
        problems["amount"] = str(error)
    if last_day is None:
        problems["last_day"], last_day = f"Choose a day, for example {moment.today}.", moment.today
    if not texts.shows(purpose):
        problems["purpose"], purpose = asking.NO_PURPOSE, ANY_PURPOSE
    named = {user: people_store.by_slack_id(moment.session, user) for user in fields.beneficiaries}
    known = [person.id for person in named.values() if person is not None]
    if unknown := len(named) - len(known):
        who = f"{unknown} of the people you chose" if len(named) > 1 else "The person you chose"
        verb = "are" if unknown > 1 else "is"
        problems["beneficiaries"] = (
            f"{who} {verb} not in the programme. Choose only people who have tokens of their own."
        )
    asked = NewRequest(
        amount=amount,
        purpose=purpose,
        last_day=last_day,
        project_key=fields.project or None,
        service_key=fields.service or None,
        beneficiaries=frozenset(known),
        incident=fields.incident.strip() if texts.shows(fields.incident) else None,
    )
    return asked, problems


def _value(moment: Moment) -> TokenValue:
    return valuation.expected(moment, Quarter.containing(moment.today), moment.handbooks)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
