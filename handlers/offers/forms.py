"""`/tokens offer`: the form, and what becomes of the answer: adjusted, as a page, as text to copy."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, TypeVar

from handlers.offers import typed
from handlers.slack.commands import RECRUITING, Command
from handlers.slack.interactions import Modal, on_press, on_submit
from policy import texts
from policy.parameters.grants import LEVELS
from policy.reasons import FieldsRefused
from policy.value.currencies import USD, Money
from programme.offers import making, telling
from programme.people import terms
from store.people import directory as people_store
from templates import offer_page, offers, render
from views.offers import GivenOffer, GivenRival

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handlers.slack.commands import Request
    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.moment import Moment
    from templates.render import Message
    from views.offers import Offer

Read = TypeVar("Read")

FORM = "offer"
RIVALS = (("rival_1", "Another offer"), ("rival_2", "A second one"), ("rival_3", "A third one"))
LABELS = {"rival_1": "Offer B", "rival_2": "Offer C", "rival_3": "Offer D"}
FIELDS = ("label", "level", "band", "base", "bonus", "equity", "start", *LABELS, "language")
MOST_BANDS = 100
"""A menu holds no more."""
LONGEST_PART = 2_900
"""Of a text to copy: Slack takes 3,000 characters of a section."""


def open_form(app: App, request: Request) -> Modal | None:
    """`/tokens offer [label]`."""
    with app.reading(request.now) as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        making.require_recruiter(moment, person.id)
        return Modal(_form(moment, {"label": request.arguments[: making.LONGEST_LABEL], "language": "en"}))


def press_open(app: App, press: Press) -> Modal:
    """The same from a button, in the bot's own conversation."""
    with app.reading(press.now) as moment:
        making.require_recruiter(moment, press.person.id)
        return Modal(_form(moment, {"label": press.value[: making.LONGEST_LABEL], "language": "en"}))


def press_adjust(app: App, press: Press) -> Modal:
    """The form with what an offer on record had in it."""
    with app.reading(press.now) as moment:
        making.require_recruiter(moment, press.person.id)
        return Modal(_form(moment, _filled(making.require(moment, press.value))))


def _form(moment: Moment, fields: Mapping[str, str]) -> View:
    bands = sorted(terms.bands(moment, moment.today))[:MOST_BANDS]
    return render.modal(
        "offers/form",
        form={name: fields.get(name, "") for name in FIELDS},
        levels=[(one, one.capitalize()) for one in LEVELS],
        bands=[(one, one) for one in bands],
        rivals=RIVALS,
        languages=[(one, offers.NAMES.get(one, one)) for one in offers.languages()],
    )


def _filled(made: Offer) -> dict[str, str]:
    given = made.content.given
    fields = {"label": given.label, "level": given.level, "band": given.band, "language": given.language}
    fields |= {"start": given.start.isoformat() if given.start else ""}
    fields |= {"base": _typed(given.base), "bonus": _typed(given.bonus), "equity": _typed(given.equity)}
    return fields | {name: typed.written(one) for (name, _), one in zip(RIVALS, given.rivals, strict=False)}


def _typed(amount: Money | None) -> str:
    return typed.written_money(amount) if amount and amount.nano else ""


def submit(app: App, form: Form) -> View:
    """Work it out and keep it; the table and its picture follow in private."""
    given = _given(form)
    with app.transaction(form.now) as moment:
        made = telling.make(moment, form.person, given, key=form.id)
    return render.modal("offers/made", text=offers.text_of(made, offers.english()))


def _given(form: Form) -> GivenOffer:
    """What a form asks for; FieldsRefused says beside each field what can't be read."""
    problems: dict[str, str] = {}
    base = _read(form, "base", problems, lambda text: typed.money(text, USD))
    # What is said without a currency is in that of the salary.
    currency = base.currency if base else USD
    nothing = Money(currency, 0)
    bonus, equity = (
        _read(form, name, problems, lambda text: typed.money(text, currency)) or nothing for name in ("bonus", "equity")
    )
    rivals = [_rival(form, name, currency, problems) for name, _ in RIVALS]
    if problems:
        raise FieldsRefused(problems)
    return GivenOffer(
        label=texts.plain(form.text("label")),
        level=form.text("level"),
        band=form.text("band"),
        base=base,
        bonus=bonus,
        equity=equity,
        start=date.fromisoformat(form.text("start")) if form.text("start") else None,
        language=form.text("language") or "en",
        rivals=tuple(one for one in rivals if one is not None),
    )


def _rival(form: Form, name: str, currency: str, problems: dict[str, str]) -> GivenRival | None:
    return _read(form, name, problems, lambda text: typed.rival(text, LABELS[name], currency))


def _read(form: Form, name: str, problems: dict[str, str], parse: Callable[[str], Read]) -> Read | None:
    """What a field says; None where it says nothing, and where the problem with it is noted."""
    if not (text := form.text(name).strip()):
        return None
    try:
        return parse(text)
    except ValueError as error:
        problems[name] = str(error)
        return None


def press_page(app: App, press: Press) -> Message:
    """Owe the page as a file: Slack is asked for that thrice, which no click waits for."""
    with app.transaction(press.now) as moment:
        telling.owe_page(moment, press.person, press.value, key=app.slack_id)
    return render.message("offers/coming")


def press_text(app: App, press: Press) -> Message:
    """The text in the candidate's language, to copy into a letter."""
    with app.reading(press.now) as moment:
        making.require_recruiter(moment, press.person.id)
        made = making.require(moment, press.value)
    text, language = offers.text_of(made), offers.language_name(made)
    parts = offers.parts(offer_page.plain(text).replace("`", "'"), LONGEST_PART)
    return render.message("offers/copied", text=text, language=language, parts=parts)


COMMANDS = (
    Command(
        "offer",
        "[label]",
        "what an offer says of the allowance, beside other offers",
        open_form,
        button="offer_open",
        topic=RECRUITING,
    ),
)


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "offer_open", press_open, app)
    on_press(listeners, "offer_adjust", press_adjust, app)
    on_press(listeners, "offer_page", press_page, app)
    on_press(listeners, "offer_text", press_text, app)
    on_submit(listeners, FORM, submit, app)
