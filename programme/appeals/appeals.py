"""Appeals against the cuts of an adopted review: filed, decided by one member of the board, or over by silence.

While an appeal is open the person's grants are as before. Upheld, the cut is undone and what it took comes as a lot;
rejected, or not decided in time, it holds from the next month. One lock, on the case, orders all of it; another, on the
grants, keeps it out of a run that has sized a grant and not posted it yet.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from policy import appeals as policy
from policy import texts
from policy.appeals import LAPSED, OPEN, REJECTED, UPHELD
from policy.business_time import Span
from policy.exceptions import business_hours
from policy.kinds import EntryKind, LotKind
from policy.period import Month, Quarter, day_of, first_instant
from policy.reasons import Refusal
from programme.appeals import notices
from programme.exceptions.crediting import value_now
from programme.grants.by_hand import MANUAL_PRIORITY as PRIORITY
from programme.grants.by_hand import from_pool_first
from programme.people import board
from programme.reviews import effects
from store import audit, locks
from store.appeals import records as store
from store.audit import NOWHERE, POLICY, Place
from store.exceptions import requests as requests_store
from store.grants import monthly
from store.ledger import ledger
from store.ledger.ledger import Draft, NewLot
from store.locks import Lock
from store.people import board as board_store
from store.people import directory as people_store
from store.reviews import drafts
from views.appeals import Card
from views.people import Named
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from policy.handbook import Handbook
    from programme.moment import Moment
    from store.people.directory import Person
    from views.appeals import Appeal
    from views.reviews import Kept, Review

SAID = {OPEN: "is still open", UPHELD: "was upheld", REJECTED: "was rejected", LAPSED: "lapsed undecided"}


# --- Filing --------------------------------------------------------------------------------------------------------


def require_open_to_appeal(moment: Moment, person: Person, quarter: Quarter) -> Kept:
    """A person's case that can be appealed now; a Refusal says why there is none."""
    kept, case = drafts.get(moment.session, quarter), drafts.case(moment.session, quarter, person.id)
    if kept is None or case is None or kept.state != ADOPTED or kept.decided_at is None:
        raise Refusal("nothing_to_appeal", f"No decision about you was made for {quarter}.")
    if not effects.is_cut(case):
        raise Refusal("no_cut", f"The review of {quarter} does not cut your grant, so there is nothing to undo.")
    if (before := store.get(moment.session, quarter, person.id)) is not None:
        raise Refusal(
            "appealed",
            f"You have already appealed against this, and your appeal {SAID[before.state]}.",
            next_step="`/tokens review` shows where it stands.",
        )
    last_day = effects.appeal_until(people_store.zone_of(person), _book(moment, kept.decided_at), kept.decided_at)
    if day_of(moment.now, people_store.zone_of(person)) > last_day:
        raise Refusal(
            "too_late",
            f"You could appeal against the review of {quarter} until the end of {last_day.day} {last_day:%b %Y}.",
            next_step="The next review starts afresh. If you need more before that, ask with `/tokens request`.",
        )
    return case


def file(moment: Moment, person: Person, quarter: Quarter, reason: str) -> Appeal:
    """Appeal against a cut; the same form sent again is the same appeal."""
    locks.hold(moment.session, Lock.GRANTS)
    if not store.lock_case(moment.session, quarter, person.id):
        raise Refusal("nothing_to_appeal", f"No decision about you was made for {quarter}.")
    before = store.get(moment.session, quarter, person.id)
    if before is not None and before.reason == reason.strip():
        return before
    require_open_to_appeal(moment, person, quarter)
    texts.require("reason", reason, "Say why in a sentence.")
    moment = moment.at(_after_grants(moment, person.id))
    book = _book(moment, moment.now)
    remind_at, decide_by = times(moment)
    store.insert(
        moment.session, quarter, person.id, reason.strip(), remind_at=remind_at, decide_by=decide_by, now=moment.now
    )
    appeal = require(moment, quarter, person.id)
    able = deciders(moment, appeal)
    notices.tell_of_new(moment, appeal, able)
    audit.append(moment.session, _record(appeal, person.id, store.FILED, book, moment.now))
    return appeal


class Times(NamedTuple):
    """When those who can decide an appeal are reminded, and when it lapses."""

    remind_at: datetime
    decide_by: datetime


def times(moment: Moment) -> Times:
    """Of an appeal that is filed now."""
    book = _book(moment, moment.now)
    hours = business_hours(book, moment.zone)
    return Times(
        *(
            hours.after(moment.now, Span(count, "day", is_business=True))
            for count in (book.appeals.remind_days, book.appeals.decide_days)
        )
    )


def _book(moment: Moment, at: datetime) -> Handbook:
    return moment.handbooks.on(day_of(at, moment.zone))


def named(appeal_id: str) -> tuple[Quarter, str]:
    """The quarter and the person of an appeal's id; a Refusal for anything else."""
    quarter, _, person_id = appeal_id.partition("/")
    try:
        return Quarter.parse(quarter), person_id
    except ValueError:
        raise Refusal("unknown_appeal", f"There is no appeal {appeal_id!r}.") from None


def require(moment: Moment, quarter: Quarter, person_id: str) -> Appeal:
    """An appeal, or a Refusal."""
    appeal = store.get(moment.session, quarter, person_id)
    if appeal is None:
        raise Refusal("unknown_appeal", f"There is no appeal {quarter}/{person_id}.")
    return appeal


# --- Deciding ------------------------------------------------------------------------------------------------------


def deciders(moment: Moment, appeal: Appeal) -> frozenset[str]:
    """Who may decide an appeal now."""
    return policy.deciders(
        _seats(moment),
        concerned=_concerned(moment, appeal),
        case_decided_by=_case(moment, appeal).decided_by,
        voted=store.voters(moment.session, appeal.quarter),
    )


def _seats(moment: Moment) -> frozenset[str]:
    return frozenset(seat.person_id for seat in board.seats(moment))


def _concerned(moment: Moment, appeal: Appeal) -> frozenset[str]:
    """The person, their manager at the time of the review, and whoever is it now."""
    manager = people_store.manager_of(moment.session, appeal.person_id)
    return frozenset(one for one in (appeal.person_id, _case(moment, appeal).case.team, manager) if one)


def require_decider(moment: Moment, person: Person, appeal: Appeal) -> None:
    """A Refusal that says why a person can't decide an appeal, or why there is nothing left to decide."""
    if appeal.state != OPEN:
        raise Refusal("decided", f"This appeal {SAID[appeal.state]}, so your click changed nothing.")
    if moment.now >= appeal.decide_by:
        raise Refusal("too_late", "The time for this appeal is over. It lapses, so your click changed nothing.")
    if person.id in deciders(moment, appeal):
        return
    if not board.has_seat(moment, person.id):
        raise Refusal("not_on_board", "Only members of the governance board can decide appeals.")
    raise Refusal(
        "recused",
        "You can't decide this appeal because you had a part in the case.",
        next_step="Someone on the board can who neither decided the case nor manages the person.",
    )


def decide(
    moment: Moment, member: Person, appeal_id: str, *, upheld: bool, reason: str, place: Place = NOWHERE
) -> Appeal:
    """Uphold or reject an appeal, with a reason; the first click decides, and a later one is refused."""
    appeal = locked(moment, appeal_id)
    require_decider(moment, member, appeal)
    said = texts.require("reason", reason, "Say why in a sentence.")
    moment = moment.at(_after_grants(moment, appeal.person_id))
    values: dict[str, object] = {"decided_at": moment.now, "decided_by": member.id, "decision_reason": said}
    left = bool(board_store.left(moment.session, [appeal.person_id], moment.today))
    # Kept for `verify`: who sat and who was concerned changes.
    record = {
        "seats": sorted(_seats(moment)),
        "concerned": sorted(_concerned(moment, appeal)),
        "left": left,
    }
    if upheld:
        moved = _move(moment, appeal, state=UPHELD, **values)
        moved = moved if left else _give_back(moment, moved)
    else:
        moved = _move(moment, appeal, state=REJECTED, cut_from=str(_cut_from(moment, appeal)), **values)
    notices.tell_of_decision(moment, moved)
    book = _book(moment, moment.now)
    audit.append(moment.session, _record(moved, member.id, store.DECIDED, book, moment.now, place=place, more=record))
    return moved


def lapse(moment: Moment, appeal_id: str) -> Appeal | None:
    """End an appeal that no one decided in time: silence never approves. None when it was decided meanwhile."""
    appeal = locked(moment, appeal_id)
    if appeal.state != OPEN or moment.now < appeal.decide_by:
        return None
    moment = moment.at(_after_grants(moment, appeal.person_id))
    cut_from = str(_cut_from(moment, appeal))
    moved = _move(moment, appeal, state=LAPSED, cut_from=cut_from, decided_at=moment.now, decided_by=POLICY)
    notices.tell_of_decision(moment, moved)
    audit.append(moment.session, _record(moved, POLICY, store.LAPSED, _book(moment, moment.now), moment.now))
    return moved


def locked(moment: Moment, appeal_id: str) -> Appeal:
    """An appeal, held until the transaction ends."""
    quarter, person_id = named(appeal_id)
    locks.hold(moment.session, Lock.GRANTS)
    store.lock_case(moment.session, quarter, person_id)
    return require(moment, quarter, person_id)


def _after_grants(moment: Moment, person_id: str) -> datetime:
    """The instant of what is done about an appeal: not before that of a run of grants for which it had to wait."""
    return max(moment.now, monthly.last_posted_at(moment.session, person_id) or moment.now)


def _move(moment: Moment, appeal: Appeal, **values: object) -> Appeal:
    if not store.change(moment.session, appeal, **values):
        raise Refusal("moved", "Someone else got there first.", next_step="The card shows where it stands now.")
    return require(moment, appeal.quarter, appeal.person_id)


def _cut_from(moment: Moment, appeal: Appeal) -> Month:
    """The month after the present one: what was granted while the appeal was open stays granted."""
    return max(_holds_from(moment, appeal), Month.containing(moment.today).next())


def _holds_from(moment: Moment, appeal: Appeal) -> Month:
    holds_from = _review(moment, appeal).holds_from
    assert holds_from is not None  # noqa: S101 - only adopted reviews can be appealed against
    return holds_from


def _review(moment: Moment, appeal: Appeal) -> Review:
    kept = drafts.get(moment.session, appeal.quarter)
    assert kept is not None  # noqa: S101 - a foreign key
    return kept


def _case(moment: Moment, appeal: Appeal) -> Kept:
    case = drafts.case(moment.session, appeal.quarter, appeal.person_id)
    assert case is not None  # noqa: S101 - a foreign key
    return case


def _record(
    appeal: Appeal,
    actor: str,
    action: str,
    book: Handbook,
    now: datetime,
    *,
    place: Place = NOWHERE,
    more: Mapping[str, object] = MappingProxyType({}),
) -> audit.Record:
    cut_from = str(appeal.cut_from) if appeal.cut_from else None
    after = {"state": appeal.state, "cut_from": cut_from, "entry_id": appeal.entry_id}
    return audit.Record(
        at=now,
        actor=actor,
        action=action,
        subject=appeal.id,
        after=after | dict(more),
        handbook_version=book.version,
        slack_channel=place.channel,
        slack_ts=place.ts,
    )


# --- Giving back ---------------------------------------------------------------------------------------------------


def _give_back(moment: Moment, appeal: Appeal) -> Appeal:
    """Credit what the cut took in months whose grants are posted: out of the pool first, as exceptions are."""
    amount = policy.owed_back(_cut_months(moment, appeal))
    if not amount:
        return appeal
    value = value_now(moment)
    wallet = ledger.wallet_code(appeal.person_id)
    held = ledger.hold(moment.session, [ledger.TREASURY, ledger.POOL, wallet])
    book = _book(moment, moment.now)
    ends_on = Month.containing(moment.today).plus(book.lots.months).first_day
    key, memo = f"appeal:{appeal.id}", f"Appeal upheld: what the cut of {appeal.quarter} took"
    draft = Draft(
        kind=EntryKind.APPEAL,
        idempotency_key=key,
        fingerprint=ledger.fingerprint(key, int(amount)),
        effective_at=moment.now,
        memo=memo,
        actor=appeal.decided_by or POLICY,
        amounts=(*from_pool_first(held, amount), (held[wallet].id, int(amount))),
        value_version=value.version,
        lot=NewLot(
            LotKind.APPEAL, PRIORITY, moment.now, first_instant(ends_on, moment.zone), memo, appeal.decided_by or POLICY
        ),
    )
    [entry_id] = ledger.post(moment.session, [draft], now=moment.now, holding=held.values())
    return _move(moment, appeal, entry_id=entry_id)


def _cut_months(moment: Moment, appeal: Appeal) -> Iterator[policy.CutMonth]:
    """Grants since the cut held, each with the adjustment that it would have had without."""
    books = moment.handbooks
    return store.cut_months(
        moment.session,
        appeal.quarter,
        appeal.person_id,
        _holds_from(moment, appeal),
        at=moment.now,
        rules_of=lambda version: books.named(version).sizing,
    )


# --- What is shown -------------------------------------------------------------------------------------------------


def card(moment: Moment, appeal_id: str) -> Card:
    """An appeal as it stands, to be shown."""
    appeal = require(moment, *named(appeal_id))
    able = sorted(deciders(moment, appeal)) if appeal.state == OPEN else []
    by = {appeal.decided_by} if appeal.decided_by not in {None, POLICY} else set()
    names = requests_store.names(moment.session, {appeal.person_id, *able, *(one for one in by if one)})
    who = {id_: Named(*named_as) for id_, named_as in names.items()}
    credited = None if appeal.entry_id is None else store.credited(moment.session, appeal.entry_id)
    return Card(
        appeal,
        _case(moment, appeal),
        _holds_from(moment, appeal),
        who[appeal.person_id],
        who.get(appeal.decided_by or ""),
        tuple(who[id_] for id_ in able),
        credited,
    )


def awaits(moment: Moment, appeal_id: str) -> frozenset[str] | None:
    """Who can decide an appeal that still waits for someone; None once it is decided or over."""
    appeal = require(moment, *named(appeal_id))
    if appeal.state != OPEN or moment.now >= appeal.decide_by:
        return None
    return deciders(moment, appeal)


def remind(moment: Moment, appeal: Appeal) -> None:
    """Remind those who can decide; where no one can, tell those who can change that."""
    able = deciders(moment, appeal)
    if able:
        notices.remind(moment, appeal, able)
    else:
        notices.tell_of_nobody(moment, appeal, _concerned(moment, appeal))
