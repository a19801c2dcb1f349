"""A month that was corrected reads like one that was right from the start: in every figure that anybody sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from policy.kinds import EntryKind, LotKind
from policy.period import Month, Quarter, Week
from policy.versions import Version
from programme.balance import balance, burn_down, history, why
from programme.usage import corrections, intake
from store.balance import warnings
from store.grants import monthly
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.people import teams
from tests.support import books, cast, depth
from tests.support.books import ADA, BEN
from tests.support.cast import GPT, SONNET
from tests.support.clock import NOON

if TYPE_CHECKING:
    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment

COUNTS = st.integers(0, 2)
GRANTED = 500_000_000
BEGINS = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
"""The first of November in Berlin."""


@dataclass(frozen=True)
class Mistake:
    """What was reported, and what is right: None where it never was."""

    reported: UsageEvent
    right: UsageEvent | None

    @property
    def is_right(self) -> bool:
        return self.reported == self.right


@st.composite
def events(draw: st.DrawFn, event_id: str) -> UsageEvent:
    return cast.event(
        event_id,
        at=NOON - timedelta(hours=5 * draw(st.integers(0, 80))),
        who=draw(st.sampled_from([ADA, BEN])),
        model=draw(st.sampled_from([SONNET, GPT])),
        meters={"output": draw(st.sampled_from([1, 30_000, 200_000, 700_000]))},
        project=draw(st.sampled_from(["", "apollo"])),
    )


@st.composite
def months(draw: st.DrawFn) -> list[Mistake]:
    """Events of which some are right as they came, some are corrected, and some withdrawn."""
    found: list[Mistake] = []
    for number in range(draw(st.integers(1, 6))):
        reported = draw(events(str(number)))
        right = draw(st.one_of(st.just(reported), events(str(number)), st.none()))
        found.append(Mistake(reported, right))
    return found


def grant(moment: Moment, numbers: range) -> None:
    """Monthly grants of both, as the run of the month posts them."""
    codes = [ledger.TREASURY, *(ledger.wallet_code(cast.id_of(moment.session, who)) for who in (ADA, BEN))]
    ids = ledger.open_accounts(moment.session, codes)
    treasury = ids.pop(ledger.TREASURY)
    for number in numbers:
        lot = NewLot(LotKind.MONTHLY, 100, BEGINS, BEGINS + timedelta(days=91), f"Grant {number}", "policy")
        for code, wallet in ids.items():
            key, amounts = f"grant:{code}:{number}", ((treasury, -GRANTED), (wallet, GRANTED))
            draft = Draft(EntryKind.GRANT, key, key.encode(), BEGINS, "November", "policy", amounts, lot=lot)
            ledger.post(moment.session, [draft], now=BEGINS)


def read(moment: Moment, *, lots: int) -> dict[str, Any]:
    """What is told of the month to its people, their manager, the review and finance."""
    month, quarter = Month(2026, 11), Quarter(2026, 4)
    told: dict[str, Any] = {
        "u": monthly.utilisation(moment.session, *quarter.bounds(moment.zone)),
        "cost": monthly.cost(moment.session, month),
        "spenders": sorted(monthly.spenders(moment.session, month)),
        "spend": monthly.spend(moment.session, month),
    }
    for who in (ADA, BEN):
        card = balance.of_email(moment, who)
        assert card is not None
        assert card.account_id is not None
        explained = why.explain(moment, card)
        assert all(sum(int(call.debit) for call in debit.calls) <= debit.amount for debit in explained.debits)
        statement = history.statement(moment, card.person_id, month)
        week = Week.containing(moment.today)
        told[who] = (
            (card.available, card.debt, card.spent_this_month, card.services, card.outlook),
            # Of several lots those are filled again that were burnt, which need not be those that would have been left.
            (card.granted, card.lots) if lots <= 1 else (),
            history.of_month(moment, card.person_id, month),
            (explained.parts, explained.waiting),
            (statement.opening, statement.closing),
            burn_down.of(moment, card),
            warnings.standings(moment.session, [card.account_id], month, now=moment.now),
            sorted(teams.spent(moment.session, [card.account_id], list(week.days()))),
            sorted(teams.spent_in_week(moment.session, [card.account_id], week)),
        )
    return told


@settings(max_examples=depth.examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(month=months(), at_once=st.sampled_from(["one by one", "together"]), grants=st.tuples(COUNTS, COUNTS))
def test_a_corrected_month_reads_as_if_it_had_been_right(
    sqlite_app: App, month: list[Mistake], at_once: str, grants: tuple[int, int]
) -> None:
    """Balance, history, why, burn-down, warnings, the team's week, u and the statement's end are all the same."""
    versions = [Version("gateway", one.reported.event_id, 1, one.right, "wrong") for one in month if not one.is_right]
    before, after = grants
    with books.rolled_back(sqlite_app) as moment:
        grant(moment, range(before + after))
        intake.take_in(moment, [one.right for one in month if one.right is not None])
        expected = read(moment, lots=sum(grants))
    with books.rolled_back(sqlite_app) as moment:
        grant(moment, range(before))
        for some in [month] if at_once == "together" else [[one] for one in month]:
            intake.take_in(moment, [one.reported for one in some])
        grant(moment, range(before, before + after))
        for part in [versions] if at_once == "together" else [[one] for one in versions]:
            corrections.take_in(moment, part, actor="test")
        assert books.findings_in(moment) == {}
        assert read(moment, lots=sum(grants)) == expected
