"""Faults that are planted in a month are found, and named rightly; a clean month has none."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from policy.reconciliation.comparing import compare
from policy.units import NanoUSD
from tests.support import months
from tests.support.months import EU, HAIKU, SONNET, TOLERANCE, US, worth

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.reconciliation.books import Finding, Reconciled
    from tests.support.months import Seen

    Fault = Callable[[list[Seen]], list[Seen]]

MONTH = months.calls()


def found(ledger: list[Seen], vendor: list[Seen] = MONTH) -> Reconciled:
    return compare(months.books(vendor, ledger), worth, TOLERANCE)


def only(reconciled: Reconciled) -> Finding:
    [finding] = reconciled.findings
    return finding


def usd(some: list[Seen]) -> int:
    return sum(worth(one.at.date(), one.model, one.tier, one.meters) for one in some)


def adds_up(reconciled: Reconciled) -> bool:
    explained = sum(int(one.amount) for one in reconciled.findings) + int(reconciled.small)
    return int(reconciled.charged) - int(reconciled.posted) == explained


def test_a_clean_month_has_nothing_to_report() -> None:
    """Where both sides saw the same calls, nothing is found, and the sums are equal."""
    reconciled = found(MONTH)
    assert (reconciled.findings, reconciled.small, reconciled.charged) == ((), 0, reconciled.posted)


def test_a_lost_batch_is_lost_events() -> None:
    """Every third call of one gateway's two days is missing in the ledger."""
    lost = months.between(MONTH, EU, 12, 13)[::3]
    reconciled = found([one for one in MONTH if one not in lost])
    finding = only(reconciled)
    assert (finding.cause, finding.first, finding.last) == ("lost_events", date(2026, 10, 12), date(2026, 10, 13))
    assert finding.amount == usd(lost)
    assert adds_up(reconciled)


@pytest.mark.parametrize("other", [US, "gw-us-2"], ids=["twice by one", "by another as well"])
def test_a_doubled_gateway_is_double_reports(other: str) -> None:
    """For a week, what one gateway saw is in the ledger twice: by itself, or by a second one beside it."""
    again = [one._replace(source=other, at=one.at) for one in months.between(MONTH, US, 5, 11)]
    reconciled = found(MONTH + again)
    finding = only(reconciled)
    assert (finding.cause, finding.amount) == ("double_reports", -usd(again))
    assert finding.source in {US, other}
    assert sum(len(one.on) for one in finding.models) == 2 * 7
    assert adds_up(reconciled)


def test_half_of_a_gateway_doubled_is_double_reports() -> None:
    """Where only some calls are there twice, no assumption is exact, and it is double reports all the same."""
    again = months.between(MONTH, US, 20, 20)[::4]
    finding = only(found(MONTH + again))
    assert (finding.cause, finding.amount) == ("double_reports", -usd(again))


@pytest.mark.parametrize(("tier", "cause"), [("batch", "batch"), ("flex", "wrong_tier")])
def test_calls_of_another_tier_are_named_so(tier: str, cause: str) -> None:
    """What ran as a batch, or at another tier, and was reported as standard: no call is missing."""
    moved = {id(one) for one in months.between(MONTH, EU, 8, 10, SONNET)[::2]}
    vendor = [one._replace(tier=tier) if id(one) in moved else one for one in MONTH]
    reconciled = found(MONTH, vendor)
    finding = only(reconciled)
    assert (finding.cause, [one.model for one in finding.models]) == (cause, [SONNET])
    assert f"standard → {tier}" in finding.evidence[0].text
    assert adds_up(reconciled)


@pytest.mark.parametrize("days", [(1, 31), (15, 18)])
def test_cache_counted_as_input_is_named_so(days: tuple[int, int]) -> None:
    """One gateway's input counts include what was read from the cache, which is counted as well."""
    ledger = [one.less_cached(-1) if one in months.between([one], EU, *days) else one for one in MONTH]
    wrong = months.between(MONTH, EU, *days)
    over = usd([one.less_cached(-1) for one in wrong]) - usd(wrong)
    reconciled = found(ledger)
    finding = only(reconciled)
    assert (finding.cause, finding.source, finding.amount) == ("cache_as_input", EU, -over)
    assert finding.evidence[1].code == "cache_as_input.overlap"
    assert adds_up(reconciled)


def test_cache_that_was_not_counted_is_named_so() -> None:
    """Cached input is reported as new input, and none as cached."""

    def blind(one: Seen) -> Seen:
        cached = one.meters["cache_read"]
        return one._replace(
            meters={"input_uncached": one.meters["input_uncached"] + cached, "output": one.meters["output"]}
        )

    finding = only(found([blind(one) if one.at.day == 3 else one for one in MONTH]))
    assert (finding.cause, finding.evidence[1].code) == ("cache_as_input", "cache_as_input.uncounted")


@pytest.mark.parametrize("hours", [-1, 1, 9])
def test_a_clock_that_is_off_is_named_so(hours: int) -> None:
    """One gateway's clock is off: calls near midnight stand on another day; money moves at the month's ends alone."""
    ledger = [one._replace(at=one.at + timedelta(hours=hours)) if one.source == US else one for one in MONTH]
    reconciled = found(ledger)
    finding = only(reconciled)
    assert (finding.cause, finding.source) == ("day_cut", US)
    assert f"{-hours:+} h" in finding.evidence[0].text
    assert finding.amount == usd(
        [one for one in ledger if not date(2026, 10, 1) <= one.at.date() <= date(2026, 10, 31)]
    )
    assert adds_up(reconciled)


def test_a_day_cut_elsewhere_is_no_ones_clock() -> None:
    """Where all gateways are off alike, it is the vendor's day that is cut in another zone."""
    finding = only(found([one._replace(at=one.at + timedelta(hours=8)) for one in MONTH]))
    assert (finding.cause, finding.source) == ("day_cut", "")


def test_several_faults_are_told_apart() -> None:
    """A lost batch, a doubled gateway and a miscounted cache in one month are three findings with their own amounts."""
    lost = months.between(MONTH, EU, 12, 12, HAIKU)[::3]
    again = months.between(MONTH, US, 5, 6, SONNET)
    ledger = [one for one in MONTH if one not in lost] + again
    ledger = [one.less_cached(-1) if one.source == EU and one.at.day >= 20 else one for one in ledger]
    reconciled = found(ledger)
    told = {one.cause: int(one.amount) for one in reconciled.findings}
    assert told.keys() == {"lost_events", "double_reports", "cache_as_input"}
    assert (told["lost_events"], told["double_reports"]) == (usd(lost), -usd(again))
    assert adds_up(reconciled)


def test_an_old_price_list_is_named_with_its_ratio() -> None:
    """The counts agree, and from a day on the vendor charges a fifth more."""
    dearer = [
        one._replace(amount=NanoUSD(int(one.amount) * 6 // 5)) if one.model == HAIKU and one.day.day > 15 else one
        for one in months.charged(MONTH)
    ]
    reconciled = compare(months.books(MONTH, MONTH, dearer), worth, TOLERANCE)
    finding = only(reconciled)
    assert (finding.cause, finding.first) == ("price_list", date(2026, 10, 16))
    assert "1.200 times" in finding.evidence[0].text
    assert adds_up(reconciled)


def test_use_that_is_not_charged_is_free() -> None:
    """The counts agree, and the vendor charges nothing for a model."""
    free = [one for one in months.charged(MONTH) if one.model != HAIKU]
    finding = only(compare(months.books(MONTH, MONTH, free), worth, TOLERANCE))
    assert (finding.cause, finding.amount) == ("free_use", -usd([one for one in MONTH if one.model == HAIKU]))


def test_cents_of_rounding_are_no_finding() -> None:
    """A vendor that rounds each line to a cent is told of as a small sum, and not as a difference."""
    cent = 10_000_000
    rounded = [one._replace(amount=NanoUSD(-(-int(one.amount) // cent) * cent)) for one in months.charged(MONTH)]
    reconciled = compare(months.books(MONTH, MONTH, rounded), worth, TOLERANCE)
    assert reconciled.findings == ()
    assert 0 < int(reconciled.small) < len(rounded) * cent
    assert adds_up(reconciled)


def test_costs_that_are_not_in_yet_are_pending() -> None:
    """Costs lag a day behind the counts: the last days are pending, not different."""
    late = [one for one in months.charged(MONTH) if one.day.day < 30]
    reconciled = compare(months.books(MONTH, MONTH, late), worth, TOLERANCE)
    assert (reconciled.findings, reconciled.pending) == ((), (date(2026, 10, 30), date(2026, 10, 31)))
    assert int(reconciled.charged) + int(reconciled.pending_usd) == int(reconciled.posted)
