"""The board's buttons for a quarter's review: votes, and the cases page by page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from handlers.slack.interactions import Modal, Shown, on_press, on_submit
from policy.period import Quarter
from policy.reasons import Refusal
from programme.reviews import drafting, packs, single_cases, voting
from programme.reviews.voting import Ballot
from store.audit import Place
from store.people import directory as people_store
from store.reviews import votes as store
from templates import render
from templates import reviews as shown

if TYPE_CHECKING:
    from datetime import datetime

    from slack_bolt import App

    from handlers.slack.interactions import Form, Press, View
    from programme.app import Desk
    from programme.reviews.single_cases import Decided
    from store.engine import Session
    from store.people.directory import Person
    from store.reviews.drafts import Kept
    from templates.render import Message


class About(NamedTuple):
    """What a button of a case carries: which review, whose case, and on which page it was shown."""

    quarter: Quarter
    person_id: str
    page: int

    @classmethod
    def parse(cls, value: str) -> About:
        quarter, person_id, page = value.split(":")
        return cls(Quarter.parse(quarter), person_id, int(page))

    def __str__(self) -> str:
        return f"{self.quarter}:{self.person_id}:{self.page}"


# --- The package ---------------------------------------------------------------------------------------------------


def press_adopt(desk: Desk, press: Press) -> Message:
    quarter, package = _package(press.value)
    place = Place(press.channel, press.ts)
    with desk.transaction() as session:
        voted = voting.vote(
            session, press.person, quarter, Ballot(package, adopts=True), desk=desk, now=press.now, place=place
        )
    return render.message("review/voted", voted=voted)


def press_against(desk: Desk, press: Press) -> Modal:
    """The form for a vote against, if someone may vote: no one fills it in for nothing."""
    quarter, package = _package(press.value)
    with desk.reading() as session:
        voting.require_undecided(session, drafting.require(session, quarter), press.now)
        panel = voting.panel_of(session, quarter)
        votes = store.votes(session, quarter)
        voting.seat_of(session, panel, press.person.id, votes=votes, desk=desk, now=press.now)
        voting.require_current(panel, package)
    private = {"quarter": str(quarter), "package": package, "channel": press.channel, "ts": press.ts}
    return Modal(render.modal("review/against", quarter=quarter, private=json.dumps(private)))


def submit_against(desk: Desk, form: Form) -> View:
    private = json.loads(form.private)
    ballot = Ballot(private["package"], adopts=False, reason=form.values.get("reason", "").strip())
    place = Place(private["channel"], private["ts"])
    with desk.transaction() as session:
        voted = voting.vote(
            session, form.person, Quarter.parse(private["quarter"]), ballot, desk=desk, now=form.now, place=place
        )
    return render.modal("review/voted", voted=voted)


def press_value(desk: Desk, press: Press) -> Message:
    """The second person's confirmation of the value that was adopted with a package."""
    quarter, _ = _package(press.value)
    with desk.transaction() as session:
        value = voting.confirm_value(session, press.person, quarter, desk=desk, now=press.now)
    return render.message("review/confirmed", value=value)


def _package(value: str) -> tuple[Quarter, int]:
    quarter, _, package = value.partition(":")
    return Quarter.parse(quarter), int(package)


# --- Cases ---------------------------------------------------------------------------------------------------------


def press_cases(desk: Desk, press: Press) -> Modal:
    quarter, _ = _package(press.value)
    return Modal(_page(desk, press.person, quarter, 0, now=press.now))


def press_page(desk: Desk, press: Press) -> Modal:
    """Another page in place of the one that is open."""
    quarter, number = _package(press.value)
    return Modal(_page(desk, press.person, quarter, number, now=press.now), in_place=True)


def _page(desk: Desk, reader: Person, quarter: Quarter, number: int, *, now: datetime) -> View:
    with desk.reading() as session:
        page = packs.page(session, reader, quarter, number, desk=desk, now=now)
    lines = [(line, str(About(quarter, line.person_id, page.number))) for line in page.lines]
    return shown.page(page, lines, turns=list(shown.pages(page.number, page.pages)))


def press_why(desk: Desk, press: Press) -> Modal:
    """A case's reasons, and what would have changed it."""
    about = About.parse(press.value)
    with desk.reading() as session:
        case = single_cases.case_for(
            session, press.person, about.quarter, about.person_id, desk=desk, now=press.now
        )  # fmt: skip
        name = _name(session, about.person_id)
    return Modal(render.modal("review/why", case=case, who=name, change=shown.change, lines=shown.lines))


def press_hold(desk: Desk, press: Press) -> Modal:
    with desk.reading() as session:
        about, case, name = _to_decide(session, desk, press)
    private = _private(about, case)
    return Modal(render.modal("review/hold", case=case, who=name, change=shown.change, private=private))


def press_amend(desk: Desk, press: Press) -> Modal:
    with desk.reading() as session:
        about, case, name = _to_decide(session, desk, press)
        limits = single_cases.limits(session, drafting.require(session, about.quarter), case)
    return Modal(
        render.modal(
            "review/amend", case=case, who=name, change=shown.change, limits=limits,
            private=_private(about, case),
        )
    )  # fmt: skip


def press_put_back(desk: Desk, press: Press) -> Modal:
    with desk.transaction() as session:
        about, case, _ = _to_decide(session, desk, press)
        seen = single_cases.mark(case)
        single_cases.put_back(
            session, press.person, about.quarter, about.person_id, seen=seen, desk=desk, now=press.now
        )  # fmt: skip
    return Modal(_page(desk, press.person, about.quarter, about.page, now=press.now), in_place=True)


def _to_decide(session: Session, desk: Desk, press: Press) -> tuple[About, Kept, str]:
    """The case that someone wants to decide, if they may."""
    about = About.parse(press.value)
    voting.require_undecided(session, drafting.require(session, about.quarter), press.now)
    case = single_cases.case_for(session, press.person, about.quarter, about.person_id, desk=desk, now=press.now)
    return about, case, _name(session, about.person_id)


def _name(session: Session, person_id: str) -> str:
    person = people_store.by_id(session, person_id)
    assert person is not None  # noqa: S101 - a foreign key
    return person.name


class Chosen(NamedTuple):
    """What a form about a case carries: whose, on which page it was shown, and how it stood then."""

    about: About
    seen: str

    @classmethod
    def of(cls, form: Form) -> Chosen:
        private = json.loads(form.private)
        return cls(About.parse(private["about"]), private["seen"])


def _private(about: About, case: Kept) -> str:
    return json.dumps({"about": str(about), "seen": single_cases.mark(case)})


def submit_hold(desk: Desk, form: Form) -> View | Shown:
    about, seen = Chosen.of(form)
    with desk.transaction() as session:
        decided = single_cases.hold(
            session, form.person, about.quarter, about.person_id, reason=form.values.get("reason", ""), seen=seen,
            desk=desk, now=form.now,
        )  # fmt: skip
        name = _name(session, about.person_id)
    return _decided(desk, form, about, decided, name)


def submit_amend(desk: Desk, form: Form) -> View | Shown:
    about, seen = Chosen.of(form)
    with desk.transaction() as session:
        decided = single_cases.amend(
            session, form.person, about.quarter, about.person_id, change=form.values.get("change", ""),
            reason=form.values.get("reason", ""), seen=seen, desk=desk, now=form.now,
        )  # fmt: skip
        name = _name(session, about.person_id)
    return _decided(desk, form, about, decided, name)


def _decided(desk: Desk, form: Form, about: About, decided: Decided, name: str) -> View | Shown:
    """What was done, above the page of cases on which it was chosen."""
    done = render.modal("review/decided", decided=decided, who=name, change=shown.change)
    try:
        return Shown(done, below=_page(desk, form.person, about.quarter, about.page, now=form.now))
    except Refusal:
        # What was done is done, also for someone who lost their seat at this moment.
        return done


def register(app: App, desk: Desk) -> None:
    on_press(app, "review_adopt", press_adopt, desk)
    on_press(app, "review_against", press_against, desk)
    on_press(app, "review_value", press_value, desk)
    on_press(app, "review_cases", press_cases, desk)
    on_press(app, "review_page_next", press_page, desk)
    on_press(app, "review_page_previous", press_page, desk)
    on_press(app, "review_why", press_why, desk)
    on_press(app, "review_hold", press_hold, desk)
    on_press(app, "review_amend", press_amend, desk)
    on_press(app, "review_put_back", press_put_back, desk)
    on_submit(app, "review_against", submit_against, desk)
    on_submit(app, "review_hold", submit_hold, desk)
    on_submit(app, "review_amend", submit_amend, desk)
