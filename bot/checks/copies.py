"""Whether reports can be read from the copy of the database, where one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.findings import Finding
from store import replication
from store.replication import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.app import App

REMEDY = "Look at TOKENS_DATABASE_READ_URL, and at the replication."


def examine(app: App) -> Iterator[Finding]:
    """Nothing where no copy is named."""
    if app.database.copy is None:
        return
    itself = "Reports are read from the database itself: the copy"
    try:
        with app.database.of_copy(throughout=False) as session:
            as_of = replication.require_fit(session, app.clock())
    except UnfitError as error:
        yield Finding("warning", f"{itself} {error}.", REMEDY)
    except sa.exc.DBAPIError as error:
        yield Finding("warning", f"{itself} does not answer: {error.orig}", REMEDY)
    else:
        yield Finding("good", f"Reports are read from the copy of the database, as of {as_of:%H:%M:%S} UTC.")
