"""Whether reports of the return still have the inputs that they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.roi import reports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from store.engine import Session


def reports_as_frozen(session: Session) -> Iterator[str]:
    """Every report of the return has the inputs whose digest the audit log tells."""
    yield from reports.differences(session)


CHECKS: tuple[Callable[[Session], Iterator[str]], ...] = (reports_as_frozen,)
