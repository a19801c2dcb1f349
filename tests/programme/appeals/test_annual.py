"""Appeals against the annual review: the factor waits, a member decides, silence upholds, and all of it is proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.appeals import annual as handlers
from handlers.slack.interactions import Form, Press
from policy.appeals import REJECTED, UPHELD
from policy.period import Month
from policy.reasons import Refusal
from policy.sizing import Factors
from policy.units import MicroTokens
from programme.appeals import annual
from programme.balance import balance
from scheduler import tick
from scheduler.messages import compose
from store.tables.outbox import outbox
from tests.support import books, cast, rollout
from tests.support.annual_appealed import IRIS_MAIL, OMAR_MAIL, TENTH, appeal, person, run, settle
from tests.support.books import ADA, BEN
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock
    from views.appeals import AnnualAppeal

FEBRUARY, MARCH = Month(2027, 2), Month(2027, 3)
MARA = "mara@example.com"


def decide(app: App, filed: AnnualAppeal, *, upheld: bool, by: str = IRIS_MAIL) -> AnnualAppeal:
    with app.transaction(filed.filed_at + timedelta(hours=2)) as moment:
        return annual.decide(moment, person(moment, by), filed.id, upheld=upheld, reason="Seen.")


def granted(app: App, month: str) -> Factors:
    return codec.read(Factors, rollout.factors(app, BEN, month))


def test_upheld_the_factor_never_counts_and_what_it_took_is_back(app: App) -> None:
    """January's difference comes as a lot, February has no factor, and the proof says the same."""
    settle(app)
    before = granted(app, "2027-01")
    assert str(before.annual and before.annual.factor) == "0.95"
    ended = decide(app, appeal(app), upheld=True)
    assert (ended.state, ended.counts_from) == (UPHELD, None)
    with app.reading(TENTH + timedelta(days=1)) as moment:
        told = annual.card(moment, ended.id)
        card = balance.of_email(moment, BEN)
    assert told.credited is not None
    assert card is not None
    assert told.credited == MicroTokens.parse("4700")
    assert card.available == granted(app, "2026-12").amount + before.amount + told.credited
    run(app, FEBRUARY)
    after = granted(app, "2027-02")
    assert after.annual is None
    assert after.amount == before.amount + told.credited
    assert books.findings(app) == {}


def test_rejected_it_counts_from_the_next_month(sqlite_app: App) -> None:
    """What was granted meanwhile stays granted, and nothing is given back."""
    settle(sqlite_app)
    filed = appeal(sqlite_app, at=datetime(2027, 1, 21, 12, tzinfo=UTC))
    run(sqlite_app, FEBRUARY)
    with sqlite_app.transaction(datetime(2027, 2, 2, 9, tzinfo=UTC)) as moment:
        ended = annual.decide(moment, person(moment, IRIS_MAIL), filed.id, upheld=False, reason="It was counted.")
    assert (ended.state, ended.counts_from, ended.entry_id) == (REJECTED, MARCH, None)
    run(sqlite_app, MARCH)
    assert granted(sqlite_app, "2027-02").annual is None
    assert granted(sqlite_app, "2027-03").annual is not None
    assert books.findings(sqlite_app) == {}


def test_silence_upholds_it(sqlite_app: App) -> None:
    """Those who can decide are reminded once; when the time is over, the calendar ends it in the person's favour."""
    settle(sqlite_app)
    filed = appeal(sqlite_app)
    assert filed.remind_at is not None
    tick.tick(sqlite_app, now=filed.remind_at)
    tick.tick(sqlite_app, now=filed.decide_by)
    with sqlite_app.reading() as moment:
        ended = annual.require(moment, filed.id)
    assert (ended.state, ended.decided_by) == (UPHELD, "policy")
    assert ended.entry_id is not None
    with pytest.raises(Refusal, match="was upheld"):
        decide(sqlite_app, filed, upheld=False)
    kinds = {kind for kind, _ in books.rows(sqlite_app, sa.select(outbox.c.template, outbox.c.key))}
    assert kinds >= {"appeals/annual_card", "appeals/annual_mine", "appeals/annual_note"}


@pytest.mark.parametrize(
    ("who", "at", "code"),
    [
        (ADA, TENTH, "nothing_to_appeal"),
        (MARA, TENTH, "nothing_to_appeal"),
        (BEN, datetime(2027, 1, 25, 12, tzinfo=UTC), "too_late"),
    ],
)
def test_only_what_was_taken_can_be_appealed_against_in_time(
    sqlite_app: App, who: str, at: datetime, code: str
) -> None:
    """Whoever has no factor, or a larger grant by it, has nothing to undo; after fifteen business days it stays."""
    settle(sqlite_app)
    with pytest.raises(Refusal) as refused:
        appeal(sqlite_app, who, at)
    assert refused.value.code == code


def test_once_a_year_and_by_those_without_a_part(sqlite_app: App) -> None:
    """The same form again is the same appeal; who imported the groups, or is no member, can't decide it."""
    settle(sqlite_app)
    filed = appeal(sqlite_app)
    assert appeal(sqlite_app) == filed
    with pytest.raises(Refusal, match="had a part in the review"):
        decide(sqlite_app, filed, upheld=False, by=OMAR_MAIL)
    with pytest.raises(Refusal, match="Only members"):
        decide(sqlite_app, filed, upheld=True, by=MARA)
    decide(sqlite_app, filed, upheld=True)
    with pytest.raises(Refusal, match="was upheld by Iris"):
        decide(sqlite_app, filed, upheld=False)
    with sqlite_app.transaction(TENTH + timedelta(days=1)) as moment, pytest.raises(Refusal, match="already appealed"):
        annual.file(moment, person(moment, BEN), "Another reason.")


def test_the_statement_offers_it_while_there_is_something_to_undo(sqlite_app: App, clock: Clock) -> None:
    """Ben's has the button until he appeals; Ada's, whose factor is above one, never had it."""
    settle(sqlite_app)
    clock.now = TENTH

    def offers(who: str) -> bool:
        owner = outbox.c.person_id == cast.person_id(sqlite_app, who)
        query = sa.select(outbox.c.view).where(owner, outbox.c.template == "grants/statement")
        [(view,)] = books.rows(sqlite_app, query)
        composed = compose("grants/statement", view, app=sqlite_app)
        assert composed is not None
        return "annual_appeal" in str(composed.message.blocks)

    assert offers(BEN)
    assert not offers(ADA)
    appeal(sqlite_app)
    assert not offers(BEN)


def test_form_card_and_buttons(sqlite_app: App) -> None:
    """The form files what was written, and the card's button opens the one that decides it."""
    settle(sqlite_app)
    with sqlite_app.reading(TENTH) as moment:
        ben, iris = person(moment, BEN), person(moment, IRIS_MAIL)
    assert "does not count" in str(handlers.press_appeal(sqlite_app, Press(ben, "", TENTH, None, None)))
    written = {"reason": "I was on leave in May."}
    assert "with the board" in str(handlers.submit_appeal(sqlite_app, Form(ben, "V1", written, "", TENTH)))
    filed = f"2026/{ben.id}"
    opened = handlers.press_reject(sqlite_app, Press(iris, filed, TENTH, "C1", "1.0"))
    private = opened.view["private_metadata"]
    said = handlers.submit_reject(sqlite_app, Form(iris, "V2", {"reason": "It was counted."}, private, TENTH))
    assert "rejected" in str(said)
    for kind in ("annual_card", "annual_face", "annual_mine", "annual_note"):
        composed = compose(f"appeals/{kind}", {"appeal_id": filed}, app=sqlite_app)
        assert composed is not None
        assert "2026" in str(composed.message.blocks)
