"""The AI services that the handbook approves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.slack.commands import PROGRAMME, Command
from policy.period import day_of
from templates import render

if TYPE_CHECKING:
    from handlers.slack.commands import Request
    from programme.app import App
    from templates.render import Message


def show_services(app: App, request: Request) -> Message:
    today = day_of(request.now, app.zone)
    with app.database.reading() as session:
        book = app.recent_handbooks.get(session, request.now).on(today)
    approved = [service for service in book.services if service.approved_on(today)]
    return render.message("commands/services", services=approved, contact=book.contact)


COMMANDS = (Command("services", "", "the AI services that tokens pay for", show_services, topic=PROGRAMME),)
