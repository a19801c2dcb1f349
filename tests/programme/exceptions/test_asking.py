"""Asking for an exception: how it is judged, kept, decided and told of, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.kinds import EntryKind
from policy.reasons import FieldsRefused, Refusal
from policy.units import MicroTokens
from programme.balance import balance, why
from programme.exceptions import cards, questions
from programme.people import board
from store.tables.exceptions import requests
from store.tables.ledger import accounts, entries, lots, postings
from store.tables.outbox import outbox
from store.tables.people import projects
from tests.support import books, cast, rollout
from tests.support import requests as asking
from tests.support.books import ADA, BEN, MARA
from tests.support.requests import IRIS, KOFI, LENA, OMAR, TESS, ZOE, ask, convene, refused, vote

if TYPE_CHECKING:
    from programme.app import App
    from store.exceptions.requests import Request


@pytest.fixture
def office(app: App) -> App:
    return convene(app)


# --- Asking --------------------------------------------------------------------------------------------------------


def test_a_request_says_who_decides_until_when(office: App) -> None:
    """The class, the electorate and the deadlines are snapshotted when the request is made."""
    request = ask(office, BEN, "5000")
    assert (request.class_name, request.state, request.needed) == ("fast", "open", 1)
    assert office.clock() < request.remind_at < request.escalate_at < request.last_call_at < request.lapse_at
    assert (request.next_step, request.next_at) == ("remind", request.remind_at)
    [audited] = books.audited(office, "request.make")
    assert set(audited["after"]["seats"].values()) == {"member", "alternate"}
    assert "5000" not in str(audited)


def test_the_same_form_twice_is_one_request(office: App) -> None:
    """A form that is sent again makes no second request; with other content it is refused."""
    first = ask(office, BEN, "5000", key="view-1")
    assert ask(office, BEN, "5000", key="view-1").id == first.id
    assert books.count(office, requests) == 1
    with pytest.raises(Refusal) as refusal:
        ask(office, BEN, "6000", key="view-1")
    assert refusal.value.code == "key_reused"


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"tokens": "0"}, "amount"),
        ({"tokens": "1000000001"}, "amount"),
        ({"purpose": "  "}, "purpose"),
        ({"purpose": "x" * 1001}, "purpose"),
        ({"days": -1}, "last_day"),
        ({"days": 150}, "last_day"),
        ({"project": "atlantis"}, "project"),
        ({"beneficiaries": (BEN,)}, "beneficiaries"),
        ({"incident": "INC-1", "tokens": "60000"}, "amount"),
        ({"incident": "x" * 101, "tokens": "10"}, "incident"),
    ],
)
def test_a_mistake_is_told_beside_its_field(office: App, how: dict[str, object], field: str) -> None:
    """Each bad value is named with its field, and nothing is kept."""
    with pytest.raises(FieldsRefused) as refusal:
        ask(office, BEN, **({"tokens": "5000"} | how))  # type: ignore[arg-type]  # as `ask` takes them
    assert set(refusal.value.problems) == {field}
    assert books.count(office, requests) == 0


def test_splitting_is_caught(office: App) -> None:
    """What someone asked for in the last thirty days counts with it, but not what was turned down or taken back."""
    grant = rollout.granted(office, "2026-11")[BEN]
    half = f"{grant.decimal * 6 / 10:f}"
    first = ask(office, BEN, half)
    assert ask(office, BEN, half).class_name == "standard"
    vote(office, TESS, first, approves=False)
    assert ask(office, BEN, "100").class_name == "fast"
    office.clock.move(days=31)  # type: ignore[attr-defined]  # the tests' clock
    assert ask(office, BEN, half).class_name == "fast"


def test_splitting_among_colleagues_is_caught(office: App) -> None:
    """What others asked for the same project in the last week counts with it; another project's does not."""
    with office.database.transaction() as session:
        for key in ("atlas", "borealis"):
            session.execute(sa.insert(projects).values(key=key, name=key, complexity="usual"))
    half = f"{rollout.granted(office, '2026-11')[BEN].decimal * 6 / 10:f}"
    ask(office, ADA, half, project="atlas")
    assert ask(office, BEN, "5000", project="borealis").class_name == "fast"
    assert ask(office, BEN, half, project="atlas").class_name == "standard"
    office.clock.move(days=8)  # type: ignore[attr-defined]  # the tests' clock
    assert ask(office, MARA, "5000", project="atlas").class_name == "fast"


def test_an_incident_is_one_for_everybody(office: App) -> None:
    """What others took for it counts with what is asked for, however its number is written; no figure is told."""
    ask(office, ADA, "20000", incident="INC-7")
    limit = rollout.granted(office, "2026-11")[BEN].decimal / 2
    with pytest.raises(FieldsRefused) as refusal:
        ask(office, BEN, f"{limit - 10_000:f}", incident=" inc-7")
    assert set(refusal.value.problems) == {"incident"}
    assert "0,000" not in refusal.value.problems["incident"]
    assert ask(office, BEN, f"{limit - 10_000:f}", incident="INC-8").state == "credited"


def test_a_request_that_ends_soon_is_decided_before_its_end(office: App) -> None:
    """No one is asked to decide on what would be over."""
    request = ask(office, BEN, "5000", days=0)
    assert request.lapse_at == asking.now_of(office, request).lapse_at
    assert request.lapse_at - office.clock() < timedelta(hours=12)


# --- Deciding ------------------------------------------------------------------------------------------------------


def test_an_approval_credits_and_tells_in_one_transaction(office: App) -> None:
    """The tokens, the lot, the messages and the audit row are there together, and everything adds up."""
    before = books.wallet(office, BEN)
    request = ask(office, BEN, "5000", beneficiaries=(ADA,))
    voted = vote(office, TESS, request)
    assert (voted.request.state, voted.tally.approvals, voted.again) == ("approved", 1, False)
    assert books.wallet(office, BEN) == before + MicroTokens.parse("5000")
    [(kind, amount, expires)] = books.rows(
        office,
        sa.select(lots.c.kind, lots.c.amount, lots.c.expires_at).where(lots.c.entry_id == voted.request.entry_id),
    )
    assert (kind, amount) == ("exception", 5_000_000_000)
    assert expires.astimezone(office.zone).date() == request.last_day + timedelta(days=1)
    ben, ada = cast.person_id(office, BEN), cast.person_id(office, ADA)
    assert asking.owed(office, request) == [
        "mine",
        "card:board",
        "mine@2",
        "card:board@2",
        f"note:approved:{ben}",
        f"note:approved:{ada}",
    ]
    [audited] = books.audited(office, "request.vote")
    assert audited["after"]["state"] == "approved"
    assert books.findings(office) == {}


def test_the_pool_pays_before_the_treasury_issues(office: App) -> None:
    """What lapsed into the shared pool is what exceptions draw on first."""
    pool, treasury = books.account(office, "pool"), books.account(office, "treasury")
    assert pool == MicroTokens(0)
    first = vote(office, TESS, ask(office, BEN, "5000", days=5)).request
    assert books.account(office, "treasury") == treasury - MicroTokens.parse("5000")
    asking.let_time_pass(office, days=10)
    assert books.account(office, "pool") == MicroTokens.parse("5000")
    vote(office, TESS, ask(office, ADA, "7000"))
    assert books.account(office, "pool") == MicroTokens(0)
    legs = sa.select(sa.func.count()).where(
        postings.c.entry_id == sa.select(sa.func.max(entries.c.id)).scalar_subquery()
    )
    assert books.rows(office, legs) == [(3,)]
    assert asking.now_of(office, first).state == "approved"
    assert books.findings(office) == {}


def test_a_larger_request_needs_two_and_a_vote_can_be_changed(office: App) -> None:
    """One vote a person, changeable until it is decided; the second of two different people decides."""
    grant = rollout.granted(office, "2026-11")[BEN]
    request = ask(office, BEN, f"{grant.decimal * 2:f}")
    assert request.class_name == "standard"
    assert vote(office, TESS, request, approves=False).tally.rejections == 1
    assert vote(office, TESS, request).tally.approvals == 1
    again = vote(office, TESS, request)
    assert (again.again, again.request.state) == (True, "open")
    assert vote(office, OMAR, request).request.state == "approved"
    assert refused(office, IRIS, request) == "decided"
    assert books.findings(office) == {}


def test_approvers_may_approve_less(office: App) -> None:
    """The smallest amount and the earliest end to which all who approve agree are granted."""
    grant = rollout.granted(office, "2026-11")[BEN]
    request = ask(office, BEN, f"{grant.decimal * 2:f}", days=30)
    earlier = request.last_day - timedelta(days=10)
    vote(office, TESS, request, tokens="7000")
    decided = vote(office, OMAR, request, tokens="9000", last_day=earlier).request
    assert (decided.granted, decided.granted_last_day) == (MicroTokens.parse("7000"), earlier)
    assert books.findings(office) == {}


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"tokens": "0"}, "amount"),
        ({"tokens": "5001"}, "amount"),
        ({"approves": False, "reason": " "}, "reason"),
        ({"approves": False, "reason": "x" * 1001}, "reason"),
    ],
)
def test_a_ballot_with_a_mistake_counts_nothing(office: App, how: dict[str, object], field: str) -> None:
    """More than was asked for, nothing at all, and a rejection without a reason are refused with their field."""
    request = ask(office, BEN, "5000")
    with pytest.raises(FieldsRefused) as refusal:
        vote(office, TESS, request, **how)  # type: ignore[arg-type]  # as `vote` takes them
    assert set(refusal.value.problems) == {field}
    assert asking.now_of(office, request).state == "open"


def test_an_approval_until_a_day_that_is_over_does_not_count(office: App) -> None:
    """Anyone who approved until yesterday approved nothing any more, and may vote anew."""
    grant = rollout.granted(office, "2026-11")[BEN]
    request = ask(office, BEN, f"{grant.decimal * 2:f}")
    vote(office, TESS, request, last_day=office.clock().date())
    office.clock.move(days=3)  # type: ignore[attr-defined]  # the tests' clock
    assert vote(office, OMAR, request).request.state == "open"
    assert vote(office, TESS, request).request.state == "approved"
    assert books.findings(office) == {}


def test_those_concerned_cannot_vote(office: App) -> None:
    """Requester, manager, sponsor and beneficiaries are refused where the vote is counted, each with their reason."""
    cast.hire(office, "email,manager_email\nada@example.com,iris@example.com\n")
    with office.database.transaction() as session:
        omar = asking.person(session, OMAR).id
        session.execute(sa.insert(projects).values(key="atlas", name="Atlas", complexity="usual", sponsor_id=omar))
    request = ask(office, ADA, "5000", beneficiaries=(TESS,))
    assert refused(office, IRIS, request) == "recused_manager"
    assert refused(office, TESS, request) == "recused_beneficiary"
    assert refused(office, ADA, request) == "recused_requester"
    assert refused(office, LENA, request) == "not_on_board"
    assert refused(office, ZOE, request) == "not_called_yet"
    own = ask(office, IRIS, "500")
    assert refused(office, IRIS, own) == "recused_requester"
    assert refused(office, OMAR, ask(office, BEN, "500", project="atlas")) == "recused_sponsor"
    assert set(asking.states(office).values()) == {"open"}


def test_the_electorate_does_not_change_afterwards(office: App) -> None:
    """Anyone who joins the board later has no vote on what was asked before, and who leaves it keeps theirs."""
    request = ask(office, BEN, "5000")
    cast.hire(office, "email,roles\nlena@example.com,board\ntess@example.com,-\n")
    assert refused(office, LENA, request) == "not_on_board"
    assert vote(office, TESS, request).request.state == "approved"
    assert vote(office, LENA, ask(office, BEN, "50")).request.state == "approved"


def test_a_rejection_is_told_with_its_reason(office: App) -> None:
    """Rejected is rejected: nothing is credited, and the person who asked reads why."""
    request = ask(office, BEN, "5000")
    assert vote(office, TESS, request, approves=False, reason="Use the small model").request.state == "rejected"
    assert refused(office, OMAR, request) == "decided"
    with office.reading() as moment:
        card = cards.of(moment, request.id)
    assert [line.reason for line in card.votes] == ["Use the small model"]
    assert books.findings(office) == {}


def test_only_the_person_who_asked_withdraws(office: App) -> None:
    """A withdrawn request cannot be decided, and a decided one cannot be withdrawn."""
    request = ask(office, BEN, "5000")
    with pytest.raises(Refusal, match="Only the person"):
        asking.withdraw(office, ADA, request)
    assert asking.withdraw(office, BEN, request).state == "withdrawn"
    assert refused(office, TESS, request) == "decided"
    with pytest.raises(Refusal, match="nothing to withdraw"):
        asking.withdraw(office, BEN, request)


def test_nobody_left_to_decide_is_said_at_once(app: App) -> None:
    """A request that no one could approve is not kept."""
    office = convene(app)
    cast.hire(
        office,
        "email,roles\niris@example.com,-\nomar@example.com,-\ntess@example.com,board\nzoe@example.com,-\nkofi@example.com,-\n",
    )
    with pytest.raises(Refusal) as refusal:
        ask(office, TESS, "500")
    assert refusal.value.code == "nobody_left"
    assert books.count(office, requests) == 0


# --- Time ----------------------------------------------------------------------------------------------------------


def test_silence_lapses_and_never_approves(office: App) -> None:
    """Reminder, alternates, chair plus finance, lapse: each step once, in order, and nothing is credited."""
    request = ask(office, BEN, "5000")
    steps = [asking.until(office, request, f"{step}_at") for step in ("remind", "escalate", "last_call", "lapse")]
    assert steps == [["remind"], ["escalate"], ["last_call"], ["lapse"]]
    assert asking.now_of(office, request).state == "lapsed"
    assert asking.let_time_pass(office, days=40) == []
    told = asking.owed(office, request)
    people = {name: cast.person_id(office, name) for name in (IRIS, OMAR, TESS, ZOE, KOFI, BEN)}
    for name in (IRIS, OMAR, TESS):
        assert f"card:remind:{people[name]}" in told
    for name in (ZOE, KOFI):
        assert f"card:escalate:{people[name]}" in told
    assert {f"card:last_call:{people[name]}" for name in (IRIS, OMAR)} <= set(told)
    assert told.count(f"note:lapsed:{people[BEN]}") == 1
    assert books.findings(office) == {}


def test_a_vote_after_the_deadline_is_too_late(office: App) -> None:
    """Also before the calendar has come round, the deadline holds."""
    request = ask(office, BEN, "5000")
    office.clock.move(seconds=(request.lapse_at - office.clock()).total_seconds())  # type: ignore[attr-defined]
    assert refused(office, TESS, request) == "too_late"
    assert asking.let_time_pass(office) == ["remind"]
    assert asking.now_of(office, request).state == "lapsed"
    assert refused(office, TESS, request) == "decided"


def test_alternates_vote_once_they_are_called(office: App) -> None:
    """At the escalation the alternates are asked, and their vote counts from then on."""
    request = ask(office, BEN, "5000")
    asking.until(office, request, "remind_at")
    assert refused(office, ZOE, request) == "not_called_yet"
    asking.until(office, request, "escalate_at")
    assert vote(office, ZOE, request).request.state == "approved"
    assert books.findings(office) == {}


def test_an_outage_skips_what_is_no_use_any_more(office: App) -> None:
    """After an outage the latest step is done; reminders of what is to be escalated are left out."""
    request = ask(office, BEN, "5000")
    assert asking.until(office, request, "escalate_at") == ["remind"]
    assert asking.now_of(office, request).stage == 1
    assert not [key for key in asking.owed(office, request) if "remind" in key]
    assert asking.until(office, request, "lapse_at") == ["last_call"]
    assert asking.now_of(office, request).state == "lapsed"


def test_a_reminder_goes_to_those_who_have_not_voted(office: App) -> None:
    """Anyone who has voted is left in peace."""
    grant = rollout.granted(office, "2026-11")[BEN]
    request = ask(office, BEN, f"{grant.decimal * 2:f}")
    vote(office, TESS, request)
    asking.until(office, request, "remind_at")
    told = asking.owed(office, request)
    assert f"card:remind:{cast.person_id(office, TESS)}" not in told
    assert f"card:remind:{cast.person_id(office, OMAR)}" in told


def test_before_an_exception_ends_its_owner_is_told_and_afterwards_asked(office: App) -> None:
    """Two days and one day before the end, while something is left, and once, thirty days later, what came of it."""
    request = vote(office, TESS, ask(office, BEN, "5000", days=20)).request
    ended = request.last_day + timedelta(days=1)
    seen: list[tuple[int, str]] = []
    for _ in range(60):
        for step in asking.let_time_pass(office, days=1):
            seen.append(((ended - office.clock().date()).days, step))  # noqa: PERF401 - what is passed matters
    assert [step for _, step in seen] == ["notice:2", "notice:1", "outcome"]
    assert seen[0][0] >= 2
    assert seen[1][0] >= 1
    assert seen[2][0] <= -30
    assert {"more_time:2", "more_time:1", "outcome"} <= set(asking.owed(office, request))
    with office.transaction() as moment:
        ben = asking.person(moment.session, BEN)
        told = questions.tell_outcome(moment, ben, request.id, "partly", "Half of it")
    assert (told.outcome, told.outcome_note) == ("partly", "Half of it")
    assert "outcome@" in "".join(asking.owed(office, request))


def test_what_is_used_up_is_not_announced(office: App) -> None:
    """No notice of an end that takes nothing away."""
    request = vote(office, TESS, ask(office, BEN, "54", days=20)).request
    books.take_in(office, cast.event("all", at=office.clock() + timedelta(hours=1), who=BEN, meters={"output": 36_000}))
    asking.let_time_pass(office, days=25)
    assert not [key for key in asking.owed(office, request) if key.startswith("more_time")]


# --- Break-glass ---------------------------------------------------------------------------------------------------


def test_a_break_glass_is_credited_at_once_and_the_board_told(office: App) -> None:
    """With an incident and within the limit the tokens are there before anybody decides; once in thirty days."""
    before = books.wallet(office, BEN)
    request = ask(office, BEN, "20000", incident="INC-7")
    assert (request.class_name, request.state) == ("break_glass", "credited")
    assert books.wallet(office, BEN) == before + MicroTokens.parse("20000")
    assert "card:board" in asking.owed(office, request)
    with pytest.raises(FieldsRefused) as refusal:
        ask(office, BEN, "10", incident="INC-8")
    assert set(refusal.value.problems) == {"incident"}
    assert vote(office, TESS, request).request.state == "ratified"
    assert books.findings(office) == {}
    office.clock.move(days=31)  # type: ignore[attr-defined]  # the tests' clock
    assert ask(office, BEN, "10", incident="INC-8").state == "credited"


@pytest.mark.parametrize("silent", [True, False])
def test_a_break_glass_that_is_not_ratified_ends_at_once(office: App, *, silent: bool) -> None:
    """By silence or by a vote: what is unused is back in the pool; the next grant pays what was used."""
    request = ask(office, BEN, "20000", incident="INC-7")
    before = books.wallet(office, BEN)
    used = spend(office, BEN)
    refuse(office, request, silent=silent)
    ended = asking.now_of(office, request)
    assert (ended.state, ended.spent, ended.netted) == ("not_ratified", used, None)
    assert books.wallet(office, BEN) == before - MicroTokens.parse("20000")
    [[pool]] = books.rows(office, sa.select(accounts.c.balance).where(accounts.c.code == "pool"))
    assert pool == MicroTokens.parse("20000") - used
    asking.let_time_pass(office, days=14)
    grant = rollout.granted(office, "2026-12")[BEN]
    assert books.wallet(office, BEN) == before + grant - MicroTokens.parse("20000") - used
    netted = asking.now_of(office, request)
    assert (netted.netted, netted.netted_month) == (used, "2026-12")
    statement = rollout.owed(office, "grants/statement")[f"statement:2026-12:{cast.person_id(office, BEN)}"]
    assert statement["netted"] == int(used)
    with office.reading() as moment:
        card = balance.of_email(moment, BEN)
        assert card is not None
        explained = why.explain(moment, card)
    parts = dict(explained.parts)
    assert parts[EntryKind.RETURN] + parts[EntryKind.NETTING] == -MicroTokens.parse("20000")
    assert parts[EntryKind.EXCEPTION] == MicroTokens.parse("20000")
    assert parts[EntryKind.GRANT] == rollout.granted(office, "2026-11")[BEN] + grant
    assert books.findings(office) == {}
    asking.let_time_pass(office, days=31)
    assert books.keys(office, "netting") == {f"netted:{request.id}"}


def test_a_break_glass_of_which_nothing_was_used_costs_nothing(office: App) -> None:
    """All of it is back in the pool, and the next grant is whole."""
    before = books.wallet(office, BEN)
    request = ask(office, BEN, "20000", incident="INC-7")
    refuse(office, request, silent=False)
    ended = asking.now_of(office, request)
    assert (ended.spent, ended.netted) == (MicroTokens(0), MicroTokens(0))
    asking.let_time_pass(office, days=14)
    assert books.wallet(office, BEN) == before + rollout.granted(office, "2026-12")[BEN]
    assert books.keys(office, "netting") == set()
    assert books.findings(office) == {}


def spend(office: App, email: str) -> MicroTokens:
    """Use about 7,500 tokens now; how many they were."""
    before = books.wallet(office, email)
    event = cast.event("spent", at=office.clock(), who=email, meters={"output": 5_000_000})
    assert books.take_in(office, event) == ["accepted"]
    return before - books.wallet(office, email)


def refuse(office: App, request: Request, *, silent: bool) -> None:
    if silent:
        asking.let_time_pass(office, days=3)
    else:
        vote(office, TESS, request, approves=False, reason="No incident of ours")


def test_the_floor_of_a_grant_is_respected(app: App) -> None:
    """Of a grant near its floor only what is above it is netted; the rest is let go, and on record."""
    office = convene(app, changes={"floor_usd = 150": "floor_usd = 1200"})
    request = ask(office, BEN, "46000", incident="INC-7")
    event = cast.event("spent", at=office.clock(), who=BEN, meters={"output": 60_000_000})
    assert books.take_in(office, event) == ["accepted"]
    asking.let_time_pass(office, days=20)
    netted = asking.now_of(office, request).netted
    grant = rollout.granted(office, "2026-12")[BEN]
    assert netted is not None
    assert 0 < netted < MicroTokens.parse("46000")
    kept, factors = grant - netted, rollout.factors(office, BEN, "2026-12")
    # Six tenths of USD 1,200, with what the buffer holds back.
    nano_usd = int(kept) * factors["per_token"] * (1000 + factors["buffer_permille"]) // 10**9
    assert abs(nano_usd - 720 * 10**9) < 100
    [audited] = books.audited(office, "request.net")
    assert audited["after"] == {"month": "2026-12", "whole": False}


def test_a_break_glass_cannot_be_withdrawn_or_lessened(office: App) -> None:
    """What was credited is ratified or not, and nothing else."""
    request = ask(office, BEN, "20000", incident="INC-7")
    with pytest.raises(Refusal, match="already credited"):
        asking.withdraw(office, BEN, request)
    with pytest.raises(FieldsRefused):
        vote(office, TESS, request, tokens="10")


# --- Delegates -----------------------------------------------------------------------------------------------------


def delegate(office: App, member: str, to: str, *, days: int = 7) -> None:
    now = office.clock()
    with office.transaction(now) as moment:
        last_day = now.date() + timedelta(days=days)
        board.delegate(moment, asking.person(moment.session, member), asking.person(moment.session, to), last_day)


def test_a_delegate_votes_for_a_member(office: App) -> None:
    """The vote is the member's; who handed it over cannot vote meanwhile, and can take it back."""
    request = ask(office, BEN, "5000")
    delegate(office, TESS, LENA)
    assert refused(office, TESS, request) == "delegated"
    assert vote(office, LENA, request).seat == cast.person_id(office, TESS)
    other = ask(office, BEN, "50")
    with office.transaction() as moment:
        assert board.take_back(moment, asking.person(moment.session, TESS))
    assert refused(office, LENA, other) == "not_on_board"
    assert vote(office, TESS, other).request.state == "approved"
    assert books.findings(office) == {}


def test_a_delegation_ends_with_its_last_day(office: App) -> None:
    """Afterwards the member has their vote again without having to do anything."""
    request = ask(office, BEN, "93700")
    delegate(office, TESS, LENA, days=0)
    office.clock.move(days=1)  # type: ignore[attr-defined]  # the tests' clock
    assert refused(office, LENA, request) == "not_on_board"
    assert vote(office, TESS, request).request.state == "approved"


@pytest.mark.parametrize(
    ("member", "to", "days", "code"),
    [
        (LENA, BEN, 7, "not_on_board"),
        (TESS, TESS, 7, "delegate_self"),
        (TESS, OMAR, 7, "delegate_has_vote"),
        (TESS, LENA, -1, "until"),
        (TESS, LENA, 93, "until"),
    ],
)
def test_a_delegation_that_cannot_be(office: App, member: str, to: str, days: int, code: str) -> None:
    """Only members hand a vote over, to someone who has none, for a time that can be overseen."""
    with pytest.raises(Refusal) as refusal:
        delegate(office, member, to, days=days)
    assert refusal.value.code == code


def test_nobody_stands_in_for_two_or_decides_what_they_administer(office: App) -> None:
    """No one has two votes, and who administers or audits the programme has none."""
    delegate(office, TESS, LENA)
    with pytest.raises(Refusal) as refusal:
        delegate(office, OMAR, LENA)
    assert refusal.value.code == "delegate_taken"
    cast.hire(office, "email,roles\nmara@example.com,admin\n")
    with pytest.raises(Refusal) as refusal:
        delegate(office, OMAR, MARA)
    assert refusal.value.code == "delegate_role"


# --- Questions -----------------------------------------------------------------------------------------------------


def test_a_question_goes_to_the_requester_and_its_answer_comes_back(office: App) -> None:
    """Into the card's thread and to the two people, each once; the card shows both."""
    request, now = ask(office, BEN, "5000"), office.clock()
    for _ in range(2):
        with office.transaction(now) as moment:
            tess = asking.person(moment.session, TESS)
            question = questions.ask(moment, tess, request.id, "Why now?", key="view-9")
    with office.transaction(now) as moment:
        questions.answer(moment, asking.person(moment.session, BEN), question.id, "The release")
    with pytest.raises(Refusal, match="already"), office.transaction(now) as moment:
        questions.answer(moment, asking.person(moment.session, BEN), question.id, "Again")
    with pytest.raises(Refusal, match="Only the person"), office.transaction(now) as moment:
        questions.answer(moment, asking.person(moment.session, ADA), question.id, "Mine")
    with office.reading(now) as moment:
        card = cards.of(moment, request.id)
    assert [(one.question, one.answer) for one in card.questions] == [("Why now?", "The release")]
    threads = sa.select(outbox.c.key, outbox.c.thread).where(outbox.c.thread.is_not(None)).order_by(outbox.c.id)
    assert books.rows(office, threads) == [
        (f"thread:question:{question.id}", f"card:{request.id}:board"),
        (f"thread:answer:{question.id}", f"card:{request.id}:board"),
    ]


def test_strangers_and_the_recused_ask_nothing(office: App) -> None:
    """Anyone who may not vote has no say in what the board asks."""
    request = ask(office, BEN, "5000")
    for who in (LENA, BEN):
        with pytest.raises(Refusal), office.transaction() as moment:
            questions.ask(moment, asking.person(moment.session, who), request.id, "?", key=f"view-{who}")


# --- Without a channel ---------------------------------------------------------------------------------------------


def test_without_a_channel_each_member_gets_a_card(app: App) -> None:
    """A board that has no channel decides in its members' conversations with the bot."""
    office = convene(app, channel=None)
    request = ask(office, BEN, "5000")
    members = {cast.person_id(office, who) for who in (IRIS, OMAR, TESS)}
    assert {key for key in asking.owed(office, request) if key.startswith("card:")} == {
        f"card:new:{m}" for m in members
    }


def test_a_board_by_user_group(app: App) -> None:
    """The members are those of the Slack group, alternates are by role, and until it was read no one can be asked."""
    office = convene(app)
    grouped = type(office)(
        office.database, office.zone, office.clock, governance_channel="C0BOARD", board_usergroup="S0BOARD"
    )
    with pytest.raises(Refusal, match="has not been read"):
        ask(grouped, BEN, "5000")
    with grouped.transaction() as moment:
        assert board.refresh(moment, "S0BOARD", ["U0LENA", "U0TESS", "U0STRANGER"])
        assert not board.refresh(moment, "S0BOARD", ["U0LENA", "U0TESS", "U0STRANGER"])
    request = ask(grouped, BEN, "5000")
    assert refused(grouped, IRIS, request) == "not_called_yet"
    assert vote(grouped, LENA, request).request.state == "approved"
