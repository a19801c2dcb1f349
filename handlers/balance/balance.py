"""A person's balance, the arithmetic behind it, and what they used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers import contact_of, month_named
from handlers.slack import leavers
from handlers.slack.commands import Command, Request
from handlers.slack.interactions import on_press
from policy.period import Month, day_of
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.balance import balance, history, why
from programme.holds import limits
from store.handbook import reference
from store.people import directory as people_store
from templates import formats, render, workings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handlers.slack.interactions import Press
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.balance.history import History
    from store.usage.events import Line
    from templates.render import Message

HISTORY_ROWS = 20


def show_balance(app: App, request: Request) -> Message | None:
    with app.reading(request.now) as moment:
        card = balance.of_slack_user(moment, request.slack_user_id)
        if card is None:
            return None
        leavers.require_here(moment, card.left_on)
        books = app.recent_handbooks.get(moment.session, request.now)
        near_caps = limits.near(moment, card.person_id)
    names = {service.key: service.name for book in books.versions for service in book.services}
    services = [(names.get(key, key), spent) for key, spent in card.services]
    lapsing = MicroTokens(card.outlook.lapsing if card.outlook else 0)
    contact = books.versions[-1].contact
    return render.message(
        "balance/balance", card=card, services=services, lapsing=lapsing, contact=contact, near_caps=near_caps
    )


def show_why(app: App, request: Request) -> Message | None:
    """How the balance comes about, in whole tokens; a button shows the digits."""
    return _why(app, request, exact=False)


def press_digits(app: App, press: Press) -> Message | None:
    """The same to the last digit, with the latest calls worked out one by one."""
    return _why(app, Request(str(press.person.slack_user_id), "", press.now), exact=True)


def _why(app: App, request: Request, *, exact: bool) -> Message | None:
    with app.reading(request.now) as moment:
        card = balance.of_slack_user(moment, request.slack_user_id)
        if card is None:
            return None
        leavers.require_here(moment, card.left_on)
        explanation = why.explain(moment, card)
        names = reference.service_names(moment.session)
        contact = contact_of(moment)
    working = workings.of(explanation.grant) if explanation.grant else None
    return render.message(
        "balance/why", why=explanation, card=card, names=names, contact=contact, working=working, exact=exact
    )


def show_history(app: App, request: Request) -> Message | None:
    month = _month(request, app)
    with app.reading() as moment:
        person = people_store.by_slack_id(moment.session, request.slack_user_id)
        if person is None:
            return None
        of_month = history.of_month(moment, person.id, month)
        names = reference.service_names(moment.session)
    rows, left_out = _table(of_month, names)
    return render.message("balance/history", history=of_month, rows=rows, left_out=left_out)


def _month(request: Request, app: App) -> Month:
    if not request.arguments:
        return Month.containing(day_of(request.now, app.zone))
    try:
        return month_named(request.arguments)
    except ValueError as error:
        raise Refusal("not_a_month", f"{error}.", next_step="Try `/tokens history 2026-10`.") from error


def _table(of_month: History, names: dict[str, str]) -> tuple[list[list[str]], int]:
    """Rows with their heading; the lines beyond HISTORY_ROWS added up in one, and how many those are.

    What the company paid for comes last, and is named so.
    """
    # A phone shows the first columns.
    rows = [["Model", "Tokens", "USD", "Calls", "Input", "Output", "Service"]]
    left_out = 0
    for lines, added in ((of_month.lines, ""), (of_month.paid, " (company)")):
        shown, rest = lines[:HISTORY_ROWS], lines[HISTORY_ROWS:]
        rows += [_row(names.get(line.service_key, line.service_key) + added, line.model, [line]) for line in shown]
        if rest:
            rows.append(_row(added.strip(), "Others", rest))
            left_out += len(rest)
    return rows, left_out


def _row(service: str, model: str, lines: Sequence[Line]) -> list[str]:
    return [
        formats.short(model) or "–",
        formats.tokens(sum((line.debit for line in lines[1:]), lines[0].debit)),
        formats.usd(sum((line.cost for line in lines[1:]), lines[0].cost)).removeprefix("USD "),
        formats.count(sum(line.calls for line in lines)),
        formats.short_count(sum(line.input_tokens for line in lines)),
        formats.short_count(sum(line.output_tokens for line in lines)),
        formats.short(service) or "–",
    ]


COMMANDS = (
    Command("balance", "", "what you have left, and until when", show_balance, has_card=True),
    Command("why", "", "the arithmetic behind it", show_why, has_card=True),
    Command("history", "[month]", "what you used in a month, such as `2026-10`", show_history),
)


def press_balance(app: App, press: Press) -> Message | None:
    """What `/tokens balance` says."""
    return show_balance(app, Request(str(press.person.slack_user_id), "", press.now))


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "balance_show", press_balance, app)
    on_press(listeners, "balance_digits", press_digits, app)
