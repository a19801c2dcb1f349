"""What waits is corrected or discarded by name, on record, once, and posted at once where that is possible."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from handlers.usage import cloudevents
from policy.metering import UsageEvent
from policy.reasons import Refusal
from policy.units import MicroTokens
from policy.versions import Version
from programme.usage import cards, corrections, quarantine
from programme.usage.quarantine import Correction, Settled, Wanted
from store.tables.intake import quarantine_steps
from store.tables.people import identities
from store.tables.usage import quarantine as table
from store.tables.usage import usage_days, usage_events
from store.usage import quarantine as store
from store.usage import versions as versions_store
from tests.support import books, cast
from tests.support.books import ADA, BEN
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from programme.app import App
    from store.engine import Database

DATA = Path(__file__).parents[2] / "data" / "cases"
ODD = ("openai", "our-prod-chat")
CALL = MicroTokens(-540_000)
"""What a call of Sonnet costs."""


def fix(app: App, wanted: Wanted, right: Correction, *, why: str = "A typing error") -> Settled:
    with app.transaction() as moment:
        return quarantine.fix(moment, wanted, right, actor="cli:mara", why=why)


def discard(app: App, wanted: Wanted, *, why: str = "A load test") -> Settled:
    with app.transaction() as moment:
        return quarantine.discard(moment, wanted, actor="cli:mara", why=why)


def one(event_id: str) -> Wanted:
    return Wanted(key=("gateway", event_id))


def refused(app: App, wanted: Wanted, right: Correction, *, why: str = "x") -> str:
    with pytest.raises(Refusal) as refusal:
        fix(app, wanted, right, why=why)
    return refusal.value.code


def reasons(app: App) -> dict[str, str]:
    query = sa.select(table.c.event_id, table.c.reason).where(table.c.released_at.is_(None))
    return dict(books.rows(app, query))


# --- Corrections ---------------------------------------------------------------------------------------------------


def test_a_model_of_all_that_wait_under_its_name_is_corrected(app: App, clock: Clock) -> None:
    """All of them are posted at once, at their own time; other names wait on; who and why is on record."""
    books.take_in(app, *(cast.event(name, at=NOON, model=("anthropic", "sonnet")) for name in "abc"))
    books.take_in(app, cast.event("d", at=NOON, model=("anthropic", "opus")))
    clock.move(days=3)
    done = fix(app, Wanted(name="anthropic/sonnet"), Correction(model=" claude-sonnet-4-5 "))
    assert (done.events, done.posted, done.still) == (3, 3, {})
    assert books.wallet(app, ADA) == 3 * CALL
    assert reasons(app) == {"d": "unknown_model"}
    [row] = books.audited(app, "quarantine.fix")
    assert (row["actor"], row["subject"]) == ("cli:mara", "*: anthropic/sonnet")
    assert row["after"] == {"events": 3, "why": "A typing error", "model": "claude-sonnet-4-5"}
    assert books.rows(app, sa.select(usage_days.c.day, usage_days.c.calls)) == [(NOON.date(), 3)]
    assert books.findings(app) == {}


def test_a_provider_is_corrected_whatever_case_it_is_written_in(sqlite_app: App) -> None:
    """Providers are in lower case, as they are when gateways report them."""
    books.take_in(sqlite_app, cast.event("a", at=NOON, model=("antrhopic", "claude-sonnet-4-5")))
    assert fix(sqlite_app, Wanted(name="antrhopic"), Correction(provider="Anthropic")).posted == 1


def test_what_arrived_is_known_when_it_comes_again(sqlite_app: App) -> None:
    """A corrected event is a duplicate in its old content, which is what the gateway has, and in its new one."""
    wrong, right = (cast.event("a", at=NOON, model=("anthropic", m)) for m in ("sonnet", "claude-sonnet-4-5"))
    books.take_in(sqlite_app, wrong)
    fix(sqlite_app, one("a"), Correction(model="claude-sonnet-4-5"))
    assert books.take_in(sqlite_app, wrong, right) == ["duplicate", "duplicate"]
    assert books.take_in(sqlite_app, cast.event("a", at=NOON, meters={"output": 1})) == ["conflict"]
    assert books.wallet(sqlite_app, ADA) == CALL
    assert books.findings(sqlite_app) == {}


def test_what_a_correction_does_not_settle_waits_on_with_its_new_reason(sqlite_app: App) -> None:
    """An event may need two corrections; the first says what is left to do."""
    books.take_in(sqlite_app, cast.event("a", at=NOON, model=("antrhopic", "sonnet")))
    done = fix(sqlite_app, one("a"), Correction(provider="anthropic"))
    assert (done.events, done.posted, done.still) == (1, 0, {"unknown_model": 1})
    assert fix(sqlite_app, one("a"), Correction(model="claude-sonnet-4-5")).posted == 1
    assert books.rows(sqlite_app, sa.select(sa.func.count()).select_from(quarantine_steps)) == [(2,)]


def test_the_person_of_one_event_is_theirs_alone(app: App) -> None:
    """One call of a shared name is Ben's; the name stays unknown."""
    books.take_in(app, *(cast.event(name, at=NOON, who="ci-runner") for name in "ab"))
    assert fix(app, one("a"), Correction(person=BEN)).posted == 1
    assert books.wallet(app, BEN) == CALL
    assert reasons(app) == {"b": "unknown_person"}
    assert books.count(app, identities) == 0


def test_a_name_is_mapped_where_it_waits_and_its_usage_posted(app: App) -> None:
    """All that wait under a name of one gateway are Ben's, and so is what comes later; another gateway's is not."""
    books.take_in(app, *(cast.event(name, at=NOON, who="ci-runner", source="eu") for name in "ab"))
    books.take_in(app, cast.event("c", at=NOON, who="ci-runner", source="us"))
    done = fix(app, Wanted(name="user:ci-runner", source="eu"), Correction(person=BEN))
    assert (done.posted, list(done.mapped)) == (2, ["eu"])
    assert books.take_in(app, cast.event("d", at=NOON, who="ci-runner", source="eu")) == ["accepted"]
    assert reasons(app) == {"c": "unknown_person"}
    assert books.wallet(app, BEN) == 3 * CALL
    assert len(books.audited(app, "identity.map")) == 1
    assert books.findings(app) == {}


def test_usage_that_names_no_one_is_given_to_someone(sqlite_app: App) -> None:
    """There is no name to map, so only what waits is theirs."""
    books.take_in(sqlite_app, cast.event("a", at=NOON, who=""))
    done = fix(sqlite_app, Wanted(name="nobody"), Correction(person=ADA))
    assert (done.posted, list(done.mapped)) == (1, [])
    assert books.take_in(sqlite_app, cast.event("b", at=NOON, who="")) == ["quarantined"]


def test_corrections_that_cannot_be_meant_are_refused(sqlite_app: App) -> None:
    """Nothing to correct, no reason, a name too long, someone who is not there: told, and nothing changes."""
    books.take_in(sqlite_app, cast.event("a", at=NOON, model=ODD))
    assert refused(sqlite_app, one("a"), Correction()) == "nothing_to_fix"
    assert refused(sqlite_app, one("a"), Correction(model="gpt-5"), why="  ") == "no_reason"
    assert refused(sqlite_app, one("a"), Correction(model="x" * 201)) == "bad_name"
    assert refused(sqlite_app, one("a"), Correction(provider=" ")) == "bad_name"
    assert refused(sqlite_app, one("a"), Correction(model="gpt-5\u200b")) == "bad_name"
    assert refused(sqlite_app, one("a"), Correction(person="no@example.com")) == "unknown_person"
    assert refused(sqlite_app, Wanted(name="x"), Correction(person=ADA, model="gpt-5")) == "two_names"
    assert books.count(sqlite_app, quarantine_steps) == 0


def test_a_correction_that_changes_nothing_leaves_no_step(sqlite_app: App) -> None:
    """The name that an event has already is no correction of it."""
    books.take_in(sqlite_app, cast.event("a", at=NOON, model=ODD))
    assert fix(sqlite_app, one("a"), Correction(model="our-prod-chat")).events == 0
    assert books.audited(sqlite_app, "quarantine.fix") == []


def correct(app: App, event: UsageEvent, revision: int = 1) -> str:
    """What becomes of a later version of an event."""
    with app.transaction() as moment:
        version = Version(event.source, event.event_id, revision, event, "counted wrongly")
        [outcome] = corrections.take_in(moment, [version], actor="gateway")
    return outcome.status


def fix_all(app: App, wanted: Wanted, right: Correction) -> tuple[Settled, Settled]:
    """As the command does: what was never corrected, and then what was."""
    first = fix(app, wanted, right)
    with app.transaction() as moment:
        return first, quarantine.fix_versions(moment, wanted, right, actor="cli:mara", why="A typing error")


@pytest.mark.every_database
def test_what_was_corrected_and_still_waits_is_fixed_by_another_version(app: App) -> None:
    """A correction that cannot be priced is put right with the others of its name, by name or by its id, on record."""
    books.take_in(app, *(cast.event(name, at=NOON, model=("anthropic", "sonnet")) for name in "abc"))
    for name in "bc":
        wrong = cast.event(name, at=NOON, model=("anthropic", "sonnet"), meters={"output": 1_000})
        assert correct(app, wrong) == "quarantined"
    right = Correction(model="claude-sonnet-4-5")
    with app.reading() as moment:
        assert quarantine.waiting(moment, "c") == one("c")
        assert quarantine.find(moment, "c").state == "waiting"
    assert [done.posted for done in fix_all(app, one("c"), right)] == [0, 1]
    first, versions = fix_all(app, Wanted(name="anthropic/sonnet"), right)
    assert (first.posted, versions.events, versions.posted, versions.still) == (1, 1, 1, {})
    assert books.wallet(app, ADA) == CALL + MicroTokens.parse("-3")
    with app.reading() as moment:
        [step] = quarantine.find(moment, "c").steps
        version = versions_store.standing(moment.session, [("gateway", "c")])["gateway", "c"]
    assert (step.step, step.before and step.before["model"], version.revision) == ("fixed", "sonnet", 2)
    assert correct(app, cast.event("c", at=NOON), 2) == "conflict"
    assert books.findings(app) == {}


def test_a_person_is_named_for_a_correction_that_names_no_one(sqlite_app: App) -> None:
    """It is theirs, and what else is wrong with it is said."""
    nobodys = cast.event("a", at=NOON, who="", model=("anthropic", "sonnet"))
    assert correct(sqlite_app, nobodys) == "quarantined"
    _, done = fix_all(sqlite_app, Wanted(name="nobody"), Correction(person=ADA))
    assert (done.events, done.posted, done.still) == (1, 0, {"unknown_model": 1})
    assert fix_all(sqlite_app, one("a"), Correction(model="claude-sonnet-4-5"))[1].posted == 1
    assert books.wallet(sqlite_app, ADA) == CALL
    assert books.findings(sqlite_app) == {}


# --- Discarding ----------------------------------------------------------------------------------------------------


def test_what_is_discarded_is_never_debited(app: App, clock: Clock) -> None:
    """It leaves, stays on record with who and why, is a duplicate when it comes again, and nothing takes its place."""
    test = cast.event("a", at=NOON, who="load-test")
    books.take_in(app, test, cast.event("b", at=NOON, who="stranger"))
    clock.move(hours=1)
    assert discard(app, Wanted(name="user:load-test")).events == 1
    assert discard(app, one("a")).events == 0
    cast.hire(app, "email,name,level,role_family,time_zone,hired_on\nt@example.com,T,mid,engineering,UTC,2026-01-01\n")
    assert fix(app, Wanted(name="user:load-test"), Correction(person=ADA)).events == 0
    assert books.retry(app) == (0, 1)
    assert books.take_in(app, test, cast.event("a", at=NOON)) == ["duplicate", "conflict"]
    with app.reading() as moment:
        case = quarantine.find(moment, "a")
    assert (case.state, case.left_at) == ("discarded", NOON + timedelta(hours=1))
    assert [(step.step, step.actor, step.why) for step in case.steps] == [("discarded", "cli:mara", "A load test")]
    [row] = books.audited(app, "quarantine.discard")
    assert row["after"] == {"events": 1, "why": "A load test"}
    assert books.wallet(app, ADA) == 0
    assert books.findings(app) == {}


def test_only_what_waits_because_of_a_name_is_discarded_by_it(sqlite_app: App) -> None:
    """With a leaver's calls, or those of a model without a price, goes nobody's call that waits for a person."""
    cast.hire(sqlite_app, f"email,left_on\n{BEN},2026-11-10\n")
    gone, stranger = cast.event("gone", at=NOON, who=BEN), cast.event("stranger", at=NOON, who="ci-runner")
    unpriced = cast.event("unpriced", at=NOON, model=ODD)
    lost = cast.event("lost", at=NOON, who="ci-runner", model=ODD)
    books.take_in(sqlite_app, gone, stranger, unpriced, lost)
    assert discard(sqlite_app, Wanted(name="anthropic/claude-sonnet-4-5")).events == 0
    assert discard(sqlite_app, Wanted(name=quarantine.name_of("not_employed", gone))).events == 1
    assert discard(sqlite_app, Wanted(name="openai/our-prod-chat")).events == 1
    assert reasons(sqlite_app) == {"stranger": "unknown_person", "lost": "unknown_person"}
    assert books.findings(sqlite_app) == {}


@pytest.mark.every_database
def test_a_correction_takes_back_what_was_discarded(app: App) -> None:
    """It is posted, or waits again and may be discarded again; the books hold, and its steps tell of both times."""
    books.take_in(app, *(cast.event(name, at=NOON, who="load-test") for name in "ab"))
    assert discard(app, Wanted(name="user:load-test")).events == 2
    assert correct(app, cast.event("a", at=NOON)) == "accepted"
    assert correct(app, cast.event("b", at=NOON, who="load-test", meters={"output": 1})) == "quarantined"
    assert books.wallet(app, ADA) == CALL
    assert books.findings(app) == {}
    assert discard(app, one("b")).events == 1
    with app.reading() as moment:
        states = [quarantine.find(moment, name).state for name in "ab"]
        shown = [cards.card(moment, ("gateway", name)).state for name in "ab"]
        steps = [step.step for step in quarantine.find(moment, "b").steps]
    assert (states, shown, steps) == (["corrected", "discarded"], ["posted", "discarded"], ["discarded"] * 2)
    assert books.retry(app) == (0, 0)
    assert books.findings(app) == {}


# --- Finding -------------------------------------------------------------------------------------------------------


def test_an_event_is_found_by_its_id_or_with_its_source(app: App) -> None:
    """Both may have slashes; an id of two gateways has to be told apart; one that never waited is not there."""
    books.take_in(app, cast.event("a/1", at=NOON, model=ODD, source="gw/eu"), cast.event("2", at=NOON, source="gw"))
    books.take_in(
        app, cast.event("b", at=NOON, model=ODD, source="eu"), cast.event("b", at=NOON, model=ODD, source="us")
    )
    with app.reading() as moment:
        for name in ("a/1", "gw/eu/a/1"):
            assert quarantine.find(moment, name).event.event_id == "a/1"
        assert quarantine.find(moment, "us/b").event.source == "us"
        for name, code in (("b", "ambiguous_event"), ("2", "not_in_quarantine"), ("x", "not_in_quarantine")):
            with pytest.raises(Refusal) as refusal:
                quarantine.find(moment, name)
            assert refusal.value.code == code


def test_groups_count_what_waits_for_one_reason(app: App, clock: Clock) -> None:
    """The largest first, with the gateways, the span of use, since when, and the event that came first."""
    books.take_in(app, cast.event("a", at=NOON, model=ODD, source="us"))
    clock.move(days=1)
    books.take_in(app, *(cast.event(n, at=NOON - timedelta(days=int(n)), model=ODD, source="eu") for n in "123"))
    books.take_in(app, cast.event("s", at=NOON, who="stranger"))
    with app.database.reading() as session:
        odd, stranger = store.groups(session, limit=10)
        assert store.groups(session, limit=1) == [odd]
    assert (odd.reason, odd.events, odd.sources) == ("unknown_model", 4, ("eu", "us"))
    assert (odd.first_used, odd.last_used, odd.since) == (NOON - timedelta(days=3), NOON, NOON)
    assert (odd.example.source, odd.example.event_id, stranger.events) == ("us", "a", 1)


# --- Batches, kills and races --------------------------------------------------------------------------------------


def test_many_are_settled_in_batches_that_go_on_where_the_last_one_ended(
    sqlite_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is stopped after a batch begins again and finds what is left; nothing is done twice."""
    monkeypatch.setattr(quarantine, "BATCH", 3)
    books.take_in(sqlite_app, *(cast.event(f"{n}", at=NOON, model=("anthropic", "odd")) for n in range(8)))
    right = Correction(model="claude-sonnet-4-5")
    first = fix(sqlite_app, Wanted(name="anthropic/odd"), right)
    assert (first.posted, first.last is not None) == (3, True)
    again = [fix(sqlite_app, Wanted(name="anthropic/odd"), right).posted for _ in range(3)]
    assert again == [3, 2, 0]
    assert books.wallet(sqlite_app, ADA) == 8 * CALL
    assert books.findings(sqlite_app) == {}


def test_who_is_killed_in_the_middle_has_changed_nothing(sqlite_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction, its steps, its postings and its row of the audit log are there together, or none of them is."""
    books.take_in(sqlite_app, cast.event("a", at=NOON, model=("anthropic", "odd")))
    right = Correction(model="claude-sonnet-4-5")
    with monkeypatch.context() as patched:
        patched.setattr(quarantine, "_record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fix(sqlite_app, one("a"), right)
        with pytest.raises(ZeroDivisionError):
            discard(sqlite_app, one("a"))
    assert (reasons(sqlite_app), books.count(sqlite_app, quarantine_steps)) == ({"a": "unknown_model"}, 0)
    assert books.wallet(sqlite_app, ADA) == 0
    assert fix(sqlite_app, one("a"), right).posted == 1
    assert books.findings(sqlite_app) == {}


@pytest.mark.every_database
def test_administrators_and_retries_at_once_settle_each_event_once(database_url: str, app: App, clock: Clock) -> None:
    """Two who correct, one who discards and a retry at the same moment: each event is posted once, or discarded."""
    books.take_in(app, *(cast.event(f"{n:02}", at=NOON, model=("anthropic", "odd")) for n in range(20)))
    wanted, right = Wanted(name="anthropic/odd"), Correction(model="claude-sonnet-4-5")

    def here(database: Database) -> App:
        return type(app)(database, app.zone, clock)

    work = [
        lambda database: fix(here(database), wanted, right),
        lambda database: fix(here(database), wanted, right),
        lambda database: discard(here(database), wanted),
        lambda database: books.retry(here(database)),
    ]
    assert books.at_once(database_url, work) == []
    c = usage_events.c
    [(posted,)] = books.rows(app, sa.select(sa.func.count()).where(c.cost_nano_usd.is_not(None)))
    [(discarded,)] = books.rows(app, sa.select(sa.func.count()).where(table.c.discarded_at.is_not(None)))
    assert posted + discarded == 20
    assert books.wallet(app, ADA) == posted * CALL
    assert books.findings(app) == {}


def test_audio_without_a_price_waits_whole(sqlite_app: App) -> None:
    """Case 43: a million tokens of audio are not billed as text; the model that has a price for them is named."""
    [event] = cloudevents.parse((DATA / "43-audio-price.json").read_bytes())
    assert isinstance(event, UsageEvent)
    assert books.take_in(sqlite_app, event) == ["quarantined"]
    assert reasons(sqlite_app) == {event.event_id: "unpriced_meter"}
    assert fix(sqlite_app, Wanted(key=("gw", event.event_id)), Correction(model="gpt-audio")).posted == 1
    assert books.wallet(sqlite_app, BEN) == MicroTokens.parse("-3200")
