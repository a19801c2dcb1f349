"""From what the outbox keeps to what Slack gets: each kind of message is composed by one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scheduler.composers import (
    appeals,
    audit,
    board,
    cash,
    exceptions,
    finance,
    gates,
    grants,
    handbook,
    holds,
    offers,
    people,
    reconciliation,
    reports,
    reviews,
    usage,
    warnings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App
    from templates.charts import Picture
    from templates.documents import Document
    from templates.render import Message


class UnknownTemplateError(LookupError):
    """No version of this bot that we are writes such a message."""


@dataclass(frozen=True, slots=True)
class Composed:
    message: Message
    picture: Picture | None = None
    document: Document | None = None


COMPOSERS: dict[str, Callable[[object], tuple[Message, Picture | None]]] = {
    "audit/anchor": audit.compose_anchor,
    "offers/outdated": offers.compose_outdated,
}


LIVE: dict[str, Callable[[App, object], Message | None]] = {
    "grants/greeting": grants.compose_greeting,
    "grants/statement": grants.compose_statement,
    "grants/revoked": grants.compose_revoked,
    "grants/lapse_notice": grants.compose_lapse_notice,
    "warnings/warning": warnings.compose,
    "exceptions/card": exceptions.compose_card,
    "exceptions/face": exceptions.compose_face,
    "exceptions/mine": exceptions.compose_mine,
    "exceptions/note": exceptions.compose_note,
    "exceptions/question": exceptions.compose_question,
    "exceptions/more_time": exceptions.compose_more_time,
    "exceptions/outcome": exceptions.compose_outcome,
    "handbook/card": handbook.compose_card,
    "handbook/face": handbook.compose_face,
    "handbook/mine": handbook.compose_mine,
    "handbook/note": handbook.compose_note,
    "gates/card": gates.compose_card,
    "gates/face": gates.compose_card,
    "gates/note": gates.compose_note,
    "gates/unasked": gates.compose_unasked,
    "reviews/notice": appeals.compose_notice,
    "reviews/pack": reviews.compose_pack,
    "reviews/face": reviews.compose_face,
    "reviews/outcome": reviews.compose_outcome,
    "reviews/milestone": reviews.compose_milestone,
    "reviews/unasked": reviews.compose_unasked,
    "appeals/card": appeals.compose_card,
    "appeals/face": appeals.compose_face,
    "appeals/mine": appeals.compose_mine,
    "appeals/note": appeals.compose_note,
    "appeals/nobody": appeals.compose_nobody,
    "appeals/annual_card": appeals.compose_annual_card,
    "appeals/annual_face": appeals.compose_annual_face,
    "appeals/annual_mine": appeals.compose_annual_mine,
    "appeals/annual_note": appeals.compose_annual_note,
    "cash/card": cash.compose_card,
    "cash/face": cash.compose_face,
    "cash/share": cash.compose_share,
    "cash/unasked": cash.compose_unasked,
    "holds/stopped": holds.compose_stopped,
    "board/stands_in": board.compose_stands_in,
    "board/stood_in": board.compose_stood_in,
    "people/linked": people.compose_linked,
    "people/moved": people.compose_moved,
    "people/other_account": people.compose_other_account,
    "people/relink_wanted": people.compose_relink_wanted,
    "finance/statement": finance.compose_statement,
    "usage/refusals": usage.compose_refusals,
    "reconciliation/card": reconciliation.compose_card,
    "reconciliation/face": reconciliation.compose_face,
    "reconciliation/question": reconciliation.compose_question,
}
"""These tell what holds when they go out: rows name the request, proposal, review, appeal, account or day, or keep what
was so when they were owed and can't be asked any more."""


PICTURED: dict[str, Callable[[App, object], tuple[Message, Picture | None] | None]] = {
    "grants/digest": grants.compose_digest,
    "offers/offer": offers.compose,
    "reports/weekly": reports.compose,
    "reviews/money": reviews.compose_money,
    "reviews/use": reviews.compose_use,
}
"""The same of messages with a picture."""


FILED: dict[str, Callable[[App, object], tuple[Message, Document] | None]] = {
    "offers/page": offers.compose_page,
    "reviews/page": reviews.compose_page,
    "reviews/page_with_cases": reviews.compose_page_with_cases,
}
"""The same of messages that bring a file."""


def compose(template: str, view: object, *, app: App) -> Composed | None:
    """The message of a kind with what its row keeps; None where there is nothing to say any more."""
    if template in LIVE:
        message = LIVE[template](app, view)
        return None if message is None else Composed(message)
    if template in PICTURED:
        composed = PICTURED[template](app, view)
        return None if composed is None else Composed(*composed)
    if template in FILED:
        filed = FILED[template](app, view)
        return None if filed is None else Composed(filed[0], document=filed[1])
    try:
        composer = COMPOSERS[template]
    except KeyError:
        raise UnknownTemplateError(template) from None
    return Composed(*composer(view))
