"""What people wrote: purposes, questions, answers and reasons, each replaced by a mark once it may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from policy.kinds import EntryKind
from store.privacy.parts import ERASED, Part, Scope, keyed
from store.tables.annual import annual_appeals
from store.tables.appeals import appeals
from store.tables.exceptions import request_drafts, request_questions, request_votes, requests
from store.tables.gates import gate_votes, gates
from store.tables.handbook import handbook_proposals
from store.tables.ledger import entries, lot_movements, lots
from store.tables.reviews import review_cases, review_panels, review_votes, reviews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session

_r, _q = requests.c, request_questions.c
ENDED = "Ended: "
"""How the line of a lot that has ended begins; what the lot was for follows."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The texts of a table, each with the column that says who wrote it, and when what they are about was over."""

    table: sa.Table
    writers: Mapping[str, sa.ColumnElement[Any]]
    over: Callable[[datetime], sa.ColumnElement[bool]]

    def part(self, also: Callable[[Session, Sequence[sa.Row[Any]]], None] | None = None) -> Part:
        def change(session: Session, scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
            if also is not None:
                also(session, rows)
            changed = sa.update(self.table).where(keyed(self.table, rows))
            session.execute(changed.values({name: self._replaced(name, scope) for name in self.writers}))

        return Part(name=self.table.name, found=self._found, change=change)

    def _found(self, _session: Session, scope: Scope) -> sa.Select[Any]:
        return sa.select(*self.table.primary_key).where(sa.or_(*(self._goes(name, scope) for name in self.writers)))

    def _goes(self, name: str, scope: Scope) -> sa.ColumnElement[bool]:
        """Whether a text is there, and in the scope."""
        text = self.table.c[name]
        return sa.and_(text.is_not(None), text != ERASED, scope.of(self.writers[name], self.over))

    def _replaced(self, name: str, scope: Scope) -> sa.ColumnElement[Any]:
        text = self.table.c[name]
        # What a row is about is over for all of its texts alike.
        goes = scope.of(self.writers[name], lambda _before: sa.true())
        return sa.case((sa.and_(text.is_not(None), goes), ERASED), else_=text)


# --- When something is over ------------------------------------------------------------------------------------------


def _request_over(before: datetime) -> sa.ColumnElement[bool]:
    """It was decided, nothing is left to be done about it, and what was granted for it has ended."""
    lives = sa.exists().where(lots.c.entry_id == _r.entry_id, lots.c.expires_at >= before)
    is_to_net = sa.and_(_r.state == "not_ratified", _r.netted.is_(None))
    decided = sa.and_(_r.state.not_in(("open", "credited")), _r.decided_at < before)
    return sa.and_(decided, _r.next_at.is_(None), ~is_to_net, ~lives)


def _of_request(request_id: sa.ColumnElement[Any]) -> Callable[[datetime], sa.ColumnElement[bool]]:
    return lambda before: request_id.in_(sa.select(_r.id).where(_request_over(before)))


def _of_review(quarter: sa.ColumnElement[Any]) -> Callable[[datetime], sa.ColumnElement[bool]]:
    """It was decided, the calendar has nothing left to do about it, and no appeal against it waits."""
    c = reviews.c
    steps = sa.exists().where(review_panels.c.quarter == c.quarter, review_panels.c.next_at.is_not(None))
    waits = sa.exists().where(appeals.c.quarter == c.quarter, appeals.c.state == "open")
    return lambda before: quarter.in_(
        sa.select(c.quarter).where(c.state != "draft", c.decided_at < before, ~steps, ~waits)
    )


def _decided(table: sa.Table) -> Callable[[datetime], sa.ColumnElement[bool]]:
    return lambda before: sa.and_(table.c.state != "open", table.c.decided_at < before)


def _of_gate(before: datetime) -> sa.ColumnElement[bool]:
    return gate_votes.c.gate.in_(sa.select(gates.c.id).where(_decided(gates)(before)))


# --- What a request was for stands in more places --------------------------------------------------------------------


def _forget_copies(session: Session, rows: Sequence[sa.Row[Any]]) -> None:
    """A purpose is also the reason of what was granted for it, and of what became of that."""
    credited = sa.select(_r.entry_id).where(keyed(requests, rows), _r.entry_id.is_not(None))
    entry_ids = list(session.execute(credited).scalars())
    for lot_id, reason in _lots_of(session, entry_ids):
        _forget_end(session, lot_id, reason)
        session.execute(sa.update(lots).where(lots.c.id == lot_id).values(reason=ERASED))
    session.execute(sa.update(entries).where(entries.c.id.in_(entry_ids)).values(memo=ERASED))


def _lots_of(session: Session, entry_ids: Iterable[int]) -> list[tuple[int, str]]:
    """Id and reason of the lots of some entries, also of those as which they were opened again in another wallet."""
    found: dict[int, str] = {}
    fresh = list(entry_ids)
    while fresh:
        query = sa.select(lots.c.id, lots.c.reason).where(lots.c.entry_id.in_(fresh))
        new = {lot_id: reason for lot_id, reason in session.execute(query) if lot_id not in found}
        found |= new
        moved = sa.select(lot_movements.c.entry_id).join(entries, entries.c.id == lot_movements.c.entry_id)
        again = moved.where(lot_movements.c.lot_id.in_(list(new)), entries.c.kind == EntryKind.MERGE)
        fresh = list(session.execute(again).scalars())
    return list(found.items())


def _forget_end(session: Session, lot_id: int, reason: str) -> None:
    """The line with which a lot ended repeats what it was for, beside those of others that ended with it."""
    ending = sa.select(lot_movements.c.entry_id).where(lot_movements.c.lot_id == lot_id)
    ended = (entries.c.kind == EntryKind.EXPIRY, entries.c.memo.startswith(ENDED, autoescape=True))
    for entry_id, memo in session.execute(
        sa.select(entries.c.id, entries.c.memo).where(entries.c.id.in_(ending), *ended)
    ):
        rest = memo.removeprefix(ENDED).replace(reason, ERASED)
        session.execute(sa.update(entries).where(entries.c.id == entry_id).values(memo=f"{ENDED}{rest}"))


_requester = sa.select(_r.person_id).where(_r.id == _q.request_id).scalar_subquery()
PARTS = (
    _Written(requests, dict.fromkeys(("purpose", "outcome_note", "incident"), _r.person_id), _request_over).part(
        _forget_copies
    ),
    _Written(request_questions, {"question": _q.asked_by, "answer": _requester}, _of_request(_q.request_id)).part(),
    _Written(request_votes, {"reason": request_votes.c.cast_by}, _of_request(request_votes.c.request_id)).part(),
    _Written(review_votes, {"reason": review_votes.c.cast_by}, _of_review(review_votes.c.quarter)).part(),
    _Written(review_cases, {"decision_reason": review_cases.c.decided_by}, _of_review(review_cases.c.quarter)).part(),
    _Written(
        appeals, {"reason": appeals.c.person_id, "decision_reason": appeals.c.decided_by}, _decided(appeals)
    ).part(),
    _Written(
        annual_appeals,
        {"reason": annual_appeals.c.person_id, "decision_reason": annual_appeals.c.decided_by},
        _decided(annual_appeals),
    ).part(),
    _Written(gate_votes, {"reason": gate_votes.c.cast_by}, _of_gate).part(),
    _Written(handbook_proposals, {"reason": handbook_proposals.c.decided_by}, _decided(handbook_proposals)).part(),
)
"""Everything that people write about decisions."""


def _drafts(_session: Session, scope: Scope) -> sa.Select[Any]:
    d = request_drafts.c
    return sa.select(d.person_id).where(scope.of(d.person_id, lambda before: d.saved_at < before))


def _forget_drafts(session: Session, _scope: Scope, rows: Sequence[sa.Row[Any]]) -> None:
    session.execute(sa.delete(request_drafts).where(keyed(request_drafts, rows)))


DRAFTS = Part(name="request_drafts", found=_drafts, change=_forget_drafts)
"""What somebody typed and never submitted."""
