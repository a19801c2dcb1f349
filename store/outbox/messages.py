"""Messages owed to Slack: written with what they tell of, leased by couriers, and never deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store import bulk
from store.tables.outbox import outbox
from store.tables.people import people

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from store.engine import Session

WAITING, LEASED, SENT, PARKED = "waiting", "leased", "sent", "parked"


class NewMessage(NamedTuple):
    """A message to a person or to a channel; `view` is what it says, as JSON text.

    `replaces` is the key of an earlier message that this one is the new face of; `thread` that of one in whose thread
    it goes; `about` is the request that it is about. What goes out `at_once` does not wait for working hours.
    """

    key: str
    template: str
    view: str
    person_id: str | None
    channel: str | None
    due_at: datetime
    at_once: bool = False
    replaces: str | None = None
    thread: str | None = None
    about: str | None = None


class Place(NamedTuple):
    """Where a message arrived; `problem` is what it lacks, if anything. Of a file Slack does not say its `ts`."""

    channel: str
    ts: str | None
    problem: str | None = None


class Anchor(NamedTuple):
    """The message that another one replaces, or goes into the thread of: its place once it was sent."""

    state: str
    channel: str | None
    ts: str | None
    uncertain: bool


class OwedMessage(NamedTuple):
    """A leased message; `uncertain` ones may have been sent before, by a courier that died or got no clear answer."""

    id: int
    key: str
    template: str
    view: Mapping[str, Any]
    person_id: str | None
    channel: str | None
    created_at: datetime
    due_at: datetime
    uncertain: bool
    attempts: int
    file_id: str | None
    slack_user_id: str | None
    email: str | None
    time_zone: str | None
    at_once: bool = False
    replaces: str | None = None
    thread: str | None = None


class Pending(NamedTuple):
    """A message that is not delivered, for administrators: what and why, never what it says."""

    key: str
    state: str
    problem: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    uncertain: bool


_o = outbox.c
OPEN = sa.text("outbox.state IN ('waiting', 'leased')")
"""In the words of the index: SQLite would otherwise go through every message that was ever sent."""
WITHOUT_PICTURE = "without_picture"
"""The problem of a message that arrived without its picture."""
_bare = sa.text(f"outbox.problem = '{WITHOUT_PICTURE}'")
"""In the words of the index as well."""
_parked = sa.text("outbox.state = 'parked'")
_mine = (_o.id == sa.bindparam("row"), _o.state == LEASED, _o.leased_by == sa.bindparam("courier"))


def owe(session: Session, letters: Sequence[NewMessage], *, now: datetime) -> None:
    """Add messages; one whose key is there already is a mistake of the caller (IntegrityError)."""
    if not letters:
        return
    instant = bulk.instant_codec(session)
    created_at = instant(now)
    rows = [(*letter._replace(due_at=instant(letter.due_at)), created_at, WAITING) for letter in letters]
    bulk.insert(session, outbox, (*NewMessage._fields, "created_at", "state"), rows)


def is_owed(session: Session, key: str) -> bool:
    """Whether there is a message of a key, in whatever state."""
    return session.execute(sa.select(_o.id).where(_o.key == key)).one_or_none() is not None


def keys_with(session: Session, prefix: str) -> set[str]:
    """The keys of messages that begin so, in whatever state; the prefix ends with a colon."""
    after = f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}"
    return set(session.execute(sa.select(_o.key).where(_o.key >= prefix, _o.key < after)).scalars())


def lease(session: Session, *, courier: str, now: datetime, until: datetime, limit: int) -> list[OwedMessage]:
    """Take up to `limit` messages that are due, those that go out at once before the others, the longest due first.

    No one else gets them before `until`. Those whose lease ran out come back as uncertain.
    """
    # What is leased was due when it was taken.
    free = sa.and_(OPEN, _o.due_at <= now, sa.or_(_o.state == WAITING, _o.leased_until <= now))
    ids: list[int] = []
    for urgent in (sa.true(), sa.false()):
        chosen = sa.select(_o.id).where(_o.at_once == urgent, free).order_by(_o.due_at, _o.id)
        if len(ids) < limit:
            locked = chosen.limit(limit - len(ids)).with_for_update(skip_locked=True)
            ids += session.execute(locked).scalars()
    if not ids:
        return []
    taken = sa.update(outbox).where(_o.id.in_(ids), free)
    session.execute(
        taken.values(
            uncertain=sa.or_(_o.uncertain, _o.state == LEASED), state=LEASED, leased_by=courier, leased_until=until
        )
    )
    query = (
        sa.select(
            _o.id,
            _o.key,
            _o.template,
            _o.view,
            _o.person_id,
            _o.channel,
            _o.created_at,
            _o.due_at,
            _o.uncertain,
            _o.attempts,
            _o.file_id,
            people.c.slack_user_id,
            people.c.email,
            people.c.time_zone,
            _o.at_once,
            _o.replaces,
            _o.thread,
        )
        .outerjoin_from(outbox, people, people.c.id == _o.person_id)
        .where(_o.id.in_(ids), _o.leased_by == courier)
        .order_by(_o.at_once.desc(), _o.due_at, _o.id)
    )
    return [OwedMessage._make(row) for row in session.execute(query)]


def is_superseded(session: Session, row: OwedMessage) -> bool:
    """Whether a later face of the same message is owed: then this one need not be shown."""
    query = sa.select(_o.id).where(_o.replaces == row.replaces, _o.id > row.id).limit(1)
    return row.replaces is not None and session.execute(query).one_or_none() is not None


def is_held(session: Session, row: int, *, courier: str, until: datetime) -> bool:
    """Whether a courier has a message until then."""
    query = sa.select(_o.id).where(_o.id == row, _o.state == LEASED, _o.leased_by == courier, _o.leased_until >= until)
    return session.execute(query).one_or_none() is not None


def is_overtaking(session: Session, row: OwedMessage) -> bool:
    """Whether an earlier face of the same message is in someone's hands, or in doubt: what it shows would come last.

    In someone's hands it is also when its lease is over: the clock may have been set since.
    """
    under_way = sa.or_(_o.state == LEASED, sa.and_(_o.state == WAITING, _o.uncertain))
    query = sa.select(_o.id).where(_o.replaces == row.replaces, _o.id < row.id, under_way).limit(1)
    return row.replaces is not None and session.execute(query).one_or_none() is not None


def hasten_doubts(session: Session, row: OwedMessage, now: datetime) -> None:
    """Let what `row` waits for be settled now: earlier faces in doubt, which need not be shown any more."""
    earlier = (_o.replaces == row.replaces, _o.id < row.id, _o.state == WAITING, _o.uncertain, _o.due_at > now)
    session.execute(sa.update(outbox).where(*earlier).values(due_at=now))


def place_of(session: Session, key: str) -> Anchor | None:
    """Where a message is, if there is such a message."""
    row = session.execute(
        sa.select(_o.state, _o.slack_channel, _o.slack_ts, _o.uncertain).where(_o.key == key)
    ).one_or_none()
    return Anchor(*row) if row else None


class Arrival(NamedTuple):
    """How far a message that stands for itself came."""

    key: str
    person_id: str | None
    channel: str | None
    state: str
    arrived: bool

    @property
    def is_parked(self) -> bool:
        return self.state == PARKED

    @property
    def is_under_way(self) -> bool:
        return self.state in {WAITING, LEASED}


def arrivals(session: Session, about: str, template: str) -> list[Arrival]:
    """How far the messages of a kind about something came; what was left out because it was over did not arrive."""
    query = sa.select(_o.key, _o.person_id, _o.channel, _o.state, _o.slack_ts.is_not(None))
    alone = (_o.replaces.is_(None), _o.thread.is_(None), _o.template == template)
    rows = session.execute(query.where(_o.about == about, _o.about.is_not(None), *alone).order_by(_o.id))
    return [Arrival(*row) for row in rows]


def count_about(session: Session, about: str) -> int:
    query = sa.select(sa.func.count()).where(_o.about == about, _o.about.is_not(None))
    return session.execute(query).scalar_one()


class Copy(NamedTuple):
    """A message that stands for itself: no new face of another, and in no thread."""

    key: str
    template: str
    view: Mapping[str, Any]
    person_id: str | None
    channel: str | None


def standing(about: sa.ColumnElement[str]) -> sa.Select[Any]:
    """The messages about something that stand for themselves, for `copies_of`: a part of a statement."""
    query = sa.select(_o.id, _o.key, _o.template, _o.view, _o.person_id, _o.channel)
    # Said although it follows: the index holds only such rows.
    return query.where(_o.about == about, _o.about.is_not(None), _o.replaces.is_(None), _o.thread.is_(None))


def copies_of(rows: Iterable[Sequence[Any]]) -> list[Copy]:
    """Messages in the order of time; the drivers differ in who reads JSON."""
    return [
        Copy(key, template, json.loads(view) if isinstance(view, str) else view, person_id, channel)
        for _, key, template, view, person_id, channel in sorted(rows, key=lambda row: row[0])
    ]


_standing = bulk.Prepared(standing(sa.bindparam("about")))


def copies(session: Session, about: str, templates: Sequence[str]) -> list[Copy]:
    """The messages of some kinds about a request that stand for themselves, in the order of time."""
    found = copies_of(_standing.execute(session, {"about": about}))
    return [copy for copy in found if copy.template in templates]


def sent(session: Session, row: int, place: Place, *, courier: str, now: datetime) -> bool:
    """Note that a leased message arrived; False when the lease was lost meanwhile to someone who settles it."""
    where: dict[str, object] = {"slack_channel": place.channel, "slack_ts": place.ts}
    return _change(session, row, courier, state=SENT, sent_at=now, problem=place.problem, **where)


def overtaken(session: Session, row: int, *, courier: str, now: datetime) -> bool:
    """Note that a leased message need not go out any more: what it would have said is said, or no longer so."""
    return _change(session, row, courier, state=SENT, sent_at=now, problem="overtaken")


def postpone(
    session: Session, row: int, *, courier: str, due_at: datetime, problem: str | None, attempts: int, uncertain: bool
) -> bool:
    """Give a message back, to be tried again at `due_at`."""
    return _change(
        session, row, courier, state=WAITING, due_at=due_at, problem=problem, attempts=attempts, uncertain=uncertain
    )


def park(session: Session, row: int, *, courier: str, problem: str, attempts: int, uncertain: bool) -> bool:
    """Set a message aside until someone settles its problem."""
    return _change(session, row, courier, state=PARKED, problem=problem, attempts=attempts, uncertain=uncertain)


def note_file(session: Session, row: int, *, courier: str, file_id: str | None) -> bool:
    """Remember a message's uploaded picture, so that it is uploaded once; or that it has to be uploaded anew."""
    changed = sa.update(outbox).where(*_mine).values(file_id=file_id)
    return session.execute(changed, {"row": row, "courier": courier}).rowcount == 1


def _change(session: Session, row: int, courier: str, **values: object) -> bool:
    values |= {"leased_by": None, "leased_until": None}
    changed = sa.update(outbox).where(*_mine).values(**values)
    return session.execute(changed, {"row": row, "courier": courier}).rowcount == 1


def retry(session: Session, *, now: datetime, key: str | None = None, problem: str | None = None) -> int:
    """Let parked messages be tried again at once: one, those with a problem, or all of them; how many.

    Their pictures and files are uploaded anew. Those that may have arrived are still looked for first, by those.
    """
    again = sa.update(outbox).where(_o.state == PARKED)
    for column, wanted in ((_o.key, key), (_o.problem, problem)):
        if wanted is not None:
            again = again.where(column == wanted)
    file_id = sa.case((_o.uncertain, _o.file_id), else_=None)
    return session.execute(again.values(state=WAITING, due_at=now, attempts=0, file_id=file_id)).rowcount


def pending(session: Session, *, limit: int, problem: str | None = None) -> list[Pending]:
    """What is not delivered: parked messages first, then those that wait, the longest due first."""
    query = sa.select(_o.key, _o.state, _o.problem, _o.attempts, _o.created_at, _o.due_at, _o.uncertain)
    if problem is not None:
        query = query.where(_o.problem == problem)
    query = query.where(_o.state != SENT).order_by(_o.state != PARKED, _o.due_at, _o.id).limit(limit)
    return [Pending(*row) for row in session.execute(query)]


def parked_by_problem(session: Session) -> dict[str, int]:
    query = sa.select(_o.problem, sa.func.count()).where(_parked).group_by(_o.problem)
    return {problem: count for problem, count in session.execute(query)}


def overdue(session: Session, before: datetime) -> dict[str, int]:
    """How many messages should have gone out before an instant, by what Slack said last ("" where no one tried)."""
    query = sa.select(sa.func.coalesce(_o.problem, ""), sa.func.count())
    query = query.where(_o.state.in_((WAITING, LEASED)), _o.due_at < before).group_by(_o.problem)
    return {problem: count for problem, count in session.execute(query)}


def count_bare(session: Session, *, since: datetime) -> int:
    """How many messages arrived without their picture since an instant."""
    query = sa.select(sa.func.count()).where(_bare, _o.sent_at >= since)
    return session.execute(query).scalar_one()


def count_due(session: Session, now: datetime) -> int:
    query = sa.select(sa.func.count()).where(_o.state.in_((WAITING, LEASED)), _o.due_at <= now)
    return session.execute(query).scalar_one()
