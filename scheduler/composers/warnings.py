"""The warning that a share of a month's tokens is spent, as it is when it goes out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from policy.value.valuation import worth
from programme.balance import warnings
from templates import render
from views import codec
from views.warnings import SpendWarning

if TYPE_CHECKING:
    from programme.app import App
    from templates.render import Message


def compose(app: App, view: object) -> Message | None:
    """What a person is told; None where it is not so any more, or where a later warning says more."""
    kept = codec.read(SpendWarning, view)
    with app.reading() as moment:
        now = warnings.as_it_stands(moment, kept)
    return None if now is None else warning(now)


def warning(warned: SpendWarning) -> Message:
    """The words, at the value of the moment."""
    return render.message("warnings/warning", warned=warned, worth=partial(worth, per_token=warned.per_token))
