"""The board's buttons for a quarter's review: votes, and the cases page by page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from handlers.slack import carried
from handlers.slack.carried import FromMessage
from handlers.slack.interactions import Modal, ShownModals, on_press, on_submit
from policy import texts
from policy.period import Quarter
from policy.reasons import Refusal
from programme.reviews import drafting, file, grounds, packs, single_cases, voting
from programme.reviews.voting import Ballot
from store.audit import Place
from store.people import directory as people_store
from store.reviews import votes
from templates import render, review_shown, reviews
from views.reviews import CaseFilter

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.slack.interactions import Form, Press, View
    from handlers.slack.listeners import Listeners
    from programme.app import App
    from programme.moment import Moment
    from programme.reviews.single_cases import CaseDecision
    from store.engine import Session
    from store.people.directory import Person
    from templates.render import Message
    from views.reviews import ReviewedCase


class About(NamedTuple):
    """What a button of a case carries: which review, whose case, and on which page it was reviews."""

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


def press_adopt(app: App, press: Press) -> Message:
    quarter, package = _package(press.value)
    place = Place(press.channel, press.ts)
    with app.transaction(press.now) as moment:
        voted = voting.vote(moment, press.person, quarter, Ballot(package, adopts=True), place=place)
    return render.message("reviews/voted", voted=voted)


class Opposing(FromMessage, frozen=True, kw_only=True):
    """What the form of a vote against carries."""

    quarter: str
    package: int


def press_against(app: App, press: Press) -> Modal:
    """The form for a vote against, if someone may vote: no one fills it in for nothing."""
    quarter, package = _package(press.value)
    with app.reading(press.now) as moment:
        voting.require_undecided(moment, drafting.require(moment, quarter))
        panel = voting.panel_of(moment, quarter)
        voting.seat_of(moment, panel, press.person.id, votes=votes.votes(moment.session, quarter))
        voting.require_current(panel, package)
    private = Opposing(quarter=str(quarter), package=package, channel=press.channel, ts=press.ts)
    return Modal(render.modal("reviews/against", quarter=quarter, private=carried.written(private)))


def submit_against(app: App, form: Form) -> View:
    about = carried.read(form.private, Opposing)
    quarter = carried.parsed(about.quarter, Quarter.parse)
    ballot = Ballot(about.package, adopts=False, reason=form.text("reason").strip())
    with app.transaction(form.now) as moment:
        voted = voting.vote(moment, form.person, quarter, ballot, place=about.place)
    return render.modal("reviews/voted", voted=voted)


def press_show(app: App, press: Press, *, what: str) -> Modal:
    """A part of the pack that is not in its message."""
    quarter, _ = _package(press.value)
    with app.reading(press.now) as moment:
        pack = packs.shown_to(moment, press.person, quarter, channel=press.channel)
    return Modal(review_shown.part(pack, what))


def press_value(app: App, press: Press) -> Message:
    """The second person's confirmation of the value that was adopted with a package."""
    quarter, _ = _package(press.value)
    with app.transaction(press.now) as moment:
        value = voting.confirm_value(moment, press.person, quarter)
    return render.message("reviews/confirmed", value=value)


def _package(value: str) -> tuple[Quarter, int]:
    quarter, _, package = value.partition(":")
    return carried.parsed(quarter, Quarter.parse), carried.parsed(package, int)


# --- Cases ---------------------------------------------------------------------------------------------------------


class Narrowed(Struct, frozen=True, kw_only=True):
    """What the list of cases is narrowed to, as its modal carries it."""

    name: str = ""
    team: str = ""
    level: str = ""
    change: str = ""

    @classmethod
    def of(cls, private: str) -> Narrowed:
        return carried.read(private, cls) if private else cls()

    @property
    def filter(self) -> CaseFilter:
        change = self.change if self.change in reviews.KINDS_OF_CHANGE else ""
        return CaseFilter(self.name, self.team, self.level, change)


EVERYTHING = Narrowed()


def press_cases(app: App, press: Press) -> Modal:
    quarter, _ = _package(press.value)
    return Modal(_page(app, press.person, quarter, 0, now=press.now))


def press_page(app: App, press: Press) -> Modal:
    """Another page in place of the one that is open."""
    quarter, number = _package(press.value)
    narrowed = Narrowed.of(press.private)
    return Modal(_page(app, press.person, quarter, number, narrowed, now=press.now), in_place=True)


def press_all(app: App, press: Press) -> Modal:
    """All cases again, in place of some of them."""
    quarter, _ = _package(press.value)
    return Modal(_page(app, press.person, quarter, 0, now=press.now), in_place=True)


class Finding(Narrowed, frozen=True, kw_only=True):
    """The same as the form carries it in which it is chosen, with the review."""

    quarter: str


def press_filter(app: App, press: Press) -> Modal:
    """The form that narrows the list, in its place."""
    quarter, _ = _package(press.value)
    with app.reading(press.now) as moment:
        packs.page(moment, press.person, quarter, 0)
    private = carried.written(Finding(quarter=str(quarter)))
    return Modal(reviews.case_filter(quarter, Narrowed.of(press.private).filter, private=private), in_place=True)


def submit_filter(app: App, form: Form) -> View:
    quarter = carried.parsed(carried.read(form.private, Finding).quarter, Quarter.parse)
    name, team = (texts.plain(form.text(field)) for field in ("name", "team"))
    narrowed = Narrowed(name=name, team=team, level=form.text("level"), change=form.text("change"))
    return _page(app, form.person, quarter, 0, narrowed, now=form.now)


def _page(
    app: App, reader: Person, quarter: Quarter, number: int, narrowed: Narrowed = EVERYTHING, *, now: datetime
) -> View:
    with app.reading(now) as moment:
        page = packs.page(moment, reader, quarter, number, narrowed.filter)
    lines = [(line, str(About(quarter, line.person_id, page.number))) for line in page.lines]
    turns = list(reviews.pages(page.number, page.pages))
    return reviews.page(page, lines, turns=turns, private=carried.written(narrowed))


def press_send(app: App, press: Press) -> Message:
    """The page with the cases, into the conversation of whoever wants it."""
    quarter, _ = _package(press.value)
    with app.transaction(press.now) as moment:
        is_new = file.ask_for(moment, press.person, quarter)
    return render.message("reviews/sending", is_new=is_new)


def press_why(app: App, press: Press) -> Modal:
    """A case's reasons, and what would have changed it."""
    about = carried.parsed(press.value, About.parse)
    with app.reading(press.now) as moment:
        case = single_cases.case_for(moment, press.person, about.quarter, about.person_id)
        name = _name(moment.session, about.person_id)
        ground = grounds.of_quarter(moment, about.quarter, case)
    return Modal(
        render.modal("reviews/why", case=case, ground=ground, who=name, change=reviews.change, lines=reviews.lines)
    )


def press_hold(app: App, press: Press) -> Modal:
    with app.reading() as moment:
        about, case, name = _to_decide(moment, press)
    private = _private(about, case, press)
    return Modal(render.modal("reviews/hold", case=case, who=name, change=reviews.change, private=private))


def press_amend(app: App, press: Press) -> Modal:
    with app.reading() as moment:
        about, case, name = _to_decide(moment, press)
        limits = single_cases.limits(moment, drafting.require(moment, about.quarter), case)
    return Modal(
        render.modal(
            "reviews/amend",
            case=case,
            who=name,
            change=reviews.change,
            limits=limits,
            private=_private(about, case, press),
        )
    )


def press_put_back(app: App, press: Press) -> Modal:
    with app.transaction(press.now) as moment:
        about, case, _ = _to_decide(moment, press)
        seen = single_cases.mark(case)
        single_cases.put_back(moment, press.person, about.quarter, about.person_id, seen=seen)
    narrowed = Narrowed.of(press.private)
    return Modal(_page(app, press.person, about.quarter, about.page, narrowed, now=press.now), in_place=True)


def _to_decide(moment: Moment, press: Press) -> tuple[About, ReviewedCase, str]:
    """The case that someone wants to decide, if they may."""
    about = carried.parsed(press.value, About.parse)
    voting.require_undecided(moment.at(press.now), drafting.require(moment, about.quarter))
    case = single_cases.case_for(moment.at(press.now), press.person, about.quarter, about.person_id)
    return about, case, _name(moment.session, about.person_id)


def _name(session: Session, person_id: str) -> str:
    person = people_store.by_id(session, person_id)
    assert person is not None  # noqa: S101 - a foreign key
    return person.name


class OfCase(Struct, frozen=True, kw_only=True):
    """The same, as the form carries it."""

    about: str
    seen: str
    narrowed: Narrowed = EVERYTHING


class Chosen(NamedTuple):
    """What a form about a case carries: whose, on which page of which list it was shown, and how it stood then."""

    about: About
    seen: str
    narrowed: Narrowed

    @classmethod
    def of(cls, form: Form) -> Chosen:
        private = carried.read(form.private, OfCase)
        return cls(carried.parsed(private.about, About.parse), private.seen, private.narrowed)


def _private(about: About, case: ReviewedCase, press: Press) -> str:
    narrowed = Narrowed.of(press.private)
    return carried.written(OfCase(about=str(about), seen=single_cases.mark(case), narrowed=narrowed))


def submit_hold(app: App, form: Form) -> View | ShownModals:
    chosen = Chosen.of(form)
    about, seen = chosen.about, chosen.seen
    with app.transaction(form.now) as moment:
        decided = single_cases.hold(
            moment, form.person, about.quarter, about.person_id, reason=form.text("reason"), seen=seen
        )
        name = _name(moment.session, about.person_id)
    return _decided(app, form, chosen, decided, name)


def submit_amend(app: App, form: Form) -> View | ShownModals:
    chosen = Chosen.of(form)
    about, seen = chosen.about, chosen.seen
    with app.transaction(form.now) as moment:
        decided = single_cases.amend(
            moment,
            form.person,
            about.quarter,
            about.person_id,
            change=form.text("change"),
            reason=form.text("reason"),
            seen=seen,
        )
        name = _name(moment.session, about.person_id)
    return _decided(app, form, chosen, decided, name)


def _decided(app: App, form: Form, chosen: Chosen, decided: CaseDecision, name: str) -> View | ShownModals:
    """What was done, above the page of cases on which it was chosen."""
    done = render.modal("reviews/decided", decided=decided, who=name, change=reviews.change)
    try:
        about = chosen.about
        below = _page(app, form.person, about.quarter, about.page, chosen.narrowed, now=form.now)
        return ShownModals(done, below=below)
    except Refusal:
        # What was done is done, also for someone who lost their seat at this moment.
        return done


def register(listeners: Listeners, app: App) -> None:
    on_press(listeners, "review_adopt", press_adopt, app)
    on_press(listeners, "review_against", press_against, app)
    on_press(listeners, "review_value", press_value, app)
    for what in review_shown.TITLES:
        on_press(listeners, f"review_show_{what}", partial(press_show, what=what), app)
    on_press(listeners, "review_cases", press_cases, app)
    on_press(listeners, "review_page_next", press_page, app)
    on_press(listeners, "review_page_previous", press_page, app)
    on_press(listeners, "review_page_all", press_all, app)
    on_press(listeners, "review_filter", press_filter, app)
    on_press(listeners, "review_send", press_send, app)
    on_press(listeners, "review_why", press_why, app)
    on_press(listeners, "review_hold", press_hold, app)
    on_press(listeners, "review_amend", press_amend, app)
    on_press(listeners, "review_put_back", press_put_back, app)
    on_submit(listeners, "review_against", submit_against, app)
    on_submit(listeners, "review_filter", submit_filter, app)
    on_submit(listeners, "review_hold", submit_hold, app)
    on_submit(listeners, "review_amend", submit_amend, app)
