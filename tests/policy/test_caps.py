"""The tightest cap that a call does not fit decides, and everyone can be told why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import caps, handbook
from policy.caps import CHEAPER_ONLY, STOPPED, WALLET_EMPTY, Purse, Scope, Standing
from policy.handbook import HandbookError
from policy.parameters.holds import ACTIONS, SCOPES, WALLET, WINDOWS, CapRule
from policy.units import MicroTokens, NanoUSD

BERLIN = ZoneInfo("Europe/Berlin")
BOOK = handbook.parse(handbook.packaged())
ADA = Scope("per_ada", "anthropic", "per_mara", "mara@example.com", "apollo")
CENT = NanoUSD(10_000_000)


def standing(scope: str = "person", *, left: int = 0, action: str = "stop", fits: bool = False) -> Standing:
    limit = NanoUSD(1_000)
    return Standing(
        f"{scope} cap", scope, "day", action, limit, limit - NanoUSD(left), NanoUSD(0), None, fits, slow_to="small"
    )


standings = st.builds(
    standing,
    st.sampled_from((WALLET, *SCOPES)),
    left=st.integers(-5, 5),
    action=st.sampled_from(ACTIONS),
    fits=st.booleans(),
)


@given(st.lists(standings, max_size=8), st.booleans())
def test_the_tightest_that_denies_is_named_and_the_rest_warns(met: list[Standing], cheap: bool) -> None:  # noqa: FBT001 - drawn
    """A call runs unless a cap that it does not fit denies it; no other denying cap has less left or is narrower."""
    decision = caps.decide(met, {"small": cheap})
    over = [one for one in met if not one.fits]
    denying = [one for one in over if one.action == "stop" or (one.action == "slow" and not cheap)]
    assert decision.is_admitted == (not denying)
    assert len(decision.because) == len(over)
    if decision.stopped_by is not None:
        assert decision.stopped_by in denying
        assert all(decision.stopped_by.tightness <= one.tightness for one in denying)
    assert set(decision.warnings) == set(over) - set(denying)


@given(st.lists(standings, max_size=6, unique_by=lambda one: one.name), st.randoms())
def test_order_decides_nothing(met: list[Standing], random: object) -> None:
    """The same caps in another order give the same answer."""
    mixed = list(met)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis' own Random
    assert caps.decide(met, {}) == caps.decide(mixed, {})


def test_of_equal_ones_the_narrower_scope_is_named() -> None:
    """Someone whose wallet and whose programme have as little left hears of the wallet."""
    met = [standing("programme"), standing("team"), standing(WALLET)]
    decision = caps.decide(met, {})
    assert decision.stopped_by == met[2]
    assert decision.code == WALLET_EMPTY
    assert caps.decide(met[:2], {}).code == STOPPED


def test_a_slow_cap_lets_only_cheaper_models_pass() -> None:
    """Beyond it a cheaper model runs with a warning, and a dearer one is told to be cheaper."""
    slow = standing(action="slow")
    assert caps.decide([slow], {"small": False}).code == CHEAPER_ONLY
    passed = caps.decide([slow], {"small": True})
    assert passed.is_admitted
    assert passed.warnings == (slow,)


def rule(**given_: object) -> CapRule:
    usual: dict[str, object] = {"name": "a", "scope": "person", "window": "day", "usd": CENT, "action": "stop"}
    return CapRule(**(usual | given_))  # type: ignore[arg-type]  # as each test names them


@pytest.mark.parametrize(
    ("cap", "key"),
    [
        (rule(), "per_ada"),
        (rule(scope="person_service"), "per_ada/anthropic"),
        (rule(scope="person_service", service="openai"), None),
        (rule(scope="team"), "per_mara"),
        (rule(scope="team", team="Mara@example.com"), "per_mara"),
        (rule(scope="team", team="iris@example.com"), None),
        (rule(scope="project", project="apollo"), "apollo"),
        (rule(scope="project", project="zeus"), None),
        (rule(scope="service", service="anthropic"), "anthropic"),
        (rule(scope="programme"), ""),
    ],
)
def test_a_call_meets_the_caps_that_are_about_it(cap: CapRule, key: str | None) -> None:
    """Each scope has its own sum, and a cap that names one thing is met by that alone."""
    found = caps.applying([cap], ADA, date(2026, 11, 20))
    assert [one.key for _, one in found] == ([] if key is None else [key])


def test_who_is_in_no_team_and_names_no_project_meets_no_such_cap() -> None:
    """Nothing counts under an empty name."""
    alone = Scope("per_iris", "openai")
    assert caps.applying([rule(scope="team"), rule(scope="project")], alone, date(2026, 11, 20)) == []


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.sampled_from(WINDOWS))
def test_a_window_holds_its_day_and_ends_with_its_last(day: date, window: str) -> None:
    """Every day lies in one window of each length, which resets at the first instant after it in the zone."""
    days = caps.days_of(window, day)
    assert day in days
    assert days[0] == caps.first_day_of(window, day)
    assert all(caps.days_of(window, other) == days for other in days)
    local = caps.resets_at(window, day, BERLIN).astimezone(BERLIN)
    assert local.date() == days[-1] + timedelta(days=1)
    assert (local.hour, local.minute) == (0, 0)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
def test_what_fits_is_what_stays_within_the_limit(used: int, held: int, asked: int) -> None:
    """A cap is met exactly: the last nano-USD fits, and the next does not."""
    cap = rule(usd=NanoUSD(10**12))
    key = caps.applying([cap], ADA, date(2026, 11, 20))[0][1]
    found = caps.standing_of(cap, key, used=NanoUSD(used), held=NanoUSD(held), asked=NanoUSD(asked), zone=BERLIN)
    assert found.fits == (asked <= int(found.left))


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 10**12))
def test_a_wallet_never_goes_further_below_zero_than_it_may(
    balance: int, held: int, overdraft: int, asked: int
) -> None:
    """What fits leaves no more debt than the overdraft, even if all that is held is used."""
    purse = Purse(MicroTokens(balance), MicroTokens(held), MicroTokens(overdraft))
    found = caps.wallet_standing(purse, asked=MicroTokens(asked), per_token=CENT, stops=True)
    assert found.fits == (balance - held - asked >= -overdraft)


def test_the_overdraft_is_a_share_of_the_grant_but_never_less_than_its_floor() -> None:
    """A tenth of 200,000 tokens is more than USD 5, which is what someone without a grant has."""
    assert caps.overdraft(BOOK.holds, MicroTokens.parse("200000"), CENT) == MicroTokens.parse("20000")
    assert caps.overdraft(BOOK.holds, MicroTokens(0), CENT) == MicroTokens.parse("500")
    assert caps.overdraft(BOOK.holds, MicroTokens(0), NanoUSD(30_000_000)) * 30_000_000 >= 5 * 10**15


@pytest.mark.parametrize(
    ("launched", "today", "stops"),
    [
        (None, date(2026, 11, 20), False),
        ("2026-10-01", date(2026, 11, 20), False),
        ("2026-05-01", date(2026, 11, 20), True),
    ],
)
def test_an_empty_wallet_warns_in_the_pilot_and_stops_after_it(launched: str | None, today: date, stops: bool) -> None:  # noqa: FBT001 - an expectation
    """Phase 1 learns; phase 2 holds. Without a launch there is nothing to stop."""
    text = handbook.packaged()
    if launched:
        text = text.replace("# launched_on = 2027-01-01", f"launched_on = {launched}")
    assert caps.wallet_stops(handbook.parse(text), today) == stops
    never = handbook.parse(text.replace("stops_from_phase = 2", "stops_from_phase = 4"))
    assert not caps.wallet_stops(never, today)


CAP = """
[[caps]]
name = "Apollo"
scope = "project"
window = "month"
usd = 900
action = "stop"
project = "apollo"
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"month"', '"year"', "caps[1].window = 'year': expected one of day, week, month"),
        ("900", "0", "caps[1].usd = 0: expected an amount above zero"),
        ('"Apollo"', '"wallet"', "caps.name = 'wallet': the cap that everyone has by themselves is called that;"),
        ('"project"', '"person"', "caps.Apollo.project = 'apollo': only a cap of scope project names one"),
        ('"stop"', '"slow"', "caps.Apollo.slow_to: missing; expected the class of models that still pass, one of"),
        ('"stop"\n', '"slow"\nslow_to = "tiny"\n', "caps.Apollo.slow_to = 'tiny': expected a class of the basket,"),
        ('"stop"\n', '"stop"\nslow_to = "small"\n', "caps.Apollo.slow_to = 'small': only a cap whose action is 'slow'"),
        ("window", "windw", "caps[1].window: missing; expected one of day, week, month"),
    ],
)
def test_caps_that_cannot_be_are_refused(old: str, new: str, problem: str) -> None:
    """What is wrong is named by its key and its value."""
    with pytest.raises(HandbookError) as refused:
        handbook.parse(handbook.packaged() + CAP.replace(old, new, 1))
    assert problem in "\n".join(refused.value.problems)


def test_a_cap_is_read_and_two_of_one_name_are_refused() -> None:
    """A name is what a denial says, so it is one cap's."""
    assert handbook.parse(handbook.packaged() + CAP).caps == (
        rule(name="Apollo", scope="project", window="month", usd=NanoUSD.parse(Decimal(900)), project="apollo"),
    )
    with pytest.raises(HandbookError, match="'Apollo': listed twice"):
        handbook.parse(handbook.packaged() + CAP + CAP)


def test_a_handbook_of_before_the_holds_goes_on() -> None:
    """It has no caps, and holds as the packaged one does."""
    text = handbook.packaged()
    begin, end = text.index("[holds]"), text.index("# Approved services.")
    earlier = handbook.parse(text[:begin] + text[end:])
    assert earlier.holds == BOOK.holds
    assert earlier.caps == ()


def test_a_reset_at_a_change_of_clocks_is_local_midnight() -> None:
    """The day on which clocks go back is 25 hours long."""
    assert caps.resets_at("day", date(2026, 10, 25), BERLIN) == datetime(2026, 10, 25, 23, 0, tzinfo=UTC)
