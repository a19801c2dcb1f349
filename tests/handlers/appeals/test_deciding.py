"""`/tokens review` and the forms of appeals: what each person finds, and what is refused before anything happens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from slack_sdk import WebClient

from handlers import slack_app
from handlers.appeals import deciding
from handlers.slack.interactions import Form, Modal, Press
from policy import texts
from policy.reasons import FieldsRefused, Refusal
from programme.appeals import appeals
from sandbox import block_kit
from scheduler import messages
from store.reviews import drafts
from store.tables.outbox import outbox
from tests.support import appealed, books, cast
from tests.support import requests as asking
from tests.support.appealed import FEBRUARY_THIRD, FRIDAY
from tests.support.requests import IRIS, OMAR, TESS
from tests.support.reviewed import BUSY, IDLE, Q4
from views.reviews import LAPSED

if TYPE_CHECKING:
    from programme.app import App
    from tests.support.clock import Clock

USUAL = "t1p2@example.com"
TOO_LATE = datetime(2027, 2, 6, 9, tzinfo=UTC)


@pytest.fixture
def drafted(sqlite_app: App, clock: Clock) -> App:
    """A company whose review is drafted and not decided."""
    appealed.settle(sqlite_app, clock)
    clock.now = FRIDAY
    return sqlite_app


@pytest.fixture
def adopted(drafted: App) -> App:
    """The same once it is adopted."""
    with drafted.transaction() as moment:
        appealed.adopt(moment)
    return drafted


def review(app: App, who: str) -> str:
    """What `/tokens review` tells someone."""
    with app.database.reading() as session:
        user = asking.person(session, who).slack_user_id
    assert user is not None
    nobody = WebClient("xoxb-none", base_url="http://127.0.0.1:1/api/")
    said = slack_app.COMMANDS.answer(app, text="review", slack_user_id=user, client=nobody)
    assert not isinstance(said, Modal)
    assert block_kit.problems(said.blocks) == ()
    return json.dumps([said.text, said.blocks], ensure_ascii=False)


def press(app: App, who: str, value: str, at: datetime = FEBRUARY_THIRD) -> Press:
    with app.database.reading() as session:
        return Press(asking.person(session, who), value, at, asking.BOARD_CHANNEL, "1.5")


def form(app: App, who: str, private: str, reason: str, at: datetime = FEBRUARY_THIRD) -> Form:
    with app.database.reading() as session:
        return Form(asking.person(session, who), "V1", {"reason": reason}, private, at)


def appeal_id(app: App, who: str = IDLE) -> str:
    return f"{Q4}/{cast.person_id(app, who)}"


def private(app: App) -> str:
    return json.dumps({"appeal_id": appeal_id(app), "channel": asking.BOARD_CHANNEL, "ts": "1.5"})


def file(app: App) -> None:
    deciding.submit_appeal(app, form(app, IDLE, str(Q4), "I was at a customer"))


def refusal(call: object, *arguments: object) -> str:
    """The code with which something is refused."""
    with pytest.raises(Refusal) as refused:
        call(*arguments)  # type: ignore[operator]  # any of the handlers
    return refused.value.code


# --- /tokens review ------------------------------------------------------------------------------------------------


def test_a_draft_is_not_told(drafted: App) -> None:
    """While the board has not decided, and after it let it lapse, no one learns anything of their case."""
    assert "No quarterly review has been adopted yet" in review(drafted, IDLE)
    assert "−10 %" not in review(drafted, IDLE)
    with drafted.database.transaction() as session:
        kept = drafts.get(session, Q4)
        assert kept is not None
        assert drafts.change(session, kept, state=LAPSED, decided_at=FRIDAY)
    assert "No quarterly review has been adopted yet" in review(drafted, IDLE)


def test_everybody_finds_their_own_case(adopted: App) -> None:
    """A cut with *Appeal…*, a raise without, no change at all with its reasons, and nothing where there is no case."""
    cut, raised, same, none = (review(adopted, who) for who in (IDLE, BUSY, USUAL, OMAR))
    assert "instead of" in cut
    assert " from February 2027: " in cut
    assert " tokens less.*" in cut
    assert "The board adopted the review of 2026-Q4 (October to December 2026), which comes to −10 %" in cut
    assert "ends the cuts" in cut
    assert "appeals_file" in cut
    assert " tokens more.*" in raised
    assert "which comes to +5 %" in raised
    assert "appeals_file" not in raised
    assert "changes nothing for you" in same
    assert "*Why:*" in same
    assert "What would change it" in same
    assert "You had no case in the review of 2026-Q4" in none


def test_the_command_tells_what_the_notice_told(adopted: App) -> None:
    """Whatever a notice says of the change, the reasons and the last day, the command says in the same words."""
    o = outbox.c
    [(template, view)] = books.rows(
        adopted, sa.select(o.template, o.view).where(o.key == f"review_notice:{appeal_id(adopted).replace('/', ':')}")
    )
    composed = messages.compose(template, view, app=adopted)
    assert composed is not None
    for block in composed.message.blocks:
        assert json.dumps({key: part for key, part in block.items() if key == "text"}, ensure_ascii=False)[1:-1] in (
            review(adopted, IDLE)
        )


def test_a_case_that_is_held_says_why(drafted: App) -> None:
    """The board's reason, no change, nothing to appeal against."""
    with drafted.transaction() as moment:
        drafts.decide(
            moment.session,
            Q4,
            cast.person_id(drafted, IDLE),
            decision="held",
            decided_at=FRIDAY,
            decided_by=cast.person_id(drafted, TESS),
            decision_reason="On parental leave",
        )
        appealed.adopt(moment)
    told = review(drafted, IDLE)
    assert "changes nothing for you, because the board held your case" in told
    assert "On parental leave" in told
    assert "appeals_file" not in told


def test_after_the_last_day_there_is_no_button(adopted: App, clock: Clock) -> None:
    """It says until when an appeal was possible; while it was, the button was there."""
    clock.now = FEBRUARY_THIRD
    assert "appeals_file" in review(adopted, IDLE)
    clock.now = TOO_LATE
    told = review(adopted, IDLE)
    assert "appeals_file" not in told
    assert "You could appeal until the end of <!date^" in told


def test_an_appeal_is_shown_as_it_stands(adopted: App, clock: Clock) -> None:
    """Open, the change is one that would be; rejected, it is told from when the cut holds, wherever it is told."""
    clock.now = FEBRUARY_THIRD
    file(adopted)
    told = review(adopted, IDLE)
    assert "while your appeal is open.* With the change it would be" in told
    assert "> I was at a customer" in told
    deciding.submit_reject(adopted, form(adopted, IRIS, private(adopted), "So was everybody"))
    told = review(adopted, IDLE)
    assert "*Rejected* by Iris Tan" in told
    assert "The cut applies from March 2027" in told
    assert "> So was everybody" in told
    assert " from March 2027: " in told
    assert "from February 2027" not in told


# --- Forms ---------------------------------------------------------------------------------------------------------


def test_nobody_fills_in_a_form_for_nothing(adopted: App) -> None:
    """The press is refused already where nothing can come of the form; where something can, it opens."""
    assert refusal(deciding.press_appeal, adopted, press(adopted, BUSY, str(Q4))) == "no_cut"
    assert refusal(deciding.press_appeal, adopted, press(adopted, OMAR, str(Q4))) == "nothing_to_appeal"
    assert refusal(deciding.press_appeal, adopted, press(adopted, IDLE, str(Q4), TOO_LATE)) == "too_late"
    assert refusal(deciding.press_appeal, adopted, press(adopted, IDLE, "2026-Q3")) == "nothing_to_appeal"
    assert refusal(deciding.press_appeal, adopted, press(adopted, IDLE, "soon")) == "unknown_review"
    opened = deciding.press_appeal(adopted, press(adopted, IDLE, str(Q4)))
    assert opened.view["private_metadata"] == str(Q4)
    file(adopted)
    with adopted.reading() as moment:
        filed = appeals.require(moment, *appeals.parse_id(appeal_id(adopted)))
    # The form says by when it is decided, as it is kept.
    assert f"<!date^{int(filed.decide_by.timestamp())}^" in json.dumps(opened.view)
    assert "the board's chair and finance are called in" in json.dumps(opened.view)
    assert refusal(deciding.press_appeal, adopted, press(adopted, IDLE, str(Q4))) == "appealed"


@pytest.mark.parametrize("reason", ["", " \n ", "x" * (texts.LONGEST + 1)])
def test_a_reason_that_will_not_do_is_told_beside_its_field(adopted: App, reason: str) -> None:
    """Neither an appeal nor a decision is kept without a reason, or with one that is too long."""
    with pytest.raises(FieldsRefused) as refused:
        deciding.submit_appeal(adopted, form(adopted, IDLE, str(Q4), reason))
    assert set(refused.value.problems) == {"reason"}
    assert books.audited(adopted, "appeal.file") == []
    file(adopted)
    for submit in (deciding.submit_uphold, deciding.submit_reject):
        with pytest.raises(FieldsRefused):
            submit(adopted, form(adopted, IRIS, private(adopted), reason))
    assert books.audited(adopted, "appeal.decide") == []


def test_the_board_opens_a_form_only_for_who_can_decide(adopted: App) -> None:
    """The person, a voter and whoever is not on the board are refused at the press; another reads the appeal."""
    with adopted.database.transaction() as session:
        appealed.vote_on_package(session, adopted, TESS)
    file(adopted)
    value = appeal_id(adopted)
    for who, code in ((IDLE, "not_on_board"), (BUSY, "not_on_board"), (TESS, "recused")):
        assert refusal(deciding.press_uphold, adopted, press(adopted, who, value)) == code
    for press_it in (deciding.press_uphold, deciding.press_reject):
        opened = press_it(adopted, press(adopted, IRIS, value))
        assert "I was at a customer" in json.dumps(opened.view["blocks"])
    for unknown in ("", "soon", f"{Q4}/nobody", "2026-Q3/" + value.partition("/")[2]):
        assert refusal(deciding.press_uphold, adopted, press(adopted, IRIS, unknown)) == "unknown_appeal"


def test_a_decision_is_kept_with_the_card_that_was_pressed(adopted: App) -> None:
    """Who upheld it, why, and in which message; a second form is told that it is decided."""
    file(adopted)
    view = deciding.submit_uphold(adopted, form(adopted, IRIS, private(adopted), "The tickets show it"))
    assert "upheld" in json.dumps(view)
    [decided] = books.audited(adopted, "appeal.decide")
    assert (decided["slack_channel"], decided["slack_ts"]) == (asking.BOARD_CHANNEL, "1.5")
    assert decided["actor"] == cast.person_id(adopted, IRIS)
    code = refusal(deciding.submit_reject, adopted, form(adopted, TESS, private(adopted), "No"))
    assert code == "decided"
    with adopted.reading() as moment:
        assert appeals.require(moment, Q4, cast.person_id(adopted, IDLE)).decision_reason == "The tickets show it"
    assert books.findings(adopted) == {}


# --- The working ---------------------------------------------------------------------------------------------------


def test_the_working_is_shown_to_whoever_asks_for_their_own(adopted: App) -> None:
    """The statistics of one's own case in an adopted review, and of nobody else's."""
    said = json.dumps(deciding.press_working(adopted, press(adopted, IDLE, str(Q4))).blocks, ensure_ascii=False)
    assert "for unused allowance: −10 %" in said
    assert "× 0.90 with what the board adopted" in said
    assert refusal(deciding.press_working, adopted, press(adopted, OMAR, str(Q4))) == "no_case"
    assert refusal(deciding.press_working, adopted, press(adopted, IDLE, "2026-Q3")) == "no_case"
    assert refusal(deciding.press_working, adopted, press(adopted, IDLE, "soon")) == "unknown_review"


def test_the_working_of_a_draft_is_nobodys(drafted: App) -> None:
    """As long as a review is only proposed, the button of an older message shows nothing of it."""
    assert refusal(deciding.press_working, drafted, press(drafted, IDLE, str(Q4))) == "no_case"


def test_the_board_sees_the_working_of_an_appeal(adopted: App) -> None:
    """Whoever has a seat, under the person's name; no one else, not even from a card that they can see."""
    file(adopted)
    value = appeal_id(adopted)
    said = json.dumps(deciding.press_working_of_appeal(adopted, press(adopted, IRIS, value)).blocks, ensure_ascii=False)
    assert "for unused allowance: −10 %" in said
    for who in (IDLE, BUSY):
        assert refusal(deciding.press_working_of_appeal, adopted, press(adopted, who, value)) == "not_on_board"
    assert refusal(deciding.press_working_of_appeal, adopted, press(adopted, IRIS, f"{Q4}/nobody")) == "unknown_appeal"
