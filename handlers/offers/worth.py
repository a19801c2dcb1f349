"""`/tokens worth`: what the allowance was worth to whoever asks, in a year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handlers import FIRST_YEAR, LAST_YEAR
from handlers.slack.commands import Command
from policy import texts
from policy.reasons import Refusal
from programme.offers import worth as programme_worth
from templates import worth

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from programme.app import App
    from templates.render import Message

_YEAR = re.compile(r"[0-9]{4}")


def show_worth(app: App, request: Request) -> Message | None:
    year = _year(request.arguments) if request.arguments else None
    with app.reading(request.now) as moment:
        if year is not None and year > moment.today.year:
            raise Refusal("year_to_come", f"{year} has not begun.", next_step="Type `/tokens worth` for this year.")
        found = programme_worth.of_slack_user(moment, request.slack_user_id, year)
    return None if found is None else worth.answer(found)


def _year(text: str) -> int:
    if not _YEAR.fullmatch(text) or not FIRST_YEAR <= int(text) <= LAST_YEAR:
        raise Refusal("not_a_year", f"{texts.quoted(text)} is no year.", next_step="Try `/tokens worth 2026`.")
    return int(text)


COMMANDS = (Command("worth", "[year]", "what your allowance was worth in a year", show_worth),)
