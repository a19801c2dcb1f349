"""Companies that use little of their ceilings, and what happens to them: who comes, goes, rests, asks and decides."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from policy.period import Month, day_of
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.appeals import filing
from programme.exceptions import voting as requests_voting
from programme.exceptions.asking import NewRequest, submit
from programme.people import terms
from programme.reviews import voting as reviews_voting
from store.exceptions import requests as requests_store
from store.handbook import reference
from store.people import directory as people_store
from store.reviews import drafts
from store.reviews import votes as votes_store
from store.tables.grants import grants
from tests.support import books, cast, proposed, requests, rollout, teams
from views.reviews import ADOPTED, DRAFT

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.metering import UsageEvent
    from programme.moment import Moment
    from store.people.directory import Person
    from tests.support.walk import Walk

ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "Asia/Kolkata",
)
LEVELS, BANDS = ("junior", "mid", "senior", "staff"), ("P1", "P2", "P3", "P4")
STAFF = tuple(f"{name}@example.com" for name in ("ada", "ben", "mara", "iris", "tess", "zoe", "kofi", "lena"))
"""Who takes part of those who are in every company; Omar works in finance."""
MEMBERS = (requests.IRIS, requests.OMAR, requests.TESS)
A_TEAM = 7
LARGE = 1_000
LEAST_USE, MOST_USE = 0.05, 0.15
LAGS = (0, 0, 0, 0, 1, 2, 5)
"""Days until use is reported."""
IDLE, HEAVY = "p0001@example.com", "p0002@example.com"
"""One uses nothing at all, one more than there is in some months; everyone else is normal."""


def slack_of(email: str) -> str:
    return f"U0{email.partition('@')[0].upper()}"


def worker(number: int, hired_on: date, size: int) -> tuple[str, str]:
    """(e-mail, the line of a file of people)."""
    email = f"p{number:04}@example.com"
    team = number // A_TEAM
    manager = (
        teams.MARA if team == 0 or size <= A_TEAM * 2 or number % A_TEAM == 0 else f"p{team * A_TEAM:04}@example.com"
    )
    place = number % len(LEVELS)
    return email, (
        f"{email},Person {number:04},{slack_of(email)},{manager},{LEVELS[place]},engineering,{BANDS[place]},1,"
        f"{ZONES[number % len(ZONES)]},{hired_on},,1,\n"
    )


@dataclass
class Company:
    """A company of so many people: the cast, two alternates, Lena, who administers, and engineers."""

    walk: Walk
    size: int
    seed: int
    share: dict[str, float] = field(default_factory=dict)
    ceiling: dict[str, int] = field(default_factory=dict)
    hired: dict[str, date] = field(default_factory=dict)
    gone: dict[str, date] = field(default_factory=dict)
    away: list[tuple[str, date, date | None]] = field(default_factory=list)
    late: list[tuple[date, UsageEvent]] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    number: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - a story, not a secret
        self.busy = 0.3 if self.size < LARGE else 0.05

    # --- Before it begins ------------------------------------------------------------------------------------------

    def settle(self, begin: date) -> None:
        """Everyone is hired and the programme launched; one principal is left."""
        app = self.walk.app
        cast.hire(app, requests.ALTERNATES)
        cast.hire(app, proposed.ADMINS)
        cast.hire(app, "email,level,pay_band\niris@example.com,staff,P4\n")
        lines = []
        for number in range(1, self.size - 8):
            email, line = worker(number, date(2022, 1, 1), self.size)
            lines.append(line)
            self.hired[email] = date(2022, 1, 1)
        self.number = self.size - 8
        cast.hire(app, teams.HEADER + "".join(lines))
        rollout.launch(app, changes=requests.ROOMY if self.size < 20 else rollout.NONE)
        for email in (*STAFF, *self.hired):
            self.hired.setdefault(email, date(2022, 1, 1))
        self.share = {email: self.chance.uniform(LEAST_USE, MOST_USE) for email in self.hired}
        self.begin = begin

    # --- A day -----------------------------------------------------------------------------------------------------

    def act(self, now: datetime) -> None:
        """What people decide and note on a day."""
        day = day_of(now, self.walk.app.zone)
        turn = (day - self.begin).days
        if day.weekday() < 5:
            self._decide(turn)
        story: list[tuple[int, int, Callable[[date], object]]] = [
            (23, 5, self._hire),
            (61, 50, self._let_go),
            (45, 14, self._rest),
            (19, 3, self._ask),
            (97, 20, self._break_glass),
            (180, 40, self._propose),
            (90, 45, self._squeeze),
            (90, 80, self._loosen),
        ]
        for every, first, what in story:
            if turn >= first and (turn - first) % every == 0:
                what(day)

    def use(self, now: datetime) -> None:
        """What is reported on a day: of the day itself, and what comes late."""
        day = day_of(now, self.walk.app.zone)
        month = str(Month.containing(day))
        if not self.ceiling or day.day == 2 or month not in self.told:
            self.told[month] += 1
            self.ceiling = {who: int(amount) for who, amount in rollout.granted(self.walk.app, month).items()}
        if day.weekday() < 5:
            for nth, who in enumerate(self.ceiling):
                if self.is_here(who, day) and self._is_busy(nth, day):
                    self._spend(who, day)
        due = [event for at, event in self.late if at <= day]
        self.late = [(at, event) for at, event in self.late if at > day]
        if due:
            teams.take_in(self.walk.app, due)

    def _is_busy(self, nth: int, day: date) -> bool:
        """Few people a day in a large company, in turn: by chance some would use nothing for half a year."""
        if self.size < LARGE:
            return self.chance.random() < self.busy
        return (nth + day.toordinal() // 7 * 5 + day.weekday()) % round(1 / self.busy) == 0

    def _spend(self, who: str, day: date) -> None:
        share = 0.0 if who == IDLE else self.share.get(who, LEAST_USE)
        if who == HEAVY and day.month % 4 == 0:
            share = 1.6
        tokens = int(self.ceiling[who] / 1_000_000 * share / (21 * self.busy) * self.chance.uniform(0.4, 1.6))
        if tokens:
            self.late.append((day + timedelta(days=self.chance.choice(LAGS)), teams.used(day, who, tokens)))

    def is_here(self, who: str, day: date) -> bool:
        if day < self.hired.get(who, date.min) or day > self.gone.get(who, date.max):
            return False
        return not any(one == who and first <= day <= (last or date.max) for one, first, last in self.away)

    # --- Who comes, goes and rests ---------------------------------------------------------------------------------

    def _hire(self, day: date) -> None:
        for _ in range(max(self.size // 500, 1)):
            begins = day + timedelta(days=self.chance.choice((0, 0, 2, 9)))
            email, line = worker(self.number, begins, self.size)
            self.number += 1
            cast.hire(self.walk.app, teams.HEADER + line)
            self.hired[email], self.share[email] = begins, self.chance.uniform(LEAST_USE, MOST_USE)
            self.told["joiners"] += 1

    def _some(self, day: date) -> str | None:
        """Somebody who may go or rest, and is not away."""
        able = [
            who for who in self.hired if who.startswith("p") and who not in {IDLE, HEAVY} and self.is_here(who, day)
        ]
        able = [who for who in able if who not in self.gone and int(who[1:5]) % A_TEAM]
        return self.chance.choice(able) if len(able) > 2 else None

    def _let_go(self, day: date) -> None:
        for _ in range(max(self.size // 1_000, 1)):
            if (who := self._some(day)) is not None:
                last = day + timedelta(days=self.chance.choice((0, 3, 12)))
                self.gone[who] = last
                cast.hire(self.walk.app, f"email,left_on\n{who},{last}\n")
                self.told["leavers"] += 1

    def _rest(self, day: date) -> None:
        """A leave; some touch or overlap another, some have no end."""
        if (who := self._some(day)) is None:
            return
        first = day + timedelta(days=self.chance.choice((1, 10)))
        kinds: tuple[list[tuple[int, int | None]], ...] = (
            [(0, 12)],
            [(0, 20), (21, 50)],
            [(0, 30), (15, 70)],
            [(0, None)],
            [(0, 75)],
        )
        for begin, end in self.chance.choice(kinds):
            last = None if end is None else first + timedelta(days=end)
            self.away.append((who, first + timedelta(days=begin), last))
            with self.walk.app.transaction() as moment:
                terms.set_leave(moment, who, first + timedelta(days=begin), last, actor="test")
            self.told["leaves"] += 1

    # --- Budgets and handbooks -------------------------------------------------------------------------------------

    def _squeeze(self, day: date) -> None:
        self._set_budget(day, 0.8)

    def _loosen(self, day: date) -> None:
        self._set_budget(day, 3.0)

    def _set_budget(self, day: date, share: float) -> None:
        month = Month.containing(day)
        [*issued] = books.rows(self.walk.app, grants)
        usd = sum(row[grants.c.keys().index("issued_nano_usd")] for row in issued if row[0] == str(month))
        if usd:
            with self.walk.app.transaction() as moment:
                terms.set_budget(moment, month.next(), NanoUSD(int(usd * share)), actor="test")

    def _propose(self, day: date) -> None:
        """A change by two people: other warnings, from the next month on."""
        with self.walk.app.reading() as moment:
            book = moment.handbooks.versions[-1]
            body = self._body(moment, book.version)
        is_wide = "percent = [50, 70, 85, 95, 100]" in body
        change = ("percent = [50, 70, 85, 95, 100]", "percent = [70, 95, 100]")
        old, new = change if is_wide else change[::-1]
        text = proposed.text(f"{day}", Month.containing(day).plus(2).first_day, base=body, changes={old: new})
        made = proposed.propose(self.walk.app, text)
        proposed.confirm(self.walk.app, requests.TESS, made)
        self.told["handbooks"] += 1

    @staticmethod
    def _body(moment: Moment, version: str) -> str:
        body = reference.handbook_body(moment.session, version)
        assert body is not None
        return body

    # --- Requests, reviews, appeals --------------------------------------------------------------------------------

    def _ask(self, day: date) -> None:
        self._submit(day, share=self.chance.choice((0.3, 0.9, 1.8)), days=self.chance.choice((1, 2, 9, 25)))

    def _break_glass(self, day: date) -> None:
        self._submit(day, share=0.2, days=9, incident=f"INC-{day}")

    def _submit(self, day: date, *, share: float, days: int, incident: str | None = None) -> None:
        who = self._some(day)
        if who is None or who not in self.ceiling:
            return
        amount = max(int(self.ceiling[who] * share) // 1_000_000, 1)
        asked = NewRequest(
            MicroTokens.parse(str(amount)),
            "Finish the load test",
            day + timedelta(days=days),
            incident=incident,
        )
        with suppress(Refusal), self.walk.app.transaction() as moment:
            submit(moment, requests.person(moment.session, who), asked, key=f"walk-{day}-{who}-{incident}")
            self.told["break-glass" if incident else "requests"] += 1

    def _decide(self, turn: int) -> None:
        """The board looks every other day; what it does not like it lets lapse."""
        if turn % 2:
            return
        app = self.walk.app
        with app.reading() as moment:
            waiting = requests_store.undecided(moment.session)
            quarters = [one.quarter for one in drafts.all_of(moment.session) if one.state == DRAFT]
            cut = [one for one in drafts.all_of(moment.session) if one.state == ADOPTED][-1:]
        for request in waiting:
            fate = hash_of(f"{request.made_at:%Y-%m-%d}{request.class_name}") % 4
            if fate:
                for member in (*MEMBERS, requests.ZOE, requests.KOFI):
                    self._vote(member, request.id, approves=fate < 3)
        for quarter in quarters:
            for member in MEMBERS:
                with suppress(Refusal), app.transaction() as moment:
                    panel = votes_store.panel(moment.session, quarter)
                    if panel is not None:
                        ballot = reviews_voting.Ballot(panel.package, adopts=True)
                        reviews_voting.vote(moment, self._person(moment, member), quarter, ballot)
        for review in cut:
            with suppress(Refusal), app.transaction() as moment:
                filing.file(moment, self._person(moment, IDLE), review.quarter, "I was with a customer")
                self.told["appeals"] += 1

    def _vote(self, member: str, request_id: str, *, approves: bool) -> None:
        ballot = requests_voting.Ballot(approves, None, None, None if approves else "Not now")
        with suppress(Refusal), self.walk.app.transaction() as moment:
            requests_voting.vote(moment, self._person(moment, member), request_id, ballot)

    @staticmethod
    def _person(moment: Moment, email: str) -> Person:
        found = people_store.by_email(moment.session, email)
        assert found is not None
        return found


def hash_of(text: str) -> int:
    """The same in every process."""
    return sum(map(ord, text))
