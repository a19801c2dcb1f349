"""Monthly grants: each month once, to the token, with what is over the limit gone and everything on record."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.period import Month
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme.grants import monthly, sizing
from programme.people import terms
from store.ledger import ledger
from store.ledger.drafts import Draft
from store.tables.grants import grants
from store.tables.ledger import accounts, entries, lots
from store.tables.outbox import outbox, runs
from store.tables.value import usd_entries
from tests.support import books, cast, rollout
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from policy.metering import Meters
    from programme.app import App
    from programme.grants.monthly import MonthlyRun

NOVEMBER, DECEMBER = Month(2026, 11), Month(2026, 12)
FIRST = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
"""In the first hour of December in Berlin."""


def run(app: App, month: Month = DECEMBER, now: datetime = FIRST, announce_in: str | None = None) -> MonthlyRun | None:
    with app.transaction(now) as moment:
        return monthly.run(moment, month, announce_in=announce_in)


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


def usage_of(app: App, tokens_spent: int, *, at: datetime, event_id: str, who: str = ADA) -> None:
    """Spend whole tokens: USD 0.01 each, at USD 1.25 a million input tokens."""
    used: Meters = {"input_uncached": tokens_spent * 8_000}
    [status] = books.take_in(app, cast.event(event_id, at=at, who=who, model=cast.GPT, meters=used))
    assert status == "accepted"


def test_everybody_in_the_rollout_is_granted_once(app: App) -> None:
    """Engineers get their grant, finance gets none; the lots live three months; a second run does nothing."""
    rollout.launch(app)
    posted = run(app)
    assert posted is not None
    assert (posted.people, posted.unsized) == (5, {})
    assert run(app) is None
    given = rollout.granted(app, "2026-12")
    assert given.keys() == {ADA, BEN, MARA, "iris@example.com", "tess@example.com"}
    # 0.25 × 180,000 ÷ 12 × 1.10 = USD 4,125; ÷ (0.01 × (1 + b)), to 100 tokens.
    factors = rollout.factors(app, ADA, "2026-12")
    assert (factors["entitlement"], factors["weight"]) == (3_750 * 10**9, "1.1000")
    buffered = 10_000 + 10 * factors["buffer_permille"]
    assert abs(int(given[ADA]) / 10**6 - 4125 * 10**6 / buffered) <= 100
    [(starts, ends)] = books.rows(
        app, sa.select(lots.c.starts_at, lots.c.expires_at).where(lots.c.account_id == books.account_id(app, ADA))
    )
    assert (starts, ends) == (datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2027, 2, 28, 23, tzinfo=UTC))
    assert books.keys(app, "grant") == {f"grant:2026-12:{cast.person_id(app, who)}" for who in given}
    assert books.wallet(app, ADA) == given[ADA]
    assert posted.granted == sum(given.values(), MicroTokens(0))
    assert books.findings(app) == {}


@pytest.mark.every_database
def test_a_month_is_posted_once_by_many_at_once(app: App, database_url: str) -> None:
    """Ten replicas that run the same month in the same instant post it once."""
    rollout.launch(app)
    results: list[MonthlyRun | None] = []

    def work(database: object) -> None:
        with database.transaction() as session:  # type: ignore[attr-defined]
            results.append(monthly.run(app.moment(session, FIRST), DECEMBER))

    assert books.at_once(database_url, [work] * 10) == []
    assert sum(result is not None for result in results) == 1
    assert books.count(app, grants) == 5
    assert books.count(app, outbox) == 5
    assert books.findings(app) == {}


def test_a_run_that_dies_leaves_nothing(app: App) -> None:
    """Whatever happens before the commit, the month is as it was, and the next run does it whole."""
    rollout.launch(app)

    def die() -> None:
        with app.transaction(FIRST) as moment:
            monthly.run(moment, DECEMBER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        die()
    assert [books.count(app, table) for table in (runs, grants, outbox, entries)] == [0, 0, 0, 0]
    assert run(app) is not None


def test_the_budget_is_kept_and_told(app: App) -> None:
    """With a budget below the sum, everyone's share is cut alike, and a fiftieth stays for those who come later."""
    rollout.launch(app)
    with app.transaction() as moment:
        terms.set_budget(moment, NOVEMBER, NanoUSD.parse("14000"), actor="test")
    run(app)
    [(issued,)] = books.rows(app, sa.select(sa.func.sum(grants.c.issued_nano_usd)))
    assert 13_710 * 10**9 < issued <= 13_720 * 10**9
    assert {rollout.factors(app, who, "2026-12")["budget_share"] for who in (ADA, BEN)} != {"1"}


def test_floors_beyond_the_budget_stop_the_run(app: App) -> None:
    """Nothing is posted, and the refusal says by how much the budget falls short."""
    rollout.launch(app)
    with app.transaction() as moment:
        terms.set_budget(moment, NOVEMBER, NanoUSD.parse("1000"), actor="test")
    with pytest.raises(Refusal, match=r"floors of 5 people need .* short") as refused:
        run(app)
    assert refused.value.code == "budget_below_floors"
    assert books.count(app, grants) == books.count(app, runs) == 0


def test_without_a_launch_there_is_no_run(app: App) -> None:
    """The packaged handbook has no date: the refusal says where to set it."""
    with pytest.raises(Refusal, match=r"no rollout\.launched_on"):
        run(app)


def test_what_is_over_the_carry_limit_lapses_into_the_pool(app: App) -> None:
    """Before lapses were announced: two unused grants meet a limit of one, and the older lot lapses on the first."""
    rollout.launch(app, changes=rollout.UNANNOUNCED)
    october = run(app, Month(2026, 10), datetime(2026, 9, 30, 22, 5, tzinfo=UTC))
    run(app, NOVEMBER, datetime(2026, 11, 1, 0, 5, tzinfo=UTC))
    assert october is not None
    grant = rollout.granted(app, "2026-11")[ADA]
    usage_of(app, 999, at=datetime(2026, 11, 10, tzinfo=UTC), event_id="e1")
    posted = run(app)
    assert posted is not None
    assert books.account(app, "pool") == posted.lapsed
    assert books.wallet(app, ADA) == grant + grant
    lots_left = rollout.open_lots(app, ADA)
    assert [reason for reason, *_ in lots_left] == ["Grant for November 2026", "Grant for December 2026"]
    [statement] = [
        view
        for key, view in rollout.owed(app, "grants/statement").items()
        if key == f"statement:2026-12:{cast.person_id(app, ADA)}"
    ]
    assert statement["lapsed"] == int(grant) - 999 * 10**6
    assert statement["carried"] == int(grant)
    assert books.findings(app) == {}


def test_a_grant_settles_debt_first(app: App) -> None:
    """Anyone who had spent more than they had gets the rest, and the statement says how much went into debt."""
    rollout.launch(app)
    rollout.greet(app, BEN)
    usage_of(app, 600, at=app.clock() - timedelta(days=1), event_id="e1", who=BEN)
    assert books.wallet(app, BEN) == tokens("-600")
    run(app)
    statement = rollout.owed(app, "grants/statement")[f"statement:2026-12:{cast.person_id(app, BEN)}"]
    assert statement["settled"] == 600 * 10**6
    assert books.wallet(app, BEN) == rollout.granted(app, "2026-12")[BEN] - tokens("600")
    assert sum(int(left) for _, left, _ in rollout.open_lots(app, BEN)) == int(books.wallet(app, BEN))
    assert books.findings(app) == {}


def test_who_comes_and_goes_gets_the_days(app: App) -> None:
    """A leaver on the tenth and a joiner on the twentieth get their share of the month; a long leave pauses."""
    rollout.launch(app)
    cast.hire(app, f"email,left_on\n{ADA},2026-12-10\n")
    joiner = "zoe@example.com,Zoe Martin,mid,engineering,P2,Europe/Paris,2026-12-20,1\n"
    cast.hire(app, f"email,name,level,role_family,pay_band,time_zone,hired_on,wave\n{joiner}")
    with app.transaction() as moment:
        terms.set_leave(moment, BEN, date(2026, 11, 15), None, actor="test")
    run(app)
    assert BEN not in rollout.granted(app, "2026-12")
    assert rollout.factors(app, ADA, "2026-12")["days_active"] == 10
    assert rollout.factors(app, "zoe@example.com", "2026-12")["days_active"] == 12
    starts = books.rows(
        app, sa.select(lots.c.starts_at).where(lots.c.account_id == books.account_id(app, "zoe@example.com"))
    )
    assert starts == [(datetime(2026, 12, 19, 23, tzinfo=UTC),)]
    [(due_at,)] = books.rows(
        app, sa.select(outbox.c.due_at).where(outbox.c.person_id == cast.person_id(app, "zoe@example.com"))
    )
    assert due_at >= datetime(2026, 12, 19, 23, tzinfo=UTC)


def test_a_part_of_a_post_is_granted_exactly(app: App) -> None:
    """Who works 38.5 of 40 hours is entitled to 0.9625 of a full post, not to a rounded share of it."""
    rollout.launch(app)
    cast.hire(app, f"email,fte\n{BEN},1\n")
    run(app)
    full = rollout.factors(app, BEN, "2026-12")
    cast.hire(app, f"email,fte\n{BEN},0.9625\n")
    run(app, Month(2027, 1), datetime(2027, 1, 1, 9, tzinfo=UTC))
    part = rollout.factors(app, BEN, "2027-01")
    assert (full["fte_permille"], part["fte_permille"]) == (1000, "962.5")
    assert part["entitlement"] * 10_000 == full["entitlement"] * 9_625
    assert books.findings(app) == {}


def test_a_change_in_mid_month_counts_from_the_next(app: App) -> None:
    """Ben is promoted on the third; December, run late on the fifth, still knows him as a junior."""
    rollout.launch(app)
    app.clock.now = datetime(2026, 12, 3, 9, tzinfo=UTC)  # type: ignore[attr-defined]
    cast.hire(app, f"email,level,pay_band\n{BEN},mid,P2\n")
    run(app, DECEMBER, datetime(2026, 12, 5, 9, tzinfo=UTC))
    run(app, Month(2027, 1), datetime(2027, 1, 1, 9, tzinfo=UTC))
    assert [rollout.factors(app, BEN, month)["level"] for month in ("2026-12", "2027-01")] == ["junior", "mid"]


def test_who_has_no_band_waits_and_is_named(app: App) -> None:
    """No one is held up by someone's missing band; once it is known, the joiners' run grants the month."""
    rollout.launch(app)
    cast.hire(app, f"email,pay_band\n{BEN},-\n")
    posted = run(app)
    assert posted is not None
    assert posted.unsized == {cast.person_id(app, BEN): "no pay band"}
    cast.hire(app, f"email,pay_band\n{BEN},P1\n")
    with app.transaction() as moment:
        later = monthly.run_joiners(moment.at(FIRST + timedelta(days=1)), date(2026, 12, 2))
        again = monthly.run_joiners(moment.at(FIRST + timedelta(days=2)), date(2026, 12, 3))
    assert later is not None
    assert again is not None
    assert (later.people, again.people) == (1, 0)
    assert BEN in rollout.granted(app, "2026-12")
    assert books.findings(app) == {}


def test_joiners_never_wait(app: App) -> None:
    """The run leaves a fiftieth of the budget; a joiner gets everyone's share, paid by it, the pool, the treasury."""
    rollout.launch(app)
    with app.transaction() as moment:
        terms.set_budget(moment, DECEMBER, NanoUSD.parse("12000"), actor="test")
    run(app)
    issued = total_issued(app)
    assert 11_740 * 10**9 < issued <= 11_760 * 10**9
    share = rollout.factors(app, ADA, "2026-12")["budget_share"]
    assert Decimal(share) < 1
    fill_pool(app, "1000")
    for number in range(2):
        hire_in_december(app, f"j{number}@example.com")
    with app.transaction(datetime(2026, 12, 8, 9, tzinfo=UTC)) as moment:
        joined = monthly.run_joiners(moment, date(2026, 12, 8))
    assert joined is not None
    assert joined.people == 2
    for number in range(2):
        factors = rollout.factors(app, f"j{number}@example.com", "2026-12")
        assert (factors["budget_share"], factors["days_active"]) == (share, 24)
    assert total_issued(app) > 12_000 * 10**9
    [[pool]] = books.rows(app, sa.select(accounts.c.balance).where(accounts.c.code == "pool"))
    assert pool == 0
    assert books.findings(app) == {}


def total_issued(app: App) -> int:
    """Nano-USD of all grants."""
    [[issued]] = books.rows(app, sa.select(sa.func.sum(grants.c.issued_nano_usd)))
    return int(issued)


def fill_pool(app: App, tokens: str) -> None:
    """Issue so many tokens into the shared pool."""
    amount = int(MicroTokens.parse(tokens))
    with app.transaction() as moment:
        held = ledger.hold(moment.session, [ledger.POOL, ledger.TREASURY])
        legs = ((held[ledger.TREASURY].id, -amount), (held[ledger.POOL].id, amount))
        draft = Draft(EntryKind.LAPSE, "filled", b"x", moment.now, "For the test", "test", legs)
        ledger.post(moment.session, [draft], now=moment.now, holding=held.values())


def hire_in_december(app: App, email: str) -> None:
    heading = "email,name,level,role_family,pay_band,time_zone,hired_on,wave"
    cast.hire(app, f"{heading}\n{email},{email},mid,engineering,P2,Europe/Paris,2026-12-08,1\n")


def test_a_handbook_without_a_reserve_shares_what_is_left(app: App) -> None:
    """Under a handbook of before, someone who comes after the run is granted within the month's budget."""
    rollout.launch(app, changes={"joiner_reserve = 0.02\n": ""})
    with app.transaction() as moment:
        terms.set_budget(moment, DECEMBER, NanoUSD.parse("20000"), actor="test")
    run(app)
    assert rollout.factors(app, ADA, "2026-12")["budget_share"] == "1"
    with app.transaction() as moment:
        terms.set_budget(moment, DECEMBER, NanoUSD.parse("21000"), actor="test")
    hire_in_december(app, "zoe@example.com")
    with app.transaction(datetime(2026, 12, 8, 9, tzinfo=UTC)) as moment:
        monthly.run_joiners(moment, date(2026, 12, 8))
    assert total_issued(app) <= 21_000 * 10**9
    assert rollout.factors(app, "zoe@example.com", "2026-12")["days_active"] == 24


def test_projects_move_grants(app: App) -> None:
    """A person on a novel project for all of their work has P = 1.20."""
    rollout.launch(app)
    file = io.StringIO(f"project,name,complexity,email,share\natlas,Atlas,novel,{ADA},1\n")
    with app.transaction() as moment:
        terms.import_projects(moment, file, today=date(2026, 11, 2), actor="test")
    run(app)
    assert rollout.factors(app, ADA, "2026-12")["complexity"] == "1.2000"
    assert rollout.factors(app, MARA, "2026-12")["complexity"] == "1"


def test_history_follows_last_quarters_use(app: App) -> None:
    """Ada used more of her grants than her level: from the next quarter on, H moves hers, and tells both figures."""
    rollout.launch(app)
    staff = "zoe@example.com,Zoe Martin,staff,engineering,P4,Europe/Paris,2020-01-01,1\n"
    cast.hire(app, f"email,name,level,role_family,pay_band,time_zone,hired_on,wave\n{staff}")
    for month in (Month(2026, 10), NOVEMBER, DECEMBER):
        run(app, month, datetime(month.year, month.month, 1, 9, tzinfo=UTC))
    usage_of(app, 300_000, at=datetime(2026, 12, 10, tzinfo=UTC), event_id="e1")
    run(app, Month(2027, 1), datetime(2027, 1, 1, 9, tzinfo=UTC))
    ada, zoe = (rollout.factors(app, who, "2027-01") for who in (ADA, "zoe@example.com"))
    assert ada["peers"] == zoe["peers"]
    assert float(ada["utilisation"]) == pytest.approx(2 * float(ada["peers"]), abs=1e-3)
    assert float(ada["history"]) > 1 > float(zoe["history"])


def test_the_digest_tells_of_no_single_person(app: App) -> None:
    """With only two spenders there is no figure of spend; with five there is, by service and day."""
    rollout.launch(app)
    usage_of(app, 300, at=datetime(2026, 11, 10, tzinfo=UTC), event_id="e1")
    run(app, announce_in="C0TOKENS")
    [few] = rollout.owed(app, "grants/digest").values()
    assert (few["people"], few["spent"], few["days"], few["services"]) == (5, None, [], [])
    for number, who in enumerate((BEN, MARA, "iris@example.com", "tess@example.com", "omar@example.com", ADA)):
        at = datetime(2026, 12, 10, tzinfo=UTC)
        usage_of(app, 300, at=at, event_id=f"d{number}", who=who)
    run(app, Month(2027, 1), datetime(2027, 1, 1, 9, tzinfo=UTC), announce_in="C0TOKENS")
    many = rollout.owed(app, "grants/digest")["digest:2027-01:C0TOKENS"]
    assert many["spent"] == 1_800 * 10**6
    assert many["services"] == [{"name": "OpenAI API", "spent": 1_800 * 10**6}]
    assert many["kinds"] == [{"name": "Model calls", "spent": 1_800 * 10**6}]
    assert [day["spent"] for day in many["days"] if day["spent"]] == [1_800 * 10**6]


def test_a_dry_run_shows_what_the_run_posts(app: App) -> None:
    """The plan has the same amounts as the run, and leaves nothing."""
    rollout.launch(app)
    with books.rolled_back(app) as moment:
        planned = sizing.plan(moment.at(FIRST), DECEMBER)
    assert books.count(app, grants) == books.count(app, runs) == 0
    run(app)
    posted = {cast.person_id(app, email): amount for email, amount in rollout.granted(app, "2026-12").items()}
    assert {person_id: f.amount for person_id, f in planned.sizing.grants.items()} == posted


def test_a_late_run_covers_the_days_before_it(app: App) -> None:
    """An outage over the first: what was used meanwhile is paid by the grant once it comes, and no debt remains."""
    rollout.launch(app)
    usage_of(app, 600, at=datetime(2026, 12, 2, tzinfo=UTC), event_id="e1")
    run(app, DECEMBER, datetime(2026, 12, 4, 15, tzinfo=UTC))
    assert books.wallet(app, ADA) == rollout.granted(app, "2026-12")[ADA] - tokens("600")
    assert books.findings(app) == {}


def test_days_and_services_of_few_people_tell_nothing(app: App) -> None:
    """Two who train alone on a Sunday: neither their service nor their day can be read or worked out."""
    rollout.launch(app)
    everybody = (ADA, BEN, MARA, "iris@example.com", "tess@example.com", "omar@example.com")
    for day in (9, 10, 11):
        for number, who in enumerate(everybody):
            at = datetime(2026, 11, day, 9, tzinfo=UTC)
            usage_of(app, 300, at=at, event_id=f"d{day}-{number}", who=who)
    for number, who in enumerate((ADA, BEN)):
        job = cast.event(
            f"job{number}",
            at=datetime(2026, 11, 15, 9, tzinfo=UTC),
            who=who,
            model=("gpu-cluster", "H100"),
            meters={"gpu_seconds": 3_600},
        )
        assert books.take_in(app, job) == ["accepted"]
    run(app, announce_in="C0TOKENS")
    [digest] = rollout.owed(app, "grants/digest").values()
    assert digest["spent"] == 5_400 * 10**6 + 2 * 235 * 10**6
    # The one service that is left would tell the other by its difference to the sum.
    assert digest["services"] == digest["kinds"] == []
    shown = {day["day"]: day["spent"] for day in digest["days"] if day["spent"]}
    mean = (1_800 * 10**6 + 470 * 10**6) // 2
    assert shown == {
        "2026-11-09": mean,
        "2026-11-10": 1_800 * 10**6,
        "2026-11-11": 1_800 * 10**6,
        "2026-11-15": mean,
    }
    assert {day["day"] for day in digest["days"] if day["evened"]} == {"2026-11-09", "2026-11-15"}
    # Nothing is told of October: no one spent anything.
    assert digest["weekday_before"] is None


@pytest.mark.parametrize(("people", "weekday"), [(6, 160 * 10**6), (4, None)])
def test_the_digest_compares_with_the_month_before(app: App, people: int, weekday: int | None) -> None:
    """Beside November stands an average weekday of October's 22, to two digits; not where few people spent in it."""
    rollout.launch(app)
    everybody = (ADA, BEN, MARA, "iris@example.com", "tess@example.com", "omar@example.com")
    for month, who_spent in ((10, everybody[:people]), (11, everybody)):
        for day in (12, 13):
            for who in who_spent:
                at = datetime(2026, month, day, 9, tzinfo=UTC)
                usage_of(app, 300, at=at, event_id=f"{who}-{month}-{day}", who=who)
    run(app, announce_in="C0TOKENS")
    [digest] = rollout.owed(app, "grants/digest").values()
    assert digest["weekday_before"] == weekday


def test_the_buffer_is_on_the_books(app: App) -> None:
    """What is held back at issue is tokens × value × buffer, debited to the budget and credited to the buffer."""
    rollout.launch(app)
    posted = run(app)
    assert posted is not None
    [(debit, credit, amount)] = books.rows(
        app, sa.select(usd_entries.c.debit_account, usd_entries.c.credit_account, usd_entries.c.amount_nano_usd)
    )
    buffer = rollout.factors(app, ADA, "2026-12")["buffer_permille"]
    assert (debit, credit) == ("budget", "buffer")
    assert amount == pytest.approx(int(posted.granted) * 10 * buffer // 1_000 * 1, rel=1e-9)
