"""What a call may cost is held before it runs, and what it did cost is posted after: nothing is spent twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from policy.caps import CHEAPER_ONLY, STOPPED, WALLET_EMPTY
from policy.estimates import Asked
from policy.reasons import Refusal
from policy.units import NanoUSD
from programme.holds.reserving import Held
from store.tables.holds import cap_sums, holds
from store.tables.outbox import outbox
from tests.support import books, cash, cast, held
from tests.support import requests as asking
from tests.support.books import ADA, BEN
from tests.support.cast import GPT
from tests.support.clock import NOON, Clock
from views.holds import Denial

if TYPE_CHECKING:
    from programme.app import App


DAILY = 'name = "Ada\'s day"\nscope = "person"\nwindow = "day"\nusd = 3\naction = "stop"'
MONTHLY = 'name = "Everyone"\nscope = "programme"\nwindow = "month"\nusd = 4\naction = "stop"'
TEAM = 'name = "Teams"\nscope = "team"\nwindow = "week"\nusd = 2\naction = "stop"'
WARNING = 'name = "Early word"\nscope = "person"\nwindow = "day"\nusd = 1\naction = "warn"'
SLOW = 'name = "Care"\nscope = "person"\nwindow = "day"\nusd = 1\naction = "slow"\nslow_to = "small"'


def held_of(answer: Held | Denial) -> Held:
    assert isinstance(answer, Held), answer
    return answer


def denial_of(answer: Held | Denial) -> Denial:
    assert isinstance(answer, Denial), answer
    return answer


def test_what_is_held_is_not_available_to_the_next_call(app: App) -> None:
    """Of 250 tokens two calls hold 100 each, and a third finds 50; nothing is posted by that."""
    held.stop(app)
    cast.give(app, ADA, "250")
    assert held_of(held.reserve(app, "1")).available == held.tokens("150")
    assert held_of(held.reserve(app, "2")).available == held.tokens("50")
    denial = denial_of(held.reserve(app, "3"))
    assert (denial.code, denial.cap.name) == (WALLET_EMPTY, "wallet")
    assert held.on_wallet(app) == held.tokens("200")
    assert books.wallet(app, ADA) == held.tokens("250")
    assert books.findings(app) == {}


def test_a_settle_posts_the_use_and_frees_the_rest(app: App) -> None:
    """A call that held 100 tokens and used 0.54 leaves 249.46, all of them available."""
    held.stop(app)
    cast.give(app, ADA, "250")
    held.reserve(app, "1")
    assert books.take_in(app, held.settled("e1", "1", at=NOON)) == ["accepted"]
    hold = held.one(app, "1")
    assert (hold.status, hold.micro_tokens, hold.used_nano_usd) == ("settled", 0, 5_400_000)
    assert held.on_wallet(app) == held.tokens("0")
    assert books.wallet(app, ADA) == held.tokens("249.46")
    assert books.findings(app) == {}


def test_a_settle_that_comes_again_changes_nothing(app: App) -> None:
    """The same event is a duplicate, and its hold is over as it was."""
    held.stop(app)
    cast.give(app, ADA, "250")
    held.reserve(app, "1")
    event = held.settled("e1", "1", at=NOON)
    assert books.take_in(app, event) == ["accepted"]
    before = held.one(app, "1")
    assert books.take_in(app, event) == ["duplicate"]
    assert held.one(app, "1") == before
    assert books.findings(app) == {}


def test_use_that_was_reported_without_its_hold_frees_it_when_it_is_named(app: App) -> None:
    """A call that came in by another way is not debited again, but what it held is free."""
    held.stop(app)
    cast.give(app, ADA, "250")
    held.reserve(app, "1")
    event = held.settled("e1", "1", at=NOON)
    assert books.take_in(app, event._replace(remarks=None)) == ["accepted"]
    assert held.on_wallet(app) == held.tokens("100")
    assert books.take_in(app, event) == ["duplicate"]
    assert held.on_wallet(app) == held.tokens("0")
    assert books.findings(app) == {}


def test_a_job_is_captured_in_parts(app: App) -> None:
    """What is not final takes its own part of the hold; the last one frees what is left."""
    held.stop(app)
    cast.give(app, ADA, "1000")
    held.reserve(app, "job", "2", kind="job")
    assert held.on_wallet(app) == held.tokens("240")
    books.take_in(app, held.settled("p1", "job", "0.75", at=NOON, final=False))
    assert (held.one(app, "job").status, held.on_wallet(app)) == ("held", held.tokens("165"))
    books.take_in(app, held.settled("p2", "job", "0.75", at=NOON))
    hold = held.one(app, "job")
    assert (hold.status, hold.used_nano_usd, hold.flags) == ("settled", 1_500_000_000, "")
    assert held.on_wallet(app) == held.tokens("0")
    assert books.findings(app) == {}


def test_more_than_was_held_is_posted_truly_and_flagged(app: App) -> None:
    """A hold of USD 1 that cost USD 3 leaves a debt, and says why."""
    held.stop(app)
    cast.give(app, ADA, "100")
    held.reserve(app, "1")
    books.take_in(app, held.settled("e1", "1", "3", at=NOON))
    assert held.one(app, "1").flags == "larger"
    assert books.wallet(app, ADA) == held.tokens("-200")
    assert held.on_wallet(app) == held.tokens("0")
    assert books.findings(app) == {}


def test_what_nobody_settles_lapses_and_a_late_settle_is_posted(app: App, clock: Clock) -> None:
    """After fifteen minutes the hold is free; use that comes then counts, and is flagged."""
    held.stop(app)
    cast.give(app, ADA, "100")
    held.reserve(app, "1")
    clock.move(minutes=14)
    assert held.lapse(app) == 0
    clock.move(minutes=1)
    assert held.lapse(app) == 1
    assert (held.one(app, "1").status, held.on_wallet(app)) == ("lapsed", held.tokens("0"))
    assert books.take_in(app, held.settled("e1", "1", "0.75", at=NOON)) == ["accepted"]
    hold = held.one(app, "1")
    assert (hold.status, hold.flags, hold.used_micro_tokens) == ("settled", "late", 75_000_000)
    assert books.wallet(app, ADA) == held.tokens("25")
    assert books.findings(app) == {}


def test_a_job_that_goes_silent_ends_with_its_last_report(app: App, clock: Clock) -> None:
    """What it reported stays posted, the rest is free, and someone can see that it went silent."""
    held.stop(app)
    cast.give(app, ADA, "1000")
    held.reserve(app, "job", "2", kind="job")
    books.take_in(app, held.settled("p1", "job", "0.75", at=NOON, final=False))
    clock.move(hours=1)
    assert held.lapse(app) == 1
    assert (held.one(app, "job").status, held.one(app, "job").flags) == ("lapsed", "unreported")
    assert books.wallet(app, ADA) == held.tokens("925")
    assert books.findings(app) == {}


def test_a_release_gives_all_back_once(app: App) -> None:
    """Again it says the same; what was settled can't be released."""
    held.stop(app)
    cast.give(app, ADA, "250")
    held.reserve(app, "1")
    held.reserve(app, "2")
    assert held.release(app, "1").status == "released"
    assert held.release(app, "1").status == "released"
    assert held.on_wallet(app) == held.tokens("100")
    books.take_in(app, held.settled("e2", "2", at=NOON))
    with pytest.raises(Refusal) as refused:
        held.release(app, "2")
    assert refused.value.code == "already_settled"
    with pytest.raises(Refusal) as unknown:
        held.release(app, "3")
    assert unknown.value.code == "unknown_hold"
    assert books.findings(app) == {}


def test_the_same_id_is_one_hold(app: App) -> None:
    """The same content gets the first answer, however often; another content is refused and changes nothing."""
    held.stop(app)
    cast.give(app, ADA, "250")
    first = held_of(held.reserve(app, "1"))
    again = held_of(held.reserve(app, "1"))
    assert (again.available, again.hold.id, again.warnings) == (first.available, "1", ())
    with pytest.raises(Refusal) as refused:
        held.reserve(app, "1", "2")
    assert refused.value.code == "conflict"
    assert held.on_wallet(app) == held.tokens("100")


def test_a_denial_keeps_nothing_and_the_same_call_runs_once_it_fits(app: App) -> None:
    """Tokens that are credited lift the wallet's cap at once, for the very id that was denied."""
    held.stop(app)
    cast.give(app, ADA, "50")
    denial_of(held.reserve(app, "1"))
    assert books.count(app, holds) == 0
    cast.give(app, ADA, "100")
    held_of(held.reserve(app, "1"))
    assert books.findings(app) == {}


def test_who_is_stopped_is_told_once_until_tokens_come(app: App) -> None:
    """Ten denials are one message; after a credit that is used up as well, there is another."""
    held.stop(app)
    cast.give(app, ADA, "50")
    for number in range(10):
        denial_of(held.reserve(app, f"a{number}"))
    assert books.count(app, outbox) == 1
    cast.give(app, ADA, "10")
    denial_of(held.reserve(app, "b"))
    assert books.count(app, outbox) == 2


def test_tokens_that_only_begin_or_have_ended_cannot_be_held(app: App, clock: Clock) -> None:
    """A lot that is over stands in the balance until it is closed, and is no room for a call."""
    held.stop(app)
    cast.give(app, ADA, "150", days=1)
    cast.give(app, ADA, "120")
    clock.move(days=2)
    assert held_of(held.reserve(app, "1")).available == held.tokens("20")
    assert denial_of(held.reserve(app, "2")).cap.room_tokens == held.tokens("20") + held.tokens("0.000001")
    assert books.findings(app) == {}


def test_an_overdraft_is_for_those_in_mid_sentence(app: App) -> None:
    """USD 5 below zero may be held, and not a cent more."""
    held.stop(app, overdraft=True)
    held_of(held.reserve(app, "1", "5"))
    denial_of(held.reserve(app, "2", "0.01"))


def test_an_empty_wallet_only_warns_before_its_phase(app: App) -> None:
    """In the pilot the call runs, and says that it would not later."""
    cast.give(app, ADA, "50")
    answer = held_of(held.reserve(app, "1", "6"))
    assert [cap.name for cap in answer.warnings] == ["wallet"]
    assert held.on_wallet(app) == held.tokens("600")
    assert books.findings(app) == {}


def test_a_daily_cap_counts_use_and_holds_and_begins_anew(app: App, clock: Clock) -> None:
    """USD 3 a day: use of before the first hold counts, what is freed does not, and tomorrow is another day."""
    held.stop(app, DAILY)
    cast.give(app, ADA, "10000")
    books.take_in(app, held.settled("e0", "none", "1.5", at=NOON))
    held_of(held.reserve(app, "1"))
    denial = denial_of(held.reserve(app, "2"))
    assert (denial.code, denial.cap.name, denial.cap.left) == (STOPPED, "Ada's day", NanoUSD.parse("0.5"))
    books.take_in(app, held.settled("e1", "1", "0.3", at=NOON))
    held_of(held.reserve(app, "3"))
    assert books.findings(app) == {}
    clock.move(days=1)
    held_of(held.reserve(app, "4", "3"))
    assert books.findings(app) == {}


def test_of_two_caps_the_tighter_one_is_named(app: App) -> None:
    """Everyone together has USD 4 a month; Ada has used three of them, and Ben is told of the programme."""
    held.stop(app, DAILY, MONTHLY)
    cast.give(app, ADA, "10000")
    cast.give(app, BEN, "10000")
    held_of(held.reserve(app, "1", "3"))
    assert denial_of(held.reserve(app, "2", "1")).cap.name == "Ada's day"
    denial = denial_of(held.reserve(app, "3", "1.5", who=BEN))
    assert denial.cap.name == "Everyone"
    assert denial.cap.resets_at is not None
    assert denial.cap.resets_at.isoformat() == "2026-11-30T23:00:00+00:00"
    assert books.findings(app) == {}


def test_a_team_shares_its_cap_from_the_day_after_it_is_known(app: App, clock: Clock) -> None:
    """Ada and Ben report to Mara: together they have USD 2 a week."""
    held.stop(app, TEAM)
    cast.give(app, ADA, "10000")
    cast.give(app, BEN, "10000")
    clock.move(days=3)
    held_of(held.reserve(app, "1", "1.5"))
    assert denial_of(held.reserve(app, "2", "1", who=BEN)).cap.name == "Teams"
    books.take_in(app, held.settled("e1", "1", "0.75", at=clock.now))
    held_of(held.reserve(app, "3", "1", who=BEN))
    assert books.findings(app) == {}


def test_a_cap_that_warns_lets_calls_pass(app: App) -> None:
    """The answer names it, and the sum goes on beyond its limit."""
    held.stop(app, WARNING)
    cast.give(app, ADA, "10000")
    assert held_of(held.reserve(app, "1")).warnings == ()
    assert [cap.name for cap in held_of(held.reserve(app, "2")).warnings] == ["Early word"]
    assert books.findings(app) == {}


def test_a_slow_cap_lets_only_cheap_models_pass(app: App) -> None:
    """Beyond a dollar a day only what costs no more than the small models runs, and the denial names one."""
    held.stop(app, SLOW)
    cast.give(app, ADA, "10000")
    held_of(held.reserve(app, "1", "0.99"))
    long = Asked({"input_uncached": 1_000, "output": 10_000})
    denial = denial_of(held.reserve(app, "2", asked=long))
    assert (denial.code, denial.cheaper) == (CHEAPER_ONLY, "gpt-5-mini")
    held_of(held.reserve(app, "3", asked=long, model=("openai", "gpt-5-mini")))
    assert books.findings(app) == {}


def test_a_cap_that_comes_in_mid_month_knows_what_was_used_before(app: App) -> None:
    """Its sum is made from the days' roll-up when it is first asked for, and kept from then on."""
    held.stop(app)
    cast.give(app, ADA, "10000")
    books.take_in(app, held.settled("e0", "none", "1.5", at=NOON - timedelta(days=3)))
    held.stop(app, MONTHLY, version="2026.3")
    held_of(held.reserve(app, "1", "2"))
    denial_of(held.reserve(app, "2", "1"))
    assert books.rows(app, cap_sums)[0][4:] == (1_500_000_000, 2_000_000_000, 2_000_000_000)
    assert books.findings(app) == {}


def test_a_worst_case_far_above_the_usual_stops_nobody(app: App) -> None:
    """Calls of Ada's cost a tenth of a dollar: one that could cost five is let through with that, and no dearer one."""
    held.stop(app)
    cast.give(app, ADA, "100")
    for number in range(5):
        held.reserve(app, f"h{number}", "0.5")
        books.take_in(app, held.settled(f"e{number}", f"h{number}", "0.09", at=NOON))
    assert books.wallet(app, ADA) == held.tokens("55")
    assert held_of(held.reserve(app, "1", "5")).hold.nano_usd == 90_000_000
    denial_of(held.reserve(app, "2", "5", model=GPT))
    assert books.findings(app) == {}


def test_a_call_that_names_only_its_size_is_estimated(app: App) -> None:
    """4,200 bytes are 1,200 tokens, and 4,096 tokens of output while nobody knows better: USD 0.06504."""
    held.stop(app)
    cast.give(app, ADA, "100")
    answer = held_of(held.reserve(app, "1", asked=Asked({}, input_bytes=4_200)))
    assert answer.hold.nano_usd == 1_200 * 3_000 + 4_096 * 15_000


def test_the_usual_length_of_answers_is_known_from_calls_that_were_settled(app: App) -> None:
    """Of twenty calls the nineteenth longest answer is held for the next."""
    held.stop(app)
    cast.give(app, ADA, "10000")
    for number in range(1, 21):
        held.reserve(app, f"h{number}")
        books.take_in(app, held.settled(f"e{number}", f"h{number}", f"{number * 0.0015:.4f}", at=NOON))
    answer = held_of(held.reserve(app, "1", asked=Asked({"input_uncached": 0})))
    assert answer.hold.nano_usd == 1_900 * 15_000


def test_a_hold_is_extended_for_longer_and_for_more(app: App, clock: Clock) -> None:
    """A heartbeat moves its end; more is held if it fits, and what does not fit leaves it as it was."""
    held.stop(app, DAILY)
    cast.give(app, ADA, "250")
    held.reserve(app, "1")
    clock.move(minutes=10)
    assert held_of(held.extend(app, "1")).hold.expires_at == clock.now + timedelta(minutes=15)
    assert held_of(held.extend(app, "1", "2")).hold.micro_tokens == held.tokens("200")
    before = held.one(app, "1")
    assert denial_of(held.extend(app, "1", "9")).code in {STOPPED, WALLET_EMPTY}
    assert held.one(app, "1") == before
    assert books.findings(app) == {}
    held.release(app, "1")
    with pytest.raises(Refusal) as over:
        held.extend(app, "1")
    assert over.value.code == "hold_over"


def test_a_hold_that_outlives_its_day_frees_that_day(app: App, clock: Clock) -> None:
    """It was part of yesterday's sum: more of it today is part of that too, and the use counts on its own day."""
    held.stop(app, DAILY)
    cast.give(app, ADA, "1000")
    held.reserve(app, "job", "1", kind="job", lasts=timedelta(days=1))
    clock.move(hours=13)
    held_of(held.extend(app, "job", "2", lasts=timedelta(days=1)))
    assert books.findings(app) == {}
    books.take_in(app, held.settled("e1", "job", "0.75", at=clock.now))
    assert held.on_wallet(app) == held.tokens("0")
    assert books.findings(app) == {}


def test_use_that_has_to_wait_frees_its_hold(app: App) -> None:
    """The call is over; what it cost is posted once someone says what it was."""
    held.stop(app)
    cast.give(app, ADA, "250")
    held.reserve(app, "1")
    odd = held.settled("e1", "1", at=NOON, model=("anthropic", "odd"))
    assert books.take_in(app, odd) == ["quarantined"]
    assert (held.one(app, "1").flags, held.on_wallet(app)) == ("quarantined", held.tokens("0"))
    assert books.findings(app) == {}


def test_another_content_under_the_id_of_an_event_leaves_the_hold_alone(app: App) -> None:
    """A conflict is no report: what is held stays held until the call is."""
    held.stop(app)
    cast.give(app, ADA, "250")
    books.take_in(app, cast.event("e1", at=NOON))
    held.reserve(app, "1")
    assert books.take_in(app, held.settled("e1", "1", "0.75", at=NOON)) == ["conflict"]
    assert held.one(app, "1").status == "held"
    assert books.findings(app) == {}


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"who": "stranger@example.com"}, "unknown_person"),
        ({"model": ("nobody", "x")}, "unapproved_service"),
        ({"model": ("anthropic", "odd"), "asked": Asked({"output": 1})}, "unknown_model"),
        ({"asked": Asked({"trained_tokens": 1})}, "unpriced_meter"),
        ({"usd": "90000000"}, "cost_out_of_range"),
    ],
)
def test_what_cannot_be_priced_or_attributed_is_refused_with_its_reason(
    app: App, named: dict[str, object], code: str
) -> None:
    """Nothing is held for a stranger, or at no price."""
    with pytest.raises(Refusal) as refused:
        held.reserve(app, "1", **named)  # type: ignore[arg-type]  # as `ask` has them
    assert refused.value.code == code
    assert books.count(app, holds) == 0


def test_outside_the_programme_the_company_pays_and_no_wallet_stops(app: App) -> None:
    """Omar is in finance: his calls hold what the company pays, and only caps of the handbook can stop them."""
    text = held.stopping_text(MONTHLY).replace("# launched_on = 2027-01-01", "launched_on = 2026-01-01")
    books.apply_text(app, text)
    answer = held_of(held.reserve(app, "1", "3", who="omar@example.com"))
    assert answer.available is None
    assert denial_of(held.reserve(app, "2", "3", who="omar@example.com")).cap.name == "Everyone"
    books.take_in(app, held.settled("e1", "1", "0.75", at=NOON, who="omar@example.com"))
    assert held.one(app, "1").status == "settled"
    assert books.findings(app) == {}


def test_what_is_credited_lifts_a_person_s_own_cap_at_once(app: App) -> None:
    """USD 3 a day are used; break-glass for 400 tokens lets the next USD 4 run, and the day after there are 3 again."""
    office = asking.convene(app, changes={cash.LAST_OF_HOLDS: f"{cash.LAST_OF_HOLDS}\n[[caps]]\n{DAILY}\n"})
    held_of(held.reserve(office, "1", "3"))
    denial = denial_of(held.reserve(office, "2", "4"))
    assert (denial.cap.name, denial.cap.limit) == ("Ada's day", NanoUSD.parse("3"))
    asking.ask(office, ADA, "400", incident="INC-1", days=3)
    assert held_of(held.reserve(office, "2", "4"))
    assert denial_of(held.reserve(office, "3", "0.1")).cap.limit == NanoUSD.parse("7")
    office.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert denial_of(held.reserve(office, "4", "4")).cap.limit == NanoUSD.parse("3")
