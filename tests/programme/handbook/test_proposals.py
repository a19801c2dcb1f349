"""A change of the handbook takes two people: one proposes, another one of the board confirms or declines, once."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.reasons import FieldsRefused, Refusal
from programme.handbook import deciding, proposing
from store.people import directory as people_store
from store.tables.handbook import handbook_proposals
from store.tables.handbook import handbooks as handbook_table
from store.tables.outbox import outbox
from tests.support import books, cast, proposed, rollout
from tests.support.books import BEN
from tests.support.proposed import ADMIN, ADMINS, code, confirm, decline, propose, states, text, withdraw
from tests.support.requests import BOARD_CHANNEL, IRIS, KOFI, OMAR, TESS, convene

if TYPE_CHECKING:
    from programme.app import App


@pytest.fixture
def office(app: App) -> App:
    """A board of three, two alternates, and Lena, who administers the programme."""
    convened = convene(app)
    cast.hire(convened, ADMINS)
    return convened


def version_on(app: App, day: date) -> str:
    with app.reading() as moment:
        return moment.handbooks.on(day).version


def test_a_second_person_makes_it_hold(office: App) -> None:
    """Nothing changes until someone else confirms; then the version holds from its day on, and the log has both."""
    body = text()
    made = propose(office, body)
    assert (made.version, made.digest) == ("2026.9", hashlib.sha256(body.encode()).hexdigest())
    assert version_on(office, proposed.DECEMBER) == "2026.launch"
    assert confirm(office, TESS, made).version == "2026.9"
    assert version_on(office, date(2026, 11, 30)) == "2026.launch"
    assert version_on(office, proposed.DECEMBER) == "2026.9"
    [asked] = books.audited(office, "handbook.propose")
    [told] = books.audited(office, "handbook.confirm")
    tess, lena = cast.person_id(office, TESS), cast.person_id(office, ADMIN)
    assert (asked["actor"], asked["after"]["proposed_by"]) == ("cli:test", lena)
    assert (told["actor"], told["subject"], told["handbook_version"]) == (tess, made.id, "2026.9")
    assert books.audited(office, "handbook.apply")[-1]["actor"] == tess
    assert books.findings(office) == {}


@pytest.mark.parametrize("proposer", [ADMIN, TESS, BEN])
def test_nobody_confirms_their_own(office: App, proposer: str) -> None:
    """Whoever proposed it, on the board or not, is refused for both decisions; another member is not."""
    made = propose(office, text(), by=proposer)
    assert code(confirm, office, proposer, made) == "second_person"
    assert code(decline, office, proposer, made) == "second_person"
    assert states(office) == {"2026.9": "open"}
    assert confirm(office, IRIS, made).version == "2026.9"


@pytest.mark.parametrize("roles", ["board;admin", "board;auditor"])
def test_who_administers_or_audits_does_not_confirm(office: App, roles: str) -> None:
    """A seat on the board does not help someone who administers or audits the programme."""
    cast.hire(office, f"email,name,level,role_family,time_zone,hired_on,roles\nkofi@example.com,,,,,,{roles}\n")
    made = propose(office, text())
    assert code(confirm, office, KOFI, made) == "bystander"
    assert code(decline, office, KOFI, made) == "bystander"


def test_members_decide_and_others_do_not(office: App) -> None:
    """Not someone without a seat, not an alternate while there are members, not someone who has left."""
    made = propose(office, text())
    assert code(confirm, office, BEN, made) == "not_on_board"
    assert code(confirm, office, KOFI, made) == "not_on_board"
    cast.hire(office, "email,name,level,role_family,time_zone,hired_on,left_on\ntess@example.com,,,,,,2026-11-19\n")
    assert code(confirm, office, TESS, made) == "not_on_board"
    assert confirm(office, OMAR, made).version == "2026.9"


def test_alternates_decide_where_no_member_but_the_proposer_is_left(office: App) -> None:
    """A board of one does not decide alone, and is not stuck either."""
    heading = "email,name,level,role_family,time_zone,hired_on,roles\n"
    cast.hire(office, f"{heading}iris@example.com,,,,,,-\nomar@example.com,,,,,,-\n")
    made = propose(office, text(), by=TESS)
    assert "policy:" + cast.person_id(office, KOFI) in proposed.owed(office, made)
    assert code(confirm, office, TESS, made) == "second_person"
    assert confirm(office, KOFI, made).version == "2026.9"
    cast.hire(office, f"{heading}kofi@example.com,,,,,,-\nzoe@example.com,,,,,,-\n")
    assert code(propose, office, text("2026.10"), by=TESS) == "nobody_to_confirm"


def test_declining_needs_a_reason(office: App) -> None:
    """The reason is kept and told; what was declined holds nothing, and may be proposed again under its version."""
    made = propose(office, text())
    for reason in ("", "  \n", "x" * 1_001):
        with pytest.raises(FieldsRefused) as refused:
            decline(office, TESS, made, reason)
        assert set(refused.value.problems) == {"reason"}
    assert decline(office, TESS, made, " Not this year ").reason == "Not this year"
    assert code(confirm, office, OMAR, made) == "decided"
    assert version_on(office, proposed.DECEMBER) == "2026.launch"
    again = propose(office, text())
    assert again.id != made.id
    confirm(office, OMAR, again)
    assert books.findings(office) == {}


def test_its_proposer_takes_it_back(office: App) -> None:
    """No one else can, and what is taken back cannot be decided."""
    made = propose(office, text())
    assert code(withdraw, office, TESS, made) == "not_yours"
    assert withdraw(office, ADMIN, made).state == "withdrawn"
    assert code(confirm, office, TESS, made) == "decided"
    assert code(withdraw, office, ADMIN, made) == "decided"
    assert books.findings(office) == {}


def test_what_was_judged_stays_judged(office: App) -> None:
    """A date that is over, and the first of a month whose grants are made, are refused: proposed or confirmed late."""
    today = date(2026, 11, 20)
    assert code(propose, office, text(effective_from=date(2026, 11, 19))) == "handbook_past"
    assert propose(office, text("2026.8", effective_from=today)).effective_from == today
    late, soon = propose(office, text("2026.9")), propose(office, text("2026.10", date(2026, 12, 2)))
    proposed.let_time_pass(office, days=11)
    # It is the morning of the first, and the month's grants are made by the version that held.
    assert code(confirm, office, TESS, late) == "month_granted"
    assert confirm(office, TESS, soon).effective_from == date(2026, 12, 2)
    proposed.let_time_pass(office, days=1)
    assert code(propose, office, text("2026.11", date(2026, 12, 1))) == "handbook_backdated"
    grants = rollout.factors(office, BEN, "2026-12")
    assert grants is not None
    assert version_on(office, proposed.DECEMBER) == "2026.launch"
    assert books.findings(office) == {}


def test_a_proposal_whose_day_has_come_is_refused_when_it_is_confirmed(office: App) -> None:
    """It waits for its proposer, and nothing holds from a day that is over."""
    made = propose(office, text(effective_from=date(2026, 11, 24)))
    proposed.let_time_pass(office, days=5)
    assert code(confirm, office, TESS, made) == "handbook_past"
    assert states(office) == {"2026.9": "open"}


def test_one_open_proposal_a_version(office: App) -> None:
    """The same again is the same proposal; another text, or someone else's, waits until the first is decided."""
    made = propose(office, text())
    assert propose(office, text()) == made
    assert code(propose, office, text(), by=OMAR) == "proposal_waits"
    assert code(propose, office, text(effective_from=date(2027, 1, 1))) == "proposal_waits"
    assert books.count(office, handbook_proposals) == 1
    confirm(office, TESS, made)
    assert code(propose, office, text()) == "handbook_applied"
    assert code(propose, office, text(effective_from=date(2027, 1, 1))) == "handbook_version_taken"


def test_what_could_never_be_confirmed_is_not_proposed(office: App) -> None:
    """Mistakes are told to who makes them, all at once, not to the board."""
    assert code(propose, office, "version = 3") == "handbook_invalid"
    assert code(propose, office, text("2026.launch")) == "handbook_version_taken"
    assert books.count(office, handbook_proposals) == 0


def test_what_was_read_is_what_is_confirmed(office: App) -> None:
    """When another version comes first, an old card confirms nothing, and its new face shows the other changes."""
    first = propose(office, text("2026.8"))
    second = propose(office, text("2026.9", base=text("2026.8"), changes={"\nmonths = 4": "\nmonths = 6"}))
    read = proposed.seen(office, second)
    assert [(one.old, one.new) for one in read.changes if one.key == "lots.months"] == [("3", "6")]
    confirm(office, TESS, first)
    assert code(confirm, office, TESS, second, mark=read.mark) == "handbook_moved"
    assert f"policy@after:{first.id}" in proposed.owed(office, second)
    present = proposed.seen(office, second)
    assert [(one.key, one.old, one.new) for one in present.changes] == [("lots.months", "4", "6")]
    assert confirm(office, TESS, second).lots.months == 6
    # What was changed stays on the card, whatever comes later.
    assert proposed.seen(office, second).changes == present.changes


def test_it_lapses_after_thirty_days(office: App) -> None:
    """Not a second earlier; its proposer is told in their own working hours, and no one decides it meanwhile."""
    made = propose(office, text(effective_from=date(2027, 3, 1)))
    assert proposed.let_time_pass(office, days=29, hours=23, minutes=59, seconds=59) == []
    office.clock.move(seconds=1)  # type: ignore[attr-defined]  # the tests' clock
    assert code(confirm, office, TESS, made) == "too_late"
    assert proposed.let_time_pass(office) == ["proposal.lapse"]
    assert states(office) == {"2026.9": "lapsed"}
    assert proposed.let_time_pass(office, days=1) == []
    query = sa.select(outbox.c.person_id, outbox.c.due_at).where(outbox.c.key == f"policy_note:{made.id}")
    [(reader, due_at)] = books.rows(office, query)
    assert reader == cast.person_id(office, ADMIN)
    # A Sunday noon: it waits for Monday.
    assert due_at.weekday() == 0
    assert books.findings(office) == {}


def test_it_lapses_before_there_is_a_programme(app: App) -> None:
    """What launches the programme is proposed while no calendar runs yet, and lapses all the same."""
    propose(app, text(effective_from=date(2027, 3, 1)), by="ada@example.com")
    assert proposed.let_time_pass(app, days=30) == ["proposal.lapse"]
    assert states(app) == {"2026.9": "lapsed"}


def test_everybody_concerned_is_told_once(office: App) -> None:
    """A card in the board's channel and one for the proposer; new faces and a word when it is decided."""
    made = propose(office, text())
    assert proposed.owed(office, made) == ["policy_mine", "policy"]
    assert dict(books.rows(office, sa.select(outbox.c.key, outbox.c.channel)))[f"policy:{made.id}"] == BOARD_CHANNEL
    decline(office, TESS, made)
    assert proposed.owed(office, made)[2:] == ["policy_mine@declined", "policy@declined", "policy_note"]


def test_without_a_channel_each_who_may_decide_gets_a_card(office: App) -> None:
    """The members, and not the proposer among them."""
    private = dataclasses.replace(office, governance_channel=None)
    made = propose(private, text(), by=TESS)
    called = {f"policy:{cast.person_id(office, who)}" for who in (IRIS, OMAR)}
    assert set(proposed.owed(private, made)) == {"policy_mine", *called}


@pytest.mark.parametrize(
    ("email", "login", "expected"),
    [
        (None, "ben", BEN),
        (None, "Ben", BEN),
        ("BEN@example.com", "root", BEN),
        (None, "root", "proposer_unknown"),
        ("nobody@example.com", "ben", "proposer_unknown"),
        ("gone@example.com", "root", "proposer_left"),
        ("eyes@example.com", "root", "proposer_audits"),
    ],
)
def test_who_proposes_is_always_a_person(sqlite_app: App, email: str | None, login: str, expected: str) -> None:
    """Named by e-mail or by the login's name; no one unknown, no one who left, and no one who only reads."""
    cast.hire(
        sqlite_app,
        "email,name,level,role_family,time_zone,hired_on,left_on,roles\n"
        "gone@example.com,Gus Gone,mid,engineering,Europe/Paris,2020-01-01,2026-01-01,\n"
        "eyes@example.com,Eve Eyes,mid,finance,Europe/Paris,2020-01-01,,auditor\n",
    )
    with sqlite_app.reading() as moment:
        try:
            found = proposing.proposer(moment, email, login).email
        except Refusal as refusal:
            found = refusal.code
    assert found == expected


def test_a_login_that_fits_two_people_is_nobody(sqlite_app: App) -> None:
    """Someone has to say which of them it is."""
    cast.hire(
        sqlite_app,
        "email,name,level,role_family,time_zone,hired_on\n"
        "ben@other.example,Ben Other,mid,engineering,Europe/Paris,2020-01-01\n",
    )
    with sqlite_app.reading() as moment, pytest.raises(Refusal, match="No one in the programme"):
        proposing.proposer(moment, None, "ben")


def test_one_person_is_enough_for_the_first_and_without_a_board(sqlite_app: App) -> None:
    """The company's first own handbook, and every one where no one could confirm; otherwise two are needed."""

    def why() -> str:
        with sqlite_app.reading() as moment:
            try:
                return proposing.why_alone(moment)
            except Refusal as refusal:
                return refusal.code

    assert why() == proposing.OWN_FIRST
    books.apply_handbook(sqlite_app, "2026.2", proposed.DECEMBER)
    assert why() == "two_people"
    rows = "".join(f"{who}@example.com,,,,,,-\n" for who in ("iris", "omar", "tess"))
    cast.hire(sqlite_app, f"email,name,level,role_family,time_zone,hired_on,roles\n{rows}")
    assert why() == proposing.NO_BOARD


def test_a_failure_on_the_way_leaves_it_open(office: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version, state, messages and log are one transaction: it holds with all of them, or with none."""
    made = propose(office, text())
    before = proposed.owed(office, made), books.rows(office, handbook_table)

    def fail(*_arguments: object, **_named: object) -> None:
        raise OSError("the disk is full")

    for where in (
        "programme.handbook.notices.tell_of_decision",
        "programme.handbook.deciding.note",
        "store.handbook.proposals.decide",
    ):
        with monkeypatch.context() as broken:
            broken.setattr(where, fail)
            with pytest.raises(OSError, match="disk is full"):
                confirm(office, TESS, made)
        assert states(office) == {"2026.9": "open"}
        assert (proposed.owed(office, made), books.rows(office, handbook_table)) == before
    assert confirm(office, TESS, made).version == "2026.9"
    assert books.findings(office) == {}


def test_an_unknown_proposal_is_refused(sqlite_app: App) -> None:
    """A button with an id that there never was answers, and changes nothing."""
    with sqlite_app.transaction() as moment:
        tess = people_store.by_email(moment.session, TESS)
        assert tess is not None
        with pytest.raises(Refusal, match="There is no proposal 'hp_no'"):
            deciding.confirm(moment, tess, "hp_no", "")
