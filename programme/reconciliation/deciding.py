"""What finance does about a difference: accept it, have calls corrected, or post it; above a limit, two of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from policy import texts
from policy.reasons import Refusal
from programme import decisions
from programme.decisions import Topic
from programme.reconciliation import adjusting, mending, notices
from store import audit
from store.audit import NOWHERE
from store.people import directory as people_store
from store.reconciliation import findings as store
from views.reconciliation import ACCEPTED, CORRECTED, CORRECTING, GONE, OPEN, WAITING

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.audit import Place
    from store.people.directory import Person
    from views.reconciliation import Found

ACCEPT, CALLS = "accept", "calls"
WAYS = (ACCEPT, CALLS, *adjusting.PAYERS)
"""Leave it; correct the calls themselves; post it to persons, the pool or the company."""

FINDING = Topic(
    "difference",
    undecided=frozenset({OPEN, WAITING}),
    said={
        CORRECTING: "is being corrected",
        ACCEPTED: "was accepted",
        CORRECTED: "was corrected",
        GONE: "is not there any more",
    },
    see="`tokens-bot reconcile show` lists what is open.",
)


class Choice(NamedTuple):
    """What to do about a difference as somebody read it, and why."""

    finding_id: str
    revision: int
    way: str
    reason: str


def choose(moment: Moment, person: Person, choice: Choice, *, place: Place = NOWHERE, login: str = "") -> Found:
    """Do something about a difference, or have it wait for a second person where it is large."""
    finding_id, revision, way, reason = choice
    found = require_open(moment, person, finding_id, revision)
    if way not in WAYS:
        raise Refusal(
            "unknown_way", f"{way!r} is no way to settle a difference.", next_step=f"Choose one of {', '.join(WAYS)}."
        )
    if wrong := texts.problem(reason, "The reason is empty; it is kept with the decision."):
        raise Refusal("reason_missing", wrong)
    if found.state == WAITING:
        raise Refusal("waiting", "This difference waits for a second person.", next_step="Confirm it, or decline.")
    if way == CALLS:
        mending.require_mendable(found)
    decision = {"way": way, "reason": reason}
    chosen = replace(found, decision=decision, chosen_by=person.id)
    limit = moment.handbook.reconciliation.second_person_above_usd
    if max(abs(int(found.open_amount)), int(found.moved) if way != CALLS else 0) > limit and way != ACCEPT:
        done = replace(chosen, state=WAITING)
        store.put(moment.session, done)
    else:
        done = _do(moment, chosen)
    _note(moment, done, person, "choose", place, login)
    notices.tell(moment, [done])
    return done


def confirm(
    moment: Moment, person: Person, finding_id: str, revision: int, *, place: Place = NOWHERE, login: str = ""
) -> Found:
    """The second person's word: what the first chose is done."""
    found = _require_waiting(moment, person, finding_id, revision)
    if found.chosen_by == person.id:
        raise Refusal(
            "second_person", "You chose this yourself.", next_step="Have someone else from finance confirm it."
        )
    done = _do(moment, replace(found, confirmed_by=person.id))
    _note(moment, done, person, "confirm", place, login)
    notices.tell(moment, [done])
    return done


def reopen(
    moment: Moment, person: Person, finding_id: str, revision: int, *, place: Place = NOWHERE, login: str = ""
) -> Found:
    """Take back what waits for a second person; either of the two may."""
    found = _require_waiting(moment, person, finding_id, revision)
    done = replace(found, state=OPEN, revision=found.revision + 1, decision=None, chosen_by=None)
    store.put(moment.session, done)
    _note(moment, done, person, "reopen", place, login)
    notices.tell(moment, [done])
    return done


def require_open(moment: Moment, person: Person, finding_id: str, revision: int) -> Found:
    """A difference that this person may decide, as they read it; held until the transaction ends."""
    if notices.ROLE not in people_store.roles_of(moment.session, person.id):
        raise Refusal("not_finance", "Only finance decides about differences with vendors' bills.")
    found = decisions.require_known(store.get(moment.session, finding_id, lock=True), FINDING, finding_id)
    decisions.require_open(moment, FINDING, found.state, found.confirmed_by or found.chosen_by)
    if found.revision != revision:
        raise Refusal("moved", "The figures changed since.", next_step="The message shows what they are now.")
    return found


def _require_waiting(moment: Moment, person: Person, finding_id: str, revision: int) -> Found:
    found = require_open(moment, person, finding_id, revision)
    if found.state != WAITING:
        raise Refusal("not_waiting", "Nobody has chosen what to do about this difference yet.")
    return found


def _do(moment: Moment, found: Found) -> Found:
    way = str((found.decision or {})["way"])
    if way == ACCEPT:
        done = replace(found, state=ACCEPTED, decided_at=moment.now)
    elif way == CALLS:
        done = replace(found, state=CORRECTING)
    else:
        posted = adjusting.adjust(moment, found, way, actor=str(found.chosen_by))
        told = {"entries": len(posted.entry_ids), "payers": posted.payers}
        decision = {**(found.decision or {}), **told, "tokens": posted.tokens}
        settled = found.settled + posted.usd
        done = replace(found, state=CORRECTED, decision=decision, settled=settled, decided_at=moment.now)
    store.put(moment.session, done)
    return done


def _note(moment: Moment, found: Found, person: Person, action: str, place: Place, login: str) -> None:  # noqa: PLR0917 - private
    """In the audit log, with the login where it was typed on the command line."""
    typed = {"login": login} if login else {}
    after = {"state": found.state, "revision": found.revision, "way": (found.decision or {}).get("way"), **typed}
    audit.note(moment.session, person.id, f"finding.{action}", found.id, at=moment.now, after=after, place=place)


def mend_some(moment: Moment) -> int:
    """Correct some calls of what is being corrected; how many were, 0 where nothing is left."""
    for found in store.in_state(moment.session, CORRECTING):
        held = store.get(moment.session, found.id, lock=True)
        if held is not None and held.state == CORRECTING:
            done = mending.step(moment, held)
            if (now := store.get(moment.session, found.id)) is not None and now.state == CORRECTED:
                notices.tell(moment, [now])
            return max(done, 1)
    return 0
