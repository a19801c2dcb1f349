"""Faults in a real ledger are found beside a vendor's report, put right, and then gone; everything can be proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from tests.support import books, cast, months, reconciled
from tests.support import vendors as trials
from tests.support.books import ADA, BEN
from tests.support.months import EU, HAIKU, SONNET, US
from tests.support.reconciled import FAY, OMAR
from views.reconciliation import ACCEPTED, CORRECTED, OPEN, WAITING, Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from programme.app import App
    from tests.support.months import Seen
    from tests.support.vendors import Trial

MONTH = months.calls(hours=12)


@pytest.fixture
def trial() -> Iterator[Trial]:
    with trials.serving() as serving:
        reconciled.bill(serving, MONTH)
        yield serving


def only(found: list[Found], state: str = OPEN) -> Found:
    [finding] = [one for one in found if one.state == state]
    return finding


@pytest.mark.every_database
def test_a_clean_month_agrees(app: App, trial: Trial) -> None:
    """Nothing is told of a month in which gateways reported what the vendor counted."""
    reconciled.post(app, MONTH)
    assert reconciled.compare(app, trial) == []


def _cached_twice(calls: list[Seen]) -> list[Seen]:
    return [one.less_cached(-1) if one.source == EU and one.at.day >= 8 else one for one in calls]


def _a_clock_off(calls: list[Seen]) -> list[Seen]:
    return [one for one in calls if one.source == EU] + reconciled.later([o for o in calls if o.source == US], 1)


@pytest.mark.parametrize(("fault", "cause"), [(_cached_twice, "cache_as_input"), (_a_clock_off, "day_cut")])
def test_calls_that_were_reported_wrongly_are_corrected(
    sqlite_app: App, trial: Trial, fault: Callable[[list[Seen]], list[Seen]], cause: str
) -> None:
    """A miscounted cache, a clock an hour off: the calls themselves are corrected, and the month agrees."""
    reconciled.post(sqlite_app, fault(MONTH))
    finding = only(reconciled.compare(sqlite_app, trial))
    assert finding.cause == cause
    assert reconciled.decide(sqlite_app, finding, "calls").state == CORRECTED
    assert [one.state for one in reconciled.compare(sqlite_app, trial)] == [CORRECTED]
    assert books.findings(sqlite_app) == {}


@pytest.mark.every_database
def test_a_doubled_gateway_is_withdrawn(app: App, trial: Trial) -> None:
    """Calls that came twice under other ids are withdrawn, each once, and everybody has their tokens back."""
    cast.give(app, BEN, "100000")
    reconciled.post(app, MONTH)
    before = books.wallet(app, BEN)
    reconciled.post(app, months.between(MONTH, US, 5, 11), prefix="again")
    finding = only(reconciled.compare(app, trial))
    assert (finding.cause, finding.source) == ("double_reports", US)
    reconciled.decide(app, finding, "calls")
    assert books.wallet(app, BEN) == before
    assert [one.state for one in reconciled.compare(app, trial)] == [CORRECTED]
    assert books.findings(app) == {}


def test_a_whole_tier_is_put_right(sqlite_app: App, trial: Trial) -> None:
    """What all ran as a batch on some days is debited as a batch; of a part nobody can tell which calls."""
    batch = months.between(MONTH, EU, 18, 20, SONNET)
    reconciled.bill(trial, [one._replace(tier="batch") if one in batch else one for one in MONTH])
    reconciled.post(sqlite_app, MONTH)
    finding = only(reconciled.compare(sqlite_app, trial))
    assert (finding.cause, finding.source) == ("batch", EU)
    reconciled.decide(sqlite_app, finding, "calls")
    assert [one.state for one in reconciled.compare(sqlite_app, trial)] == [CORRECTED]
    assert books.findings(sqlite_app) == {}


def lose(app: App, trial: Trial) -> Found:
    """Every third call of Ada's gateway on two days was lost."""
    lost = months.between(MONTH, EU, 12, 13)[::3]
    reconciled.post(app, [one for one in MONTH if one not in lost])
    return only(reconciled.compare(app, trial))


@pytest.mark.every_database
def test_what_was_lost_is_posted_to_those_who_used_it(app: App, trial: Trial) -> None:
    """An adjustment takes what the vendor charged beyond the ledger, in proportion to use, to the last nano-USD."""
    cast.give(app, ADA, "100000")
    cast.give(app, BEN, "100000")
    finding = lose(app, trial)
    assert finding.cause == "lost_events"
    before = {email: books.wallet(app, email) for email in (ADA, BEN)}
    done = reconciled.decide(app, finding, "persons")
    assert (done.state, done.settled) == (CORRECTED, finding.amount)
    borne = [int(before[email]) - int(books.wallet(app, email)) for email in (ADA, BEN)]
    assert sum(borne) == int(finding.amount) // 10  # A token is a cent: nano-USD / 10 are micro-tokens.
    assert all(borne)
    assert [one.state for one in reconciled.compare(app, trial)] == [CORRECTED]
    assert books.findings(app) == {}


@pytest.mark.parametrize("payer", ["pool", "company"])
def test_what_was_lost_can_be_paid_by_others(sqlite_app: App, trial: Trial, payer: str) -> None:
    """The company pays without anybody's wallet; a pool with too little refuses, and nothing is decided."""
    finding = lose(sqlite_app, trial)
    before = books.wallet(sqlite_app, ADA)
    if payer == "pool":
        with pytest.raises(Refusal) as refused:
            reconciled.decide(sqlite_app, finding, payer)
        assert refused.value.code == "pool_too_small"
    else:
        reconciled.decide(sqlite_app, finding, payer)
        assert books.account(sqlite_app, "company") == MicroTokens(-int(finding.amount) // 10)
    assert books.wallet(sqlite_app, ADA) == before
    assert books.findings(sqlite_app) == {}


def test_a_large_correction_takes_two_people(sqlite_app: App, trial: Trial) -> None:
    """Above the handbook's limit the first chooses and somebody else confirms; nobody does both."""
    from programme.reconciliation import deciding  # noqa: PLC0415
    from store.people import directory as people_store  # noqa: PLC0415

    reconciled.tell_of_cents(sqlite_app, second_person_above="0.01")
    cast.hire(sqlite_app, reconciled.FINANCE)
    finding = reconciled.decide(sqlite_app, lose(sqlite_app, trial), "company")
    assert finding.state == WAITING
    for email, code in ((OMAR, "second_person"), (ADA, "not_finance"), (FAY, "")):
        with sqlite_app.transaction() as moment:
            person = people_store.by_email(moment.session, email)
            assert person is not None
            if code:
                with pytest.raises(Refusal) as refused:
                    deciding.confirm(moment, person, finding.id, finding.revision)
                assert refused.value.code == code
            else:
                assert deciding.confirm(moment, person, finding.id, finding.revision).state == CORRECTED
    assert books.account(sqlite_app, "company") < 0


def test_what_was_accepted_stays_until_the_figures_move(sqlite_app: App, trial: Trial) -> None:
    """An accepted difference is told of again only when the vendor's figures change by more than the tolerance."""
    finding = lose(sqlite_app, trial)
    assert reconciled.decide(sqlite_app, finding, "accept").state == ACCEPTED
    assert [one.state for one in reconciled.compare(sqlite_app, trial)] == [ACCEPTED]
    more = months.Seen(EU, MONTH[0].at.replace(day=13), HAIKU, {"input_uncached": 50_000_000, "output": 5})
    reconciled.bill(trial, [*MONTH, more])
    [again] = reconciled.compare(sqlite_app, trial)
    assert (again.state, again.revision, again.decision) == (OPEN, 2, None)


def test_calls_that_come_late_end_a_difference(sqlite_app: App, trial: Trial) -> None:
    """Where the lost calls arrive after all, the difference is gone without anybody's decision."""
    finding = lose(sqlite_app, trial)
    reconciled.post(sqlite_app, months.between(MONTH, EU, 12, 13)[::3], prefix="late")
    assert [one.state for one in reconciled.compare(sqlite_app, trial)] == ["gone"]
    with pytest.raises(Refusal) as refused:
        reconciled.decide(sqlite_app, finding, "company")
    assert refused.value.code == "decided"


def test_usage_in_quarantine_explains_a_difference(sqlite_app: App, trial: Trial) -> None:
    """What arrived and waits is counted as arrived: it is named so, and not taken for lost."""
    reconciled.post(sqlite_app, [one for one in MONTH if one.source != US])
    waiting = [
        cast.event(
            f"w{n}", at=one.at, who="nobody@example.com", model=("anthropic", one.model), meters=one.meters, source=US
        )
        for n, one in enumerate(one for one in MONTH if one.source == US)
    ]
    assert set(books.take_in(sqlite_app, *waiting)) == {"quarantined"}
    finding = only(reconciled.compare(sqlite_app, trial))
    assert finding.cause == "in_quarantine"
    assert finding.amount == NanoUSD(
        sum(months.worth(o.at.date(), o.model, "", o.meters) for o in MONTH if o.source == US)
    )
