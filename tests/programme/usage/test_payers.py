"""Who is outside the programme is paid for by the company: by the day of the use, in no debt, and told so."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy.period import Month
from policy.units import MicroTokens
from programme import handbooks
from programme.balance import balance, history, why
from programme.handbook import applying
from programme.people import participation
from programme.usage import intake
from store.people import teams
from store.tables.ledger import accounts
from store.tables.usage import usage_days, usage_events
from store.tables.warnings import wallets_to_check
from tests.support import books, cast, depth, rollout
from tests.support.books import ADA, BEN, MARA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App
    from views.balance import BalanceCard

OMAR = "omar@example.com"
"""Of finance, who takes no part."""
DAY = datetime(2026, 6, 15, 9, tzinfo=UTC)


@pytest.fixture
def launched(app: App) -> App:
    rollout.launch(app)
    return app


def use(app: App, who: str, at: datetime = NOON, event_id: str = "", **more: object) -> None:
    event = cast.event(event_id or f"{who}:{at}", at=at, who=who, meters={"output": 1_000_000}, **more)  # type: ignore[arg-type]
    assert books.take_in(app, event) == ["accepted"]


def paid(app: App, email: str) -> MicroTokens:
    return -books.account(app, f"company:{cast.person_id(app, email)}")


def card_of(app: App, email: str) -> BalanceCard:
    with app.reading() as moment:
        card = balance.of_email(moment, email)
    assert card is not None
    return card


def test_who_is_of_another_role_family_is_paid_for_by_the_company(app: App) -> None:
    """Omar's use is posted against the company's account: his wallet has no line, and no debt."""
    rollout.launch(app)
    use(app, OMAR)
    use(app, ADA)
    assert books.count(app, accounts) == len({"wallet of Ada", "company for Omar", "service"})
    assert paid(app, OMAR) == books.account(app, "service:anthropic") - (-books.wallet(app, ADA))
    card = card_of(app, OMAR)
    assert (card.debt, card.available, card.spent_this_month) == (MicroTokens(0),) * 3
    assert card.paid_by_company == paid(app, OMAR)
    assert card_of(app, ADA).debt == -books.wallet(app, ADA)
    assert books.findings(app) == {}


def test_whose_wave_is_to_come_joins_with_it(app: App) -> None:
    """Use before the wave's first month is the company's, from then on the person's own, also when it comes late."""
    rollout.launch(app)
    begins = datetime(2026, 5, 1, 9, tzinfo=UTC)
    use(app, BEN, begins)
    own = books.wallet(app, BEN)
    use(app, BEN, begins - timedelta(days=1))
    assert books.wallet(app, BEN) == own < MicroTokens(0)
    assert paid(app, BEN) == -own
    assert books.findings(app) == {}


def test_without_a_launch_everyone_pays_from_their_own(app: App) -> None:
    """While no launch is set, tokens are what administrators give, and there is nothing to be outside of."""
    use(app, OMAR)
    assert books.wallet(app, OMAR) < MicroTokens(0)
    assert books.count(app, accounts) == 2


def test_the_handbook_of_the_day_decides(app: App) -> None:
    """A handbook that lets finance in from a month on moves nothing of the months before."""
    rollout.launch(app)
    later = books.handbook_text("2026.finance", date(2026, 11, 1))
    later = later.replace('["engineering", "research"]', '["engineering", "finance"]')
    later = later.replace("# launched_on = 2027-01-01", f"launched_on = {rollout.LAUNCH}")
    with app.transaction() as moment:
        applying.apply(moment, later, actor=handbooks.SYSTEM)
    use(app, OMAR, NOON)
    use(app, OMAR, NOON - timedelta(days=40))
    assert books.wallet(app, OMAR) == -paid(app, OMAR) < MicroTokens(0)


def test_who_joins_keeps_what_was_paid(app: App) -> None:
    """After a move into engineering the next month is the person's own; what the company paid before stays its."""
    rollout.launch(app)
    use(app, OMAR, NOON)
    before = paid(app, OMAR)
    cast.hire(app, cast.PEOPLE.replace("senior,finance", "senior,engineering"))
    app.clock.move(days=30)  # type: ignore[attr-defined]  # the tests' clock
    use(app, OMAR, NOON, "late")
    assert paid(app, OMAR) == before * 2
    use(app, OMAR, NOON + timedelta(days=30))
    assert paid(app, OMAR) == before * 2
    assert books.wallet(app, OMAR) == -before
    card = card_of(app, OMAR)
    assert (card.debt, card.paid_by_company) == (before, MicroTokens(0))
    assert books.findings(app) == {}


def test_nobody_outside_is_warned(app: App) -> None:
    """Only wallets are looked at: who has no tokens of their own has used no share of them."""
    rollout.launch(app)
    use(app, OMAR)
    assert books.count(app, wallets_to_check) == 0
    use(app, ADA)
    assert books.count(app, wallets_to_check) == 1


def test_why_and_history_tell_what_the_company_paid(app: App) -> None:
    """The arithmetic has the calls, said to be the company's, beside a balance of nothing; the month has its lines."""
    rollout.launch(app)
    use(app, OMAR)
    card = card_of(app, OMAR)
    with app.reading() as moment:
        explained = why.explain(moment, card)
        month = history.of_month(moment, card.person_id, Month.containing(NOON.date()))
    assert (explained.parts, explained.balance, explained.paid_by_company) == ([], MicroTokens(0), paid(app, OMAR))
    assert [(debit.by_company, debit.amount) for debit in explained.debits] == [(True, paid(app, OMAR))]
    assert (month.lines, month.debit) == ((), MicroTokens(0))
    assert (month.paid_calls, month.paid_debit) == (1, paid(app, OMAR))


def test_a_team_has_the_use_of_all_its_people(app: App) -> None:
    """What the company paid for is in the account that a team's report reads for the person, beside the wallet."""
    rollout.launch(app)
    for at in (datetime(2026, 4, 20, 9, tzinfo=UTC), datetime(2026, 5, 20, 9, tzinfo=UTC)):
        use(app, BEN, at)
    ben = cast.person_id(app, BEN)
    with app.database.reading() as session:
        members = teams.members(session, [ben, cast.person_id(app, MARA)])
        mine = [one.account_id for one in members if one.person_id == ben and one.account_id]
        spent = list(teams.spent(session, mine, [date(2026, 4, 20), date(2026, 5, 20)]))
    assert len(mine) == len(spent) == 2
    assert len({one.tokens for one in spent}) == 1


def test_free_use_outside_is_counted_and_costs_nothing(app: App) -> None:
    """A free call of somebody outside names the company's account, and opens no wallet."""
    rollout.launch(app)
    assert books.take_in(app, cast.event("free", at=NOON, who=OMAR, meters={})) == ["accepted"]
    [(account_id,)] = books.rows(app, sa.select(usage_events.c.account_id))
    assert books.rows(app, sa.select(accounts.c.code).where(accounts.c.id == account_id)) == [
        (f"company:{cast.person_id(app, OMAR)}",)
    ]
    assert books.findings(app) == {}


@pytest.mark.every_database
def test_what_waited_is_paid_by_who_pays_then(app: App) -> None:
    """An event that leaves quarantine is posted by the handbook of its own day, on both databases."""
    rollout.launch(app)
    books.take_in(app, cast.event("1", at=DAY, who="new@example.com"), cast.event("2", at=NOON, who="new@example.com"))
    newcomer = (
        "email,name,level,role_family,time_zone,hired_on,wave\nnew@example.com,N,mid,engineering,UTC,2026-01-01,4\n"
    )
    cast.hire(app, newcomer)
    assert books.retry(app) == (2, 0)
    assert paid(app, "new@example.com") == -books.wallet(app, "new@example.com") > MicroTokens(0)
    assert books.findings(app) == {}


USES = st.lists(
    st.tuples(st.sampled_from([ADA, BEN, OMAR]), st.integers(0, 320), st.integers(1, 9)), min_size=1, max_size=12
)


@settings(max_examples=depth.examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(uses=USES, seed=st.integers(0, 2**32))
def test_the_order_of_use_decides_nothing(launched: App, uses: list[tuple[str, int, int]], seed: int) -> None:
    """In any order, each use is paid by who pays on its day: by the programme's calendar, whoever came before."""
    first = datetime(2026, 1, 1, 9, tzinfo=UTC)
    events = [
        cast.event(f"{i}", at=first + timedelta(days=day), who=who, meters={"output": count * 1_000})
        for i, (who, day, count) in enumerate(uses)
    ]
    random.Random(seed).shuffle(events)  # noqa: S311 - to repeat a failure
    begins = {ADA: date(2026, 1, 1), BEN: date(2026, 5, 1), OMAR: date.max}
    with books.rolled_back(launched) as moment:
        who_is = {cast.id_of(moment.session, email): email for email in begins}
        for event in events:
            intake.take_in(moment, [event])
        query = sa.select(usage_days.c.day, accounts.c.code).join(accounts, accounts.c.id == usage_days.c.account_id)
        for day, code in moment.session.execute(query):
            payer, _, person_id = code.partition(":")
            assert payer == ("wallet" if day >= begins[who_is[person_id]] else "company")
        assert books.findings_in(moment) == {}


def test_the_rule_is_that_of_the_grants(app: App) -> None:
    """Who is granted for a month is not outside in it, and who is outside is granted nothing."""
    rollout.launch(app)
    month = Month(2026, 11)
    people = {cast.person_id(app, email) for email in (ADA, BEN, OMAR, MARA)}
    with app.reading() as moment:
        outside = participation.outside(moment, month, people)
    assert outside == {cast.person_id(app, OMAR)}
