"""Who is told what about an appeal against the annual review: rows that name it, written when they go out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from programme import notify
from store.appeals import annual as store
from store.outbox import messages
from store.outbox.messages import NewMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from programme.moment import Moment
    from views.appeals import AnnualAppeal

CARD, FACE = "appeals/annual_card", "appeals/annual_face"
MINE, NOTE = "appeals/annual_mine", "appeals/annual_note"


def tell_of_new(moment: Moment, appeal: AnnualAppeal, able: frozenset[str]) -> None:
    """A card for the board, in its channel or for each who can decide; and the person's own."""
    view, channel = _view(appeal), moment.governance_channel
    mine = NewMessage(f"{_key(appeal)}:mine", MINE, view, appeal.person_id, None, moment.now, at_once=True)
    _owe(moment, appeal, [mine])
    if channel is None:
        tell_in_private(moment, appeal, able)
    else:
        _owe(moment, appeal, [NewMessage(f"{_key(appeal)}:board", CARD, view, None, channel, moment.now, at_once=True)])


def tell_in_private(moment: Moment, appeal: AnnualAppeal, readers: Iterable[str]) -> None:
    """A card of their own for some who can decide."""
    _in_hours(moment, appeal, [(f"{_key(appeal)}:{who}", CARD, _view(appeal), who) for who in sorted(readers)])


def remind(moment: Moment, appeal: AnnualAppeal, able: frozenset[str]) -> None:
    """A card of their own for each who can decide."""
    rows = [
        (f"{_key(appeal)}:{store.REMIND}:{who}", CARD, _view(appeal, reader=who, step=store.REMIND), who)
        for who in sorted(able)
    ]
    _in_hours(moment, appeal, rows)


def tell_of_decision(moment: Moment, appeal: AnnualAppeal) -> None:
    """New faces for every copy of the card, and a word to the person."""
    about = f"{_key(appeal)}"
    _owe(moment, appeal, notify.new_faces(moment, about, {CARD: FACE, MINE: MINE}, occasion=appeal.revision))
    _in_hours(moment, appeal, [(f"{about}:{appeal.state}", NOTE, _view(appeal), appeal.person_id)])


def _key(appeal: AnnualAppeal) -> str:
    return f"{store.KEY}{appeal.id}"


def _view(appeal: AnnualAppeal, **more: str) -> str:
    return json.dumps({"appeal_id": appeal.id, **more})


def _in_hours(moment: Moment, appeal: AnnualAppeal, rows: list[notify.PersonLetter]) -> None:
    if rows:
        _owe(moment, appeal, notify.in_hours(moment, rows, book=moment.handbook, earliest=moment.now))


def _owe(moment: Moment, appeal: AnnualAppeal, owed: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [one._replace(about=_key(appeal)) for one in owed], now=moment.now)
