"""Quarterly reviews: what each was worked out from, kept as it was; what is proposed for whom; what was decided."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from policy.appeals import SUSPENDING
from policy.period import Month, Quarter
from policy.reviews.proposal import AMENDED, HELD, Basis, Case, Inputs
from policy.units import MicroTokens
from policy.value.currencies import PAR
from store import bulk
from store.tables.appeals import appeals
from store.tables.people import people
from store.tables.reviews import review_cases, review_inputs, reviews
from views import codec
from views.reviews import ADOPTED, Review, ReviewedCase

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from store.engine import Session


_LATER = {"above", "share"}
_r, _c, _i, _a = reviews.c, review_cases.c, review_inputs.c, appeals.c


def digest(basis: Basis, inputs: Iterable[Inputs]) -> str:
    """SHA-256 of everything that a draft follows from; in any order of the people the same."""
    in_order: list[Inputs] = sorted(inputs, key=lambda one: (one.person_id, one.part))
    return _sha256(chain((f"[{_text(basis)},",), _listed(in_order), ("]",)))


def digest_before_rates(basis: Basis, inputs: Iterable[Inputs]) -> str:
    """The digest of release 0.1.0, whose claims named no rate: everything was in USD."""
    in_order: list[Inputs] = sorted(inputs, key=lambda one: (one.person_id, one.part))
    texts = (json.dumps(_without_rate(one), sort_keys=True, separators=(",", ":")) for one in in_order)
    return _sha256((f"[{_text(basis)},", "[", ",".join(texts), "]", "]"))


def _without_rate(inputs: Inputs) -> Any:  # noqa: ANN401 - plain values
    plain = _plain(inputs)
    if plain["claim"] is not None and inputs.claim is not None and inputs.claim.rate == PAR:
        del plain["claim"]["rate"]
    return plain


def digest_of_cases(proposed: Iterable[Case]) -> str:
    """SHA-256 of what was proposed, every word of its reasons with it."""
    in_order: list[Case] = sorted(proposed, key=lambda one: one.person_id)
    return _sha256(_listed(in_order))


def _sha256(texts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for text in texts:
        found.update(text.encode())
    return found.hexdigest()


def _listed(values: Iterable[object]) -> Iterator[str]:
    """A JSON list piece by piece: as a whole it would be larger than everything that it is made from."""
    yield "["
    for number, value in enumerate(values):
        yield f",{_text(value)}" if number else _text(value)
    yield "]"


def _text(value: object) -> str:
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def dumped(value: object) -> str:
    """What is kept, as the text that the driver takes."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: object) -> Any:  # noqa: ANN401 - plain values of any shape
    """What was drafted before has none of what came later, and the digest of then."""
    plain = codec.plain(value)
    if isinstance(value, Basis):
        return {name: one for name, one in plain.items() if name not in _LATER or one is not None}
    _drop_later(plain.get("claim", plain) if isinstance(plain, dict) else None)
    return plain


def _drop_later(claim: dict[str, Any] | None) -> None:
    """A claim of before says nothing of the annual review, and so does one for which there is none."""
    if claim is not None and claim.get("annual", claim) is None:
        del claim["annual"]


# --- Keeping a draft -----------------------------------------------------------------------------------------------


def insert(session: Session, review: Review, inputs: Sequence[Inputs], cases: Sequence[Case]) -> None:
    """Keep a draft with everything that it follows from."""
    session.execute(
        sa.insert(reviews).values(
            quarter=str(review.quarter),
            drafted_at=review.drafted_at,
            drafted_by=review.drafted_by,
            handbook_version=review.basis.handbook,
            value_version=review.basis.value_version,
            value_proposal=review.value_proposal,
            month=review.basis.month,
            inputs=_plain(review.basis),
            inputs_digest=review.inputs_digest,
            summary=dict(review.summary),
        )
    )
    quarter = str(review.quarter)
    bulk.insert(session, review_inputs, ("quarter", *_INPUTS), [(quarter, *_input_row(one)) for one in inputs])
    bulk.insert(session, review_cases, ("quarter", *_CASE), [(quarter, *_case_row(case)) for case in cases])


_INPUTS = tuple(Inputs.__dataclass_fields__)
_INPUTS_JSON = {"output", "debits", "utilisation", "deltas", "claim"}
_CASE = tuple(Case.__dataclass_fields__)
_CASE_JSON = {"reasons", "would_change"}
_DECIMALS = {"theta", "lcb", "factor_before", "factor_after", "factor"}


def _input_row(one: Inputs) -> tuple[Any, ...]:
    return tuple(_driven(name, getattr(one, name), _INPUTS_JSON) for name in _INPUTS)


def _case_row(case: Case) -> tuple[Any, ...]:
    return tuple(_driven(name, getattr(case, name), _CASE_JSON) for name in _CASE)


def _driven(name: str, value: Any, as_json: set[str]) -> Any:  # noqa: ANN401 - as the driver takes it
    if name in as_json:
        return None if value is None else dumped(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return int(value) if isinstance(value, MicroTokens) else value


# --- Reading -------------------------------------------------------------------------------------------------------


def get(session: Session, quarter: Quarter) -> Review | None:
    row = session.execute(sa.select(reviews).where(_r.quarter == str(quarter))).one_or_none()
    return _review(row) if row else None


def lock(session: Session, quarter: Quarter) -> Review | None:
    """A review, held until the transaction ends, so that votes on it follow one another."""
    row = session.execute(sa.select(reviews).where(_r.quarter == str(quarter)).with_for_update()).one_or_none()
    return _review(row) if row else None


def latest(session: Session) -> Review | None:
    row = session.execute(sa.select(reviews).order_by(_r.quarter.desc()).limit(1)).one_or_none()
    return _review(row) if row else None


def last_adopted(session: Session, *, before: Quarter | None = None) -> Review | None:
    """The review of the latest quarter, or of the latest before one, that was adopted."""
    query = sa.select(reviews).where(_r.state == ADOPTED).order_by(_r.quarter.desc()).limit(1)
    row = session.execute(query if before is None else query.where(_r.quarter < str(before))).one_or_none()
    return _review(row) if row else None


def all_of(session: Session) -> list[Review]:
    """Every review, oldest first."""
    return [_review(row) for row in session.execute(sa.select(reviews).order_by(_r.quarter))]


def _review(row: Any) -> Review:  # noqa: ANN401 - a row
    return Review(
        Quarter.parse(row.quarter),
        row.state,
        row.revision,
        row.drafted_at,
        row.drafted_by,
        row.value_proposal,
        codec.read(Basis, row.inputs),
        row.inputs_digest,
        row.summary,
        row.vote_until,
        row.decided_at,
        row.decided_by,
        Month.parse(row.holds_from) if row.holds_from else None,
    )


def inputs(session: Session, quarter: Quarter, person_id: str | None = None) -> list[Inputs]:
    """What a draft was worked out from, by person; of one alone, where they are named."""
    query = sa.select(*(_i[name] for name in _INPUTS)).where(_i.quarter == str(quarter))
    if person_id is not None:
        query = query.where(_i.person_id == person_id)
    rows = session.execute(query.order_by(_i.person_id, _i.part)).mappings()
    return [codec.read(Inputs, {name: row[name] for name in _INPUTS}) for row in rows]


_case_query = sa.select(*(_c[name] for name in _CASE), *(_c[name] for name in ReviewedCase._fields[1:]))


def cases(session: Session, quarter: Quarter) -> list[ReviewedCase]:
    """Everyone's case by person id."""
    query = _case_query.where(_c.quarter == str(quarter)).order_by(_c.person_id)
    return [_kept(row) for row in session.execute(query).mappings()]


def case(session: Session, quarter: Quarter, person_id: str) -> ReviewedCase | None:
    return cases_of(session, [(quarter, person_id)]).get((quarter, person_id))


def cases_of(session: Session, keys: Iterable[tuple[Quarter, str]]) -> dict[tuple[Quarter, str], ReviewedCase]:
    """Some people's cases, by quarter and person; of those that there are."""
    found = {}
    quarter = _c.quarter.label("quarter_")
    for some in bulk.chunks(sorted((str(of), person_id) for of, person_id in set(keys))):
        query = _case_query.add_columns(quarter).where(sa.tuple_(_c.quarter, _c.person_id).in_(some))
        for row in session.execute(query).mappings():
            found[Quarter.parse(row["quarter_"]), row["person_id"]] = _kept(row)
    return found


def months_from(session: Session, quarters: Iterable[Quarter]) -> dict[Quarter, Month]:
    """The month from which each of some reviews holds, of those that were adopted."""
    query = sa.select(_r.quarter, _r.holds_from).where(_r.quarter.in_(sorted(map(str, quarters))))
    rows = session.execute(query.where(_r.holds_from.is_not(None)))
    return {Quarter.parse(quarter): Month.parse(month) for quarter, month in rows}


def _kept(row: Mapping[Any, Any]) -> ReviewedCase:
    case_ = codec.read(Case, {name: row[name] for name in _CASE})
    rest = {name: row[name] for name in ReviewedCase._fields[1:]}
    amended = rest["amended_factor"]
    return ReviewedCase(case_, **rest | {"amended_factor": None if amended is None else Decimal(amended)})


def ordered(
    session: Session,
    quarter: Quarter,
    *,
    last: Sequence[str],
    last_teams: Sequence[str],
    offset: int,
    limit: int | None,
    among: Collection[str] | None = None,
) -> list[ReviewedCase]:
    """Some cases of all: those that change first, the greatest changes before the others; those of some people last.

    Without a limit it is all from the offset on; `among` is whom it is narrowed to, if it is. `last` are such people,
    `last_teams` managers of whose teams it is true too. The order is by what was proposed, so that what is held stays
    where it was.
    """
    is_last = sa.or_(_c.person_id.in_(last), _c.team.in_(last_teams))
    is_changed = sa.or_(_c.delta_thousandths != 0, _c.decision.in_([HELD, AMENDED]))
    order = (
        sa.case((is_last, 1), else_=0),
        sa.case((is_changed, 0), else_=1),
        sa.func.abs(_c.delta_thousandths).desc(),
        _c.person_id,
    )
    # The ids before the rest: a sort that carries everyone's reasons would be many times as large.
    ids = sa.select(_c.person_id).where(_c.quarter == str(quarter)).order_by(*order)
    if among is None:
        wanted = list(session.execute(ids.offset(offset).limit(limit)).scalars())
    else:
        found = [person_id for person_id in session.execute(ids).scalars() if person_id in among]
        wanted = found[offset : None if limit is None else offset + limit]
    query = _case_query.where(_c.quarter == str(quarter))
    if limit is not None:
        query = query.where(_c.person_id.in_(wanted))
    kept = {row["person_id"]: _kept(row) for row in session.execute(query).mappings()}
    return [kept[person_id] for person_id in wanted]


class History(NamedTuple):
    """What earlier reviews say: each person's last state, and what was adopted for them in each quarter."""

    states: Mapping[str, str]
    deltas: Mapping[str, Mapping[str, int]]


def history(session: Session, before: Quarter, *, since: Quarter) -> History:
    """Of the reviews before a quarter: the last state of each person, and the changes adopted since another.

    A cut that an appeal suspends, or undid, is no change, as in `factors_on`.
    """
    query = sa.select(_c.person_id, _c.state_after).where(_c.quarter < str(before)).order_by(_c.quarter)
    states = {person_id: state for person_id, state in session.execute(query)}
    decided = (
        sa.select(_c.quarter, _c.person_id, delta_now().label("delta"))
        .join(reviews, _r.quarter == _c.quarter)
        .outerjoin(appeals, sa.and_(_a.quarter == _c.quarter, _a.person_id == _c.person_id))
        .where(_r.state == ADOPTED, _c.quarter < str(before), _c.quarter >= str(since))
        .where(sa.or_(_a.state.is_(None), _a.state.not_in(SUSPENDING)))
    )
    deltas: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for quarter, person_id, delta in session.execute(decided):
        deltas[person_id][quarter] = delta
    return History(states, deltas)


def delta_now() -> sa.ColumnElement[int]:
    """`Kept.delta_thousandths` in SQL."""
    held, amended = (_c.decision == HELD, sa.literal(0)), (_c.decision == AMENDED, _c.amended_thousandths)
    return sa.case(held, amended, else_=_c.delta_thousandths)


def _factor() -> sa.ColumnElement[str]:
    """`Kept.factor` in SQL."""
    held, amended = (_c.decision == HELD, _c.factor_before), (_c.decision == AMENDED, _c.amended_factor)
    return sa.case(held, amended, else_=_c.factor_after)


def factors(session: Session, quarter: Quarter) -> dict[str, Decimal]:
    """What each case of a review makes of its person's grant, as it stands."""
    query = sa.select(_c.person_id, _factor()).where(_c.quarter == str(quarter))
    return {person_id: Decimal(factor) for person_id, factor in session.execute(query)}


def factors_on(session: Session, month: Month) -> dict[str, Decimal]:
    """What adopted reviews that hold in a month make of each person's grant: the last of each person counts.

    A case whose cut an appeal suspends, or undid, is as if it were not there.
    """
    query = (
        sa.select(_c.person_id, _factor())
        .join(reviews, _r.quarter == _c.quarter)
        .outerjoin(appeals, sa.and_(_a.quarter == _c.quarter, _a.person_id == _c.person_id))
        .where(_r.state == ADOPTED, _r.holds_from <= str(month))
        .where(sa.or_(_a.state.is_(None), _a.cut_from <= str(month)))
        .order_by(_c.quarter)
    )
    last = {person_id: factor for person_id, factor in session.execute(query)}
    return {person_id: Decimal(factor) for person_id, factor in last.items()}


def _differs() -> sa.ColumnElement[bool]:
    """Whether a case makes a difference: factors are kept as text, and `1` is `1.0000`."""
    return sa.cast(_factor(), sa.Numeric) != sa.cast(_c.factor_before, sa.Numeric)


def _cuts() -> sa.ColumnElement[bool]:
    return sa.cast(_factor(), sa.Numeric) < sa.cast(_c.factor_before, sa.Numeric)


def count_cut(session: Session, quarter: Quarter) -> int:
    """How many grants a review cuts, as its cases stand."""
    query = sa.select(sa.func.count()).select_from(review_cases).where(_c.quarter == str(quarter), _cuts())
    return session.execute(query).scalar_one()


def affected(session: Session, quarter: Quarter, day: date) -> list[str]:
    """The ids of those to whose grants a review makes a difference, as its cases stand, without leavers by a day."""
    query = _with_case(people.c.id, quarter, day).where(_differs()).order_by(people.c.id)
    return list(session.execute(query).scalars())


def zones_of_affected(session: Session, quarter: Quarter, day: date, *, cut: bool = False) -> set[str]:
    """The time zones of those to whose grants it makes a difference, or only of those whom it cuts."""
    query = _with_case(people.c.time_zone, quarter, day).where(_cuts() if cut else _differs())
    return set(session.execute(query.distinct()).scalars())


def _with_case(column: sa.ColumnElement[str], quarter: Quarter, day: date) -> sa.Select[str]:
    is_there = sa.or_(people.c.left_on.is_(None), people.c.left_on >= day)
    query = sa.select(column).join(review_cases, _c.person_id == people.c.id)
    return query.where(_c.quarter == str(quarter), is_there)


# --- Deciding ------------------------------------------------------------------------------------------------------


def change(session: Session, review: Review, **values: object) -> Review | None:
    """Move a review from the revision that was read to the next; None when someone else moved it meanwhile."""
    as_read = {"quarter": str(review.quarter), "revision": review.revision, "state": review.state}
    is_first = bulk.change(session, reviews, as_read, {"revision": review.revision + 1, **values})
    return get(session, review.quarter) if is_first else None


def decide(session: Session, quarter: Quarter, person_id: str, **values: object) -> bool:
    """Say what becomes of a case; whether there is one."""
    decided = sa.update(review_cases).where(_c.quarter == str(quarter), _c.person_id == person_id)
    return session.execute(decided.values(**values)).rowcount == 1
