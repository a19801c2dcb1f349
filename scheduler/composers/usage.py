"""The note of usage that was refused, counted when it goes out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from programme.usage import refusal_notes
from templates import usage
from views import codec

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose_refusals(app: App, view: object) -> Message | None:
    """What administrators are told on a day; None where there is nothing."""
    day = date.fromisoformat(codec.read(dict[str, str], view)["day"])
    with app.reading() as moment:
        note = refusal_notes.note_of(moment, day)
    return None if note is None else usage.refusals(note)
