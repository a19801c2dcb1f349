"""What the request form offers to choose from: projects by searching, services as a menu while it holds them all.

A menu of Slack's holds 100 options, and so does what is found. Names that a menu could not carry, from before imports
looked at their length, are left out: they must not close the form to everyone.
"""

from __future__ import annotations

import logging
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from handlers import note_failure
from handlers.slack.interactions import known_person
from handlers.slack.listeners import SEARCH
from policy import texts
from policy.reasons import Refusal
from store.people import projects as projects_store
from store.people import terms
from templates import formats, limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from slack_bolt import Ack
    from slack_sdk import WebClient

    from handlers.slack.listeners import Listeners
    from policy.handbook import Handbook
    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from store.people.directory import Person

logger = logging.getLogger(__name__)

Option = tuple[str, str]
"""What is chosen, and the words for it."""


class Choice(NamedTuple):
    """What a field offers; where that is more than a menu holds, it is `searched`, and shows what is chosen."""

    options: list[Option]
    chosen: Option | None

    @property
    def searched(self) -> bool:
        return len(self.options) > limits.MOST_OPTIONS


def are_there_projects(session: Session) -> bool:
    """Whether there is anything to look for."""
    return projects_store.are_there_any(session)


def project(session: Session, chosen: str) -> Option | None:
    """The project that is chosen, to be shown in its field."""
    found = projects_store.named(session, chosen) if chosen else None
    return _choice([(found.key, found.name)], chosen).chosen if found else None


def _projects(session: Session, person: Person, today: date) -> Choice:
    """Every project, the person's own first."""
    own = terms.projects_of(session, person.id, today)
    listed = [(one.key, one.name) for one in projects_store.by_name(session)]
    return _choice(sorted(listed, key=lambda one: one[0] not in own), "")


def services(book: Handbook, chosen: str, today: date) -> Choice:
    """The services that are approved on a day, in the handbook's order."""
    return _choice([(one.key, one.name) for one in book.services if one.approved_on(today)], chosen)


def _choice(listed: Sequence[tuple[str, str]], chosen: str) -> Choice:
    options = [
        (key, formats.short(name if texts.shows(name) else key, limits.LONGEST_OPTION))
        for key, name in listed
        if len(key) <= limits.LONGEST_OPTION_VALUE
    ]
    return Choice(options, next((one for one in options if one[0] == chosen), None))


def matching(options: Sequence[Option], typed: str) -> list[Option]:
    """The options with the typed text in their words or their key, those that begin with it first, as many as fit."""
    wanted = _folded(typed)
    found = [(words, key) for key, words in options if wanted in _folded(words) or wanted in _folded(key)]
    found.sort(key=lambda one: not _folded(one[0]).startswith(wanted))
    return [(key, words) for words, key in found[: limits.MOST_OPTIONS]]


def _folded(text: str) -> str:
    """Without case, width and accents, as people type what they look for."""
    if text.isascii() and text.isprintable():
        # Nearly everything is, and of ten thousand names that takes a third of the time.
        return " ".join(text.casefold().split())
    apart = unicodedata.normalize("NFKD", texts.plain(text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _suggest(
    ack: Ack, body: dict[str, Any], client: WebClient, *, app: App, offered: Callable[[Moment, Person], Choice]
) -> None:
    """The listener for what is typed into a search; with nothing found, or no one known, there are no options."""
    now, found = app.clock(), list[Option]()
    try:
        person = known_person(app, client, body["user"]["id"], now)
        with app.reading(now) as moment:
            found = matching(offered(moment, person).options, body.get("value") or "")
    except Refusal as refusal:
        logger.info("nothing was suggested: %s", refusal.code)
    except Exception as error:  # noqa: BLE001 - the form stays as it is
        note_failure(logger, "block_suggestion", error)
    ack(options=[{"text": {"type": "plain_text", "text": words}, "value": key} for key, words in found])


def _offered_projects(moment: Moment, person: Person) -> Choice:
    return _projects(moment.session, person, moment.today)


def _offered_services(moment: Moment, _person: Person) -> Choice:
    return services(moment.handbook, "", moment.today)


def register(listeners: Listeners, app: App) -> None:
    for field, offered in (("project", _offered_projects), ("service", _offered_services)):
        listeners.on(SEARCH, field, partial(_suggest, app=app, offered=offered))
