"""Who is told what about a gate: rows of the outbox that name it; what they say is written when they go out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.exceptions import MEMBER
from policy.hours import next_opening
from programme import notify
from programme.people import board, small_board
from store.outbox import messages
from store.outbox.messages import NewMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from policy.exceptions import Seat
    from programme.moment import Moment
    from views.gates import Gate

CARD, FACE, NOTE, UNASKED = "gates/card", "gates/face", "gates/note", "gates/unasked"
WAITS = "waits"
BOARD_KEY = "board"


def about(gate_id: str) -> str:
    """By which a gate's messages are found again."""
    return f"gate:{gate_id}"


def tell_unasked(moment: Moment, gate_id: str) -> None:
    """The board is too small to be asked."""
    small_board.tell_once(moment, about(gate_id), UNASKED, {"gate": gate_id})


def tell_of_card(moment: Moment, gate: Gate) -> None:
    """The card for the board's channel, and a copy for each who is called and need not be there."""
    called = gate.panel.voting(gate.panel.stage)
    owed: list[NewMessage] = []
    if (channel := moment.governance_channel) is not None:
        due_at = next_opening(moment.now, moment.zone, moment.handbook.messages)
        owed.append(NewMessage(_key(gate, BOARD_KEY), CARD, _view(gate), None, channel, due_at))
        away = board.delegates(moment)
        called = tuple(seat for seat in called if seat.kind != MEMBER or seat.person_id in away)
    _owe(moment, gate, [*owed, *_copies(moment, gate, called)])


def tell_in_private(moment: Moment, gate: Gate) -> None:
    """A copy for each who is called and has none: the board's channel does not get the card."""
    _owe(moment, gate, _copies(moment, gate, gate.panel.voting(gate.panel.stage)))


def _copies(moment: Moment, gate: Gate, called: Iterable[Seat]) -> list[NewMessage]:
    """For each of some seats, or for whoever stands in there, in their working hours."""
    stand_ins = board.delegates(moment)
    have = {copy.person_id for copy in messages.copies(moment.session, about(gate.id), (CARD,))}
    readers = dict.fromkeys(stand_ins.get(seat.person_id, seat.person_id) for seat in called)
    letters = [(_key(gate, who), CARD, _view(gate), who) for who in readers if who not in have]
    return notify.in_hours(moment, letters, book=moment.handbook, earliest=moment.now) if letters else []


def tell_of_change(moment: Moment, gate: Gate) -> None:
    """A new face for every copy of the card."""
    _owe(moment, gate, notify.new_faces(moment, about(gate.id), {CARD: FACE}, occasion=gate.revision))


def tell_of_outcome(moment: Moment, gate: Gate, occasion: str) -> None:
    """A word in the thread of every copy: new faces notify no one."""
    _owe(
        moment,
        gate,
        [
            NewMessage(
                f"{copy.key}:{occasion}:{gate.revision}",
                NOTE,
                _view(gate, occasion),
                copy.person_id,
                copy.channel,
                moment.now,
                thread=copy.key,
            )
            for copy in messages.copies(moment.session, about(gate.id), (CARD,))
        ],
    )


def _owe(moment: Moment, gate: Gate, letters: Iterable[NewMessage]) -> None:
    messages.owe(moment.session, [one._replace(about=about(gate.id)) for one in letters], now=moment.now)


def _key(gate: Gate, reader: str) -> str:
    return f"gate:{gate.id}:{reader}"


def _view(gate: Gate, occasion: str = "") -> str:
    return json.dumps({"gate": gate.id, "occasion": occasion})
