"""What somebody is told who stands in for a member of the board, or no longer does; None where that is not so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from programme import delegating
from programme.people import board
from store.people import board as board_store
from store.people import directory as people_store
from templates import render
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


@dataclass(frozen=True, slots=True)
class AboutDelegation:
    """Who handed their vote over, and to whom."""

    member: str
    delegate: str


def compose_stands_in(app: App, view: object) -> Message | None:
    """Whose vote it is, until when, and what waits for it now."""
    named = codec.read(AboutDelegation, view)
    with app.reading() as moment:
        if board.delegates(moment).get(named.member) != named.delegate:
            return None
        last_day = board_store.delegations_on(moment.session, moment.today)[named.member].last_day
        requests = len(delegating.awaited_requests(moment, named.delegate))
        quarter = delegating.awaited_review(moment, named.delegate)
        name = people_store.names(moment.session, [named.member])[named.member][0]
    return render.message("board/stands_in", who=name, last_day=last_day, requests=requests, quarter=quarter)


def compose_stood_in(app: App, view: object) -> Message | None:
    """That they no longer do."""
    named = codec.read(AboutDelegation, view)
    with app.reading() as moment:
        if board.delegates(moment).get(named.member) == named.delegate:
            return None
        name = people_store.names(moment.session, [named.member])[named.member][0]
    return render.message("board/stood_in", who=name)
