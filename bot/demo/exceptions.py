"""What the company's people ask their board for, and what it says: a request every week, the same in every demo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.demo import company
from policy.period import day_of
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.exceptions import asking, questions, voting
from programme.exceptions.asking import NewRequest
from programme.exceptions.voting import Ballot
from store.exceptions import requests as store
from store.people import directory

if TYPE_CHECKING:
    from datetime import date, datetime

    from programme.app import App
    from store.engine import Session
    from store.people.directory import Person

TUESDAY, WEDNESDAY, THURSDAY = 1, 2, 3
MORNING, AFTERNOON = 9, 15
"""Hours of the programme's zone at which the story looks around."""
DAYS = 20


@dataclass(frozen=True, slots=True)
class Story:
    """A request; `votes` are (who, for it, what they say: an amount, or why not)."""

    who: str
    tokens: str
    purpose: str
    project: str
    votes: tuple[tuple[str, bool, str], ...]
    incident: str = ""
    outcome: str = ""


STORIES = (
    Story(
        "jonas",
        "9000",
        "Rank the long tail again with the new embeddings",
        "ranking",
        (("iris", True, ""), ("omar", True, "")),
        "",
        "delivered",
    ),
    Story(
        "chiara",
        "6000",
        "Draft the billing migration, all 400 call sites",
        "billing",
        (("omar", False, "Begin with the ten largest; ask again with what that took"),),
    ),
    Story(
        "priya",
        "8000",
        "Screenshots to test cases for the app's release",
        "app",
        (("iris", True, "5000"),),
        "",
        "partly",
    ),
    Story(
        "grace",
        "4000",
        "Crawler stuck in a loop, need to read its traces",
        "crawler",
        (("omar", True, ""),),
        "INC-2041",
        "delivered",
    ),
    Story("uma", "7000", "Second run of the evaluation with another seed", "evals", ()),
)


def happen(app: App, instant: datetime) -> None:
    """Whatever the story has for an instant; what happened before does not happen again."""
    local = instant.astimezone(app.zone)
    week = local.isocalendar().week
    story, key = STORIES[week % len(STORIES)], f"demo-{local.isocalendar().year}-{week}"
    if (local.weekday(), local.hour) == (TUESDAY, MORNING):
        _ask(app, story, key, instant)
    elif (local.weekday(), local.hour) == (WEDNESDAY, AFTERNOON):
        _vote(app, story, key, instant)
    elif (local.weekday(), local.hour) == (THURSDAY, MORNING):
        _tell_outcomes(app, instant)


def _ask(app: App, story: Story, key: str, now: datetime) -> None:
    asked = NewRequest(
        amount=MicroTokens.parse(story.tokens),
        purpose=story.purpose,
        last_day=_last_day(day_of(now, app.zone)),
        project_key=story.project,
        incident=story.incident or None,
    )
    try:
        with app.transaction(now) as moment:
            asking.submit(moment, _person(moment.session, story.who), asked, key=key)
    except Refusal:
        # A second incident within thirty days, say: then nothing happens in this week.
        return


def _last_day(today: date) -> date:
    return today + timedelta(days=DAYS)


def _vote(app: App, story: Story, key: str, now: datetime) -> None:
    with app.database.reading() as session:
        request = store.by_key(session, f"request:{key}")
    if request is None or not request.is_undecided:
        return
    for who, approves, said in story.votes:
        amount = MicroTokens.parse(said) if approves and said else None
        ballot = Ballot(approves, amount, reason=None if approves else said)
        try:
            with app.transaction(now) as moment:
                voting.vote(moment, _person(moment.session, who), request.id, ballot)
        except Refusal:
            return


def _tell_outcomes(app: App, now: datetime) -> None:
    """People who were asked what came of their exception answer on a Thursday."""
    told = {(story.who, story.purpose): story.outcome for story in STORIES if story.outcome}
    with app.database.reading() as session:
        over = [
            r for r in store.made_between(session, None, now - timedelta(days=DAYS + 31)) if r.granted and not r.outcome
        ]
    for request in over:
        with app.transaction(now) as moment:
            person = directory.by_id(moment.session, request.person_id)
            handle = person.email.partition("@")[0] if person else ""
            if person and (outcome := told.get((handle, request.purpose))):
                questions.tell_outcome(moment, person, request.id, outcome, "")


def _person(session: Session, handle: str) -> Person:
    person = directory.by_email(session, f"{handle}@{company.DOMAIN}")
    assert person is not None  # noqa: S101 - the story's people are the company's
    return person
