"""Connections that are lost while something is under way: noticed, told from mistakes, and work that may be done again.

A server that is stopped, fails over or is cut off takes what was under way back, or did it and could not say so. Only
the caller knows whether it may be done again: reading may, and so may what is known by a key of its own.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import ExceptionContext


T = TypeVar("T")
logger = logging.getLogger(__name__)

STOPPED = {"57P01", "57P02", "57P03"}
"""PostgreSQL's words for a server that stops, has stopped, or only begins."""
READ_ONLY = "25006"
"""What a server says that is no primary any more: the connection is to go elsewhere."""
ELSEWHERE = {*STOPPED, READ_ONLY}


def is_lost(error: BaseException) -> bool:
    """Whether a connection ended, or its server ceased to be the one that writes, before it was answered."""
    return isinstance(error, sa.exc.DBAPIError) and (error.connection_invalidated or _state(error.orig) in ELSEWHERE)


def is_away(error: BaseException) -> bool:
    """Whether the database cannot be reached, or was lost: no mistake in what was asked."""
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError) or is_lost(error)


def done_again(work: Callable[[], T]) -> T:
    """What `work` returns, which is done once more where its connection was lost.

    For what may be done twice: the first time may have been committed without a word.
    """
    try:
        return work()
    except sa.exc.DBAPIError as error:
        if not is_lost(error):
            raise
        logger.warning("a connection to the database was lost, and what was under way is done again")
    return work()


def notice(context: ExceptionContext) -> None:
    """For SQLAlchemy's `handle_error`: a server that only reads any more is as good as gone, with all of its pool."""
    if _state(context.original_exception) in ELSEWHERE:
        context.is_disconnect = True


def drop_lost(session: sa.Connection, error: Exception) -> bool:
    """The same for statements that go past SQLAlchemy: whether the connection was lost, and no one gets it again."""
    driver: Any = session.connection.driver_connection
    if not (session.dialect.is_disconnect(cast("Any", error), driver, None) or _state(error) in ELSEWHERE):
        return False
    session.invalidate(error)
    # The others of its pool are of the same server.
    session.engine.dispose()
    return True


def _state(error: object) -> str | None:
    return getattr(error, "sqlstate", None)
