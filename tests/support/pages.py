"""Homes of an engineer, a manager and a member of the board, usual and unusual."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from policy.kinds import LotKind
from policy.period import Month, Quarter, Week
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import TokenValue
from programme.exceptions.cards import Queue, Queued
from programme.home import Board, Home, Requests, WarningsWanted
from templates import homes, render
from tests.support import capped, cards, packs
from tests.support.letters import CONTACT, ENDLESS, HOSTILE
from views.balance import BalanceCard, BurnDown, LotLine
from views.reports import AHEAD, WEEKS, MonthAhead, TeamBelow, TeamReport, WeekAhead, WeekOfSpend
from views.value import Histogram, ProgrammeFigures

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.exceptions.cards import Card
    from templates.blocks import Block

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOVEMBER = Month(2026, 11)
VALUE = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_000_000)


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


def usd(text: str) -> NanoUSD:
    return NanoUSD.parse(text)


def lot(
    remaining: str, amount: str, *, reason: str = "Grant for November 2026", kind: LotKind = LotKind.MONTHLY
) -> LotLine:
    return LotLine(kind, reason, tokens(amount), tokens(remaining), NOW, NOW + timedelta(days=70))


CARD = BalanceCard(
    person_id="per_1",
    name="Ada Lovelace",
    zone=ZoneInfo("Europe/London"),
    value=VALUE,
    available=tokens("4120.35"),
    granted=tokens("6500"),
    debt=tokens("0"),
    lots=(lot("120.35", "1500"), lot("4000", "5000")),
    coming=(),
    month=NOVEMBER,
    spent_this_month=tokens("1379.65"),
    services=(),
    outlook=None,
    used_before=True,
    now=NOW,
)


def burn_down() -> BurnDown:
    days = [NOVEMBER.first_day + timedelta(days=i) for i in range(20)]
    left = tuple((day, MicroTokens(5_500_000_000 - i * 69_000_000)) for i, day in enumerate(days))
    to_come = [date(2026, 11, 21) + timedelta(days=i) for i in range(10)]
    ahead = tuple(
        (day, *(MicroTokens(4_120_350_000 - (i + 1) * pace) for pace in (150_000_000, 90_000_000, 30_000_000)))
        for i, day in enumerate(to_come)
    )
    return BurnDown(NOVEMBER, NOW.date(), left, tokens("5500"), ahead, date(2027, 1, 4))  # type: ignore[arg-type]  # four


ENGINEER = Home(
    card=CARD,
    services=(("Anthropic API", tokens("1200")), ("OpenAI API", tokens("179.65"))),
    burn_down=burn_down(),
    requests=Requests((), 0),
    warnings=WarningsWanted((50, 70, 85, 95, 100), 0, 0),
    team=None,
    board=None,
    left_on=None,
    contact=CONTACT,
)
NEWCOMER = dataclasses.replace(
    ENGINEER,
    card=dataclasses.replace(
        CARD, available=tokens("0"), granted=tokens("0"), lots=(), spent_this_month=tokens("0"), used_before=False
    ),
    services=(),
    burn_down=None,
)
IN_DEBT = dataclasses.replace(
    ENGINEER,
    card=dataclasses.replace(CARD, available=tokens("-52.5"), granted=tokens("0"), debt=tokens("52.5"), lots=()),
    warnings=WarningsWanted((85, 100), 20, 8),
)

_weeks = [Week(date(2026, 8, 31) + timedelta(days=7 * i)) for i in range(WEEKS)]
_ahead = [Week(date(2026, 11, 16) + timedelta(days=7 * i)) for i in range(AHEAD)]
TEAM = TeamReport(
    manager_id="per_mara",
    today=NOW.date(),
    people=7,
    hidden="",
    services=("Anthropic API", "GPU cluster"),
    weeks=tuple(
        WeekOfSpend(
            week, (usd(str(400 + 20 * i)), usd("100")), usd(str(500 + 20 * i)), tokens("50000"), usd("600"), people=8
        )
        for i, week in enumerate(_weeks)
    ),
    ahead=tuple(WeekAhead(week, usd("500"), usd("700"), usd("900")) for week in _ahead),
    month=MonthAhead(NOVEMBER, usd("1900"), usd("2500"), usd("2800"), usd("3300"), usd("3000")),
    jumps=(),
    idle=None,
    lapsing=None,
    lapses_on=date(2026, 12, 1),
    open_requests=2,
    teams=(
        TeamBelow("Nils Berg", 8, usd("912.5"), usd("880"), tokens("91250")),
        TeamBelow("Rosa Lind", 6, usd("77.25"), None, tokens("7725")),
    ),
    teams_hidden=1,
    per_token=usd("0.01"),
    contact=CONTACT,
)
MANAGER = dataclasses.replace(ENGINEER, team=TEAM)

USED = Histogram(
    people=48,
    bins=tuple((10 * i, 10 * i + 10 if i < 10 else None, 8 if i < 6 else None) for i in range(11)),
    median_permille=400,
    p95_permille=850,
    months="August to October 2026",
)
STANDING = ProgrammeFigures(
    month=NOVEMBER,
    entitled=usd("171500"),
    funded=usd("92150.5"),
    worst_case=usd("97000.53"),
    reserve_permille=950,
    consumed=usd("31240.75"),
    phase=2,
    months_since_launch=7,
    next_review=date(2027, 1, 4),
    utilisation=USED,
)
UNKNOWN_USE = dataclasses.replace(
    STANDING,
    funded=STANDING.worst_case,
    reserve_permille=1_000,
    phase=None,
    months_since_launch=None,
    utilisation=dataclasses.replace(
        USED,
        people=3,
        bins=tuple((low, high, None) for low, high, _ in USED.bins),
        median_permille=None,
        p95_permille=None,
    ),
)


def queue(*shown: Card, waiting: bool = True, more: int = 0, hidden: int = 0) -> Queue:
    return Queue(tuple(Queued(card, awaits_reader=waiting) for card in shown), more, hidden)


def member(of: Queue, **changes: Any) -> Home:  # noqa: ANN401 - any field of what the board sees
    board = Board(of, STANDING, None)
    return dataclasses.replace(ENGINEER, board=dataclasses.replace(board, **changes))


MEMBER = member(queue(cards.UNDER_WAY, cards.CREDITED, more=2, hidden=1))
ASKED = Requests((cards.OPEN, cards.APPROVED, cards.REJECTED), 4)
EVERYTHING = dataclasses.replace(MANAGER, board=MEMBER.board, requests=ASKED, review=packs.CALL)


def hostile(text: str) -> Home:
    """A Home in which everything that someone wrote is a certain text, and everything is there as often as can be."""
    asked = tuple(cards.hostile(card, text) for card in (cards.OPEN, cards.APPROVED, cards.REJECTED))
    waiting = tuple(cards.hostile(cards.UNDER_WAY, text) for _ in range(5))
    below = tuple(TeamBelow(text, 9, usd("12"), None, tokens("1200")) for _ in range(150))
    return dataclasses.replace(
        EVERYTHING,
        card=dataclasses.replace(CARD, lots=tuple(lot("1", "2", reason=text) for _ in range(60))),
        services=tuple((text, tokens("1")) for _ in range(3)),
        requests=Requests(asked, 37),
        board=Board(queue(*waiting, more=35, hidden=2), STANDING, date(2026, 12, 1), packs.duties(text)),
        team=dataclasses.replace(TEAM, services=(text, text), teams=below),
        review=packs.called(text),
        contact=text,
        near_caps=tuple(dataclasses.replace(capped.DAY, name=text) for _ in range(9)),
    )


CASES: dict[str, Callable[[], Block]] = {
    "person": lambda: homes.person(ENGINEER),
    "person_new": lambda: homes.person(NEWCOMER),
    "person_with_tokens_to_come": lambda: homes.person(
        dataclasses.replace(NEWCOMER, card=dataclasses.replace(NEWCOMER.card, coming=(lot("900", "900"),)))
    ),
    "person_near_a_cap": lambda: homes.person(
        dataclasses.replace(
            ENGINEER, card=dataclasses.replace(CARD, held=tokens("120"), held_calls=3), near_caps=(capped.DAY,)
        )
    ),
    "person_in_debt": lambda: homes.person(IN_DEBT),
    "person_who_asked": lambda: homes.person(dataclasses.replace(ENGINEER, requests=ASKED)),
    "person_who_asked_long_ago": lambda: homes.person(dataclasses.replace(ENGINEER, requests=Requests((), 4))),
    "person_of_whom_little_is_known": lambda: homes.person(
        dataclasses.replace(ENGINEER, burn_down=dataclasses.replace(burn_down(), ahead=(), runs_out=None))
    ),
    "person_with_a_team": lambda: homes.person(MANAGER),
    "person_with_a_small_team": lambda: homes.person(
        dataclasses.replace(
            ENGINEER,
            team=dataclasses.replace(
                TEAM,
                people=3,
                hidden="few_people",
                services=(),
                weeks=(),
                ahead=(),
                month=None,
                teams=(),
                teams_hidden=0,
                open_requests=0,
            ),
        )
    ),
    "person_on_the_board": lambda: homes.person(MEMBER),
    "person_on_the_board_with_nothing_to_do": lambda: homes.person(member(queue(), standing=UNKNOWN_USE)),
    "person_on_the_board_who_voted": lambda: homes.person(
        member(queue(cards.UNDER_WAY, waiting=False), stands_in_until=date(2026, 12, 1))
    ),
    "person_with_a_review_to_vote_on": lambda: homes.person(dataclasses.replace(member(queue()), review=packs.CALL)),
    "person_who_voted_on_a_review": lambda: homes.person(dataclasses.replace(MEMBER, review=packs.CALLED_AND_VOTED)),
    "person_with_an_appeal_to_decide": lambda: homes.person(member(queue(), waiting=packs.DUTIES)),
    "person_who_stands_in": lambda: homes.person(member(queue(cards.OPEN), standing=None)),
    "person_with_everything": lambda: homes.person(EVERYTHING),
    "person_hostile": lambda: homes.person(hostile(HOSTILE)),
    "left": lambda: homes.person(dataclasses.replace(ENGINEER, burn_down=None, left_on=date(2026, 10, 31))),
    "unknown": lambda: render.home("unknown", contact=CONTACT),
    "refused": lambda: render.home("refused", refusal=Refusal("guest", "Guests have no part.", next_step="Ask Mara.")),
    "failure": lambda: render.home("failure", failure_id="1f2e3d4c", contact="the administrators"),
}
ENDLESS_CASES: dict[str, Callable[[], Block]] = {
    "person": lambda: homes.person(hostile(ENDLESS)),
    "unknown": lambda: render.home("unknown", contact=ENDLESS),
    "refused": lambda: render.home("refused", refusal=Refusal("guest", ENDLESS, next_step=ENDLESS)),
    "left": lambda: homes.person(dataclasses.replace(ENGINEER, left_on=date(2026, 10, 31), contact=ENDLESS)),
}
