"""An appeal against the annual review: filed in time, decided by someone who had no part in it, or upheld by silence.

While it is open the factor does not count. Upheld, it never does, and what it took comes as a lot; rejected, it counts
from the next month. Finance imports groups and nobody votes on them, so there is no one to be called in when no one
decides: the appeal is upheld at once. The lock on the grants orders all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy import appeals as policy
from policy import texts
from policy.appeals import OPEN, REJECTED, UPHELD
from policy.period import Month, day_of
from policy.reasons import Refusal
from policy.reviews import dates
from policy.weights import Annual
from programme import decisions
from programme.appeals import annual_notices as notices
from programme.appeals import appeals, crediting, filing
from programme.appeals.appeals import APPEAL
from programme.appeals.crediting import Owed
from programme.people import board
from store import audit, locks
from store.appeals import annual as store
from store.appeals import records
from store.audit import NOWHERE, POLICY, Place
from store.locks import Lock
from store.people import board as board_store
from store.people import directory as people_store
from store.reviews import annual as groups
from views.appeals import AnnualCard
from views.people import PersonName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from programme.moment import Moment
    from store.people.directory import Person
    from store.reviews.annual import AnnualRow
    from views.appeals import AnnualAppeal

SILENCE = "No one decided it in time."


def factor_of(moment: Moment, row: AnnualRow) -> Annual | None:
    """The factor of a group in the month from which it counts, if the handbook has it."""
    rules = moment.handbooks.on(Month.parse(row.holds_from).first_day).sizing
    factors = (one.factor for one in rules.annual if one.name == row.group_name)
    return next((Annual(row.year, row.group_name, factor) for factor in factors), None)


def require_open_to_appeal(moment: Moment, person: Person) -> tuple[AnnualRow, Annual]:
    """A person's group that takes something of their grants, and can be appealed against now; else a Refusal."""
    row = groups.of_person(moment.session, person.id, Month.containing(moment.today))
    annual = None if row is None else factor_of(moment, row)
    if row is None or annual is None or annual.factor >= 1:
        raise Refusal("nothing_to_appeal", "No annual review takes anything of your grants.")
    if (before := store.get(moment.session, row.year, person.id)) is not None:
        text = f"You have already appealed against the annual review of {row.year}: it {APPEAL.said[before.state]}."
        raise Refusal("appealed", text, next_step="The board's answer is in our conversation.")
    zone, book = people_store.zone_of(person, moment.zone), moment.handbook
    known_on = max(Month.parse(row.holds_from).first_day, day_of(row.imported_at, moment.zone))
    last_day = dates.last_appeal_day(known_on, book.messages.holidays, appeal_days=book.appeals.appeal_days)
    if day_of(moment.now, zone) > last_day:
        raise Refusal(
            "too_late",
            f"You could appeal against the review of {row.year} until the end of {last_day.day} {last_day:%b %Y}.",
            next_step="If you need more, ask with `/tokens request`.",
        )
    return row, annual


def may_appeal(moment: Moment, person: Person) -> bool:
    try:
        require_open_to_appeal(moment, person)
    except Refusal:
        return False
    return True


def file(moment: Moment, person: Person, reason: str) -> AnnualAppeal:
    """Appeal; the same form sent again is the same appeal."""
    locks.hold(moment.session, Lock.GRANTS)
    row = groups.of_person(moment.session, person.id, Month.containing(moment.today))
    before = None if row is None else store.get(moment.session, row.year, person.id)
    if before is not None and before.reason == reason.strip():
        return before
    row, _ = require_open_to_appeal(moment, person)
    hint = 'Write in a sentence what is wrong, for example "I was on leave in May". The board reads it.'
    said = texts.require("reason", reason, hint)
    moment = appeals.after_grants(moment, person.id)
    store.insert(moment.session, row.year, person.id, said, **filing.times(moment)._asdict(), now=moment.now)
    appeal = require(moment, f"{row.year}/{person.id}")
    notices.tell_of_new(moment, appeal, deciders(moment, appeal))
    _note(moment, appeal, person.id, store.FILED)
    return appeal


def require(moment: Moment, appeal_id: str) -> AnnualAppeal:
    """An appeal as it stands, or a Refusal."""
    year, _, person_id = appeal_id.partition("/")
    found = store.get(moment.session, int(year), person_id) if year.isdecimal() else None
    return decisions.require_known(found, APPEAL, appeal_id)


def _locked(moment: Moment, appeal_id: str) -> AnnualAppeal:
    locks.hold(moment.session, Lock.GRANTS)
    return require(moment, appeal_id)


def deciders(moment: Moment, appeal: AnnualAppeal) -> frozenset[str]:
    """Who may decide an appeal now: of the board, but not who imported the groups.

    Nor the person and their manager, who may have spoken for the group.
    """
    return deciders_of_each(moment, [appeal])[appeal.id]


def deciders_of_each(moment: Moment, some: Sequence[AnnualAppeal]) -> dict[str, frozenset[str]]:
    """Who may decide each of some appeals now, by its id; in as many statements however many they are."""
    if not some:
        return {}
    sitting = appeals.seats(moment)
    rows = groups.of_years(moment.session, [(one.year, one.person_id) for one in some])
    managers = people_store.managers_of(moment.session, {one.person_id for one in some})
    found = {}
    for one in some:
        row = rows.get((one.year, one.person_id))
        found[one.id] = policy.deciders(
            sitting,
            concerned=frozenset(who for who in (one.person_id, managers[one.person_id]) if who),
            case_decided_by=None if row is None else row.imported_by,
            voted=(),
        )
    return found


def require_decider(moment: Moment, person: Person, appeal: AnnualAppeal) -> None:
    """A Refusal that says why a person can't decide an appeal, or why there is nothing left to decide."""
    decisions.require_undecided(
        moment, APPEAL, appeal.state, appeal.decided_by, until=appeal.decide_by, silence="It is upheld"
    )
    if person.id in deciders(moment, appeal):
        return
    if not board.has_seat(moment, person.id):
        raise Refusal("not_on_board", "Only members of the governance board can decide appeals.")
    raise Refusal(
        "recused",
        "You can't decide this appeal because you had a part in the review, or manage the person.",
        next_step="Someone else on the board can.",
    )


def decide(
    moment: Moment, member: Person, appeal_id: str, *, upheld: bool, reason: str, place: Place = NOWHERE
) -> AnnualAppeal:
    """Uphold or reject an appeal, with a reason; the first click decides, and a later one is refused."""
    appeal = _locked(moment, appeal_id)
    require_decider(moment, member, appeal)
    hint = 'Write why in a sentence, for example "The leave was not counted". The person will read it.'
    said = texts.require("reason", reason, hint)
    able = sorted(deciders(moment, appeal))
    moved = _end(moment, appeal, UPHELD if upheld else REJECTED, by=member.id, reason=said)
    _note(moment, moved, member.id, store.DECIDED, place, able=able)
    return moved


def advance(moment: Moment, appeal_id: str) -> str | None:
    """Do what is due about an appeal, once; what was done, or None when someone else did it or decided."""
    appeal = _locked(moment, appeal_id)
    if appeal.state != OPEN:
        return None
    if moment.now >= appeal.decide_by:
        _note(moment, _end(moment, appeal, UPHELD, by=POLICY, reason=SILENCE), POLICY, store.UPHELD)
        return store.UPHOLD
    if appeal.remind_at is None or moment.now < appeal.remind_at:
        return None
    store.note_reminded(moment.session, appeal)
    notices.remind(moment, appeal, deciders(moment, appeal))
    return store.REMIND


def _end(moment: Moment, appeal: AnnualAppeal, state: str, *, by: str, reason: str) -> AnnualAppeal:
    moment = appeals.after_grants(moment, appeal.person_id)
    # What was granted while it was open stays granted: the factor counts from the next month at the earliest.
    counts_from = str(Month.containing(moment.today).next()) if state == REJECTED else None
    values = {"state": state, "counts_from": counts_from, "decided_at": moment.now, "decided_by": by}
    moved = _move(moment, appeal, **values, decision_reason=reason)
    if state == UPHELD and not board_store.left(moment.session, [appeal.person_id], moment.today):
        moved = _give_back(moment, moved, actor=by)
    notices.tell_of_decision(moment, moved)
    return moved


def _move(moment: Moment, appeal: AnnualAppeal, **values: object) -> AnnualAppeal:
    return decisions.require_first(store.change(moment.session, appeal, **values))


def _give_back(moment: Moment, appeal: AnnualAppeal, *, actor: str) -> AnnualAppeal:
    months = store.reviewed_months(
        moment.session, appeal, at=moment.now, rules_of=lambda version: moment.handbooks.named(version).sizing
    )
    memo = f"Appeal upheld: what the annual review of {appeal.year} took"
    owed = Owed(appeal.person_id, policy.taken(months), f"{store.KEY}{appeal.id}", memo)
    entry_id = crediting.credit(moment, owed, actor=actor)
    return appeal if entry_id is None else _move(moment, appeal, entry_id=entry_id)


def card(moment: Moment, appeal_id: str) -> AnnualCard:
    """An appeal as it stands, for those who read it."""
    appeal = require(moment, appeal_id)
    row = groups.of_year(moment.session, appeal.person_id, appeal.year)
    annual = None if row is None else factor_of(moment, row)
    if row is None or annual is None:
        raise Refusal("no_annual_group", f"No group of {appeal.year} is on record for {appeal.person_id}.")
    able = sorted(deciders(moment, appeal)) if appeal.state == OPEN else []
    names = people_store.names(moment.session, {appeal.person_id, appeal.decided_by or "", *able})
    named = {person_id: PersonName(*name) for person_id, name in names.items()}
    return AnnualCard(
        appeal=appeal,
        annual=annual,
        holds_from=Month.parse(row.holds_from),
        person=named[appeal.person_id],
        decided_by=named.get(appeal.decided_by or ""),
        deciders=tuple(named[person_id] for person_id in able),
        credited=None if appeal.entry_id is None else records.credited(moment.session, appeal.entry_id),
        is_overdue=appeal.state == OPEN and moment.now >= appeal.decide_by,
    )


def awaits(moment: Moment, appeal_id: str) -> frozenset[str]:
    """Who can decide an appeal that still waits for someone."""
    appeal = require(moment, appeal_id)
    return deciders(moment, appeal) if appeal.state == OPEN and moment.now < appeal.decide_by else frozenset()


def _note(
    moment: Moment, appeal: AnnualAppeal, actor: str, action: str, place: Place = NOWHERE, **more: object
) -> None:
    """Record what was done about an appeal, with what it has come to by now."""
    counts_from = str(appeal.counts_from) if appeal.counts_from else None
    audit.note(
        moment.session,
        actor,
        action,
        appeal.id,
        at=moment.now,
        after={"state": appeal.state, "counts_from": counts_from, "entry_id": appeal.entry_id, **more},
        handbook_version=moment.handbook.version,
        place=place,
    )
