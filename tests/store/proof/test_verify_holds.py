"""`verify` recomputes what is held and what caps have used, and finds every figure that someone touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import books, cast, held
from tests.support.books import ADA
from tests.support.clock import NOON

if TYPE_CHECKING:
    from programme.app import App

pytestmark = pytest.mark.every_database

SCOPES = ("person", "person_service", "team", "project", "service", "programme")
CAPS = [f'name = "{scope}"\nscope = "{scope}"\nwindow = "month"\nusd = 90\naction = "stop"' for scope in SCOPES]


@pytest.fixture(scope="module")
def kept(shared_app: App) -> App:
    """An open hold and a settled one, each in the sums of caps of every scope."""
    held.stop(shared_app, *CAPS)
    cast.give(shared_app, ADA, "1000")
    held.reserve(shared_app, "open", "2", project="apollo")
    held.reserve(shared_app, "settled", "2", project="apollo")
    books.take_in(shared_app, held.settled("e1", "settled", "1.5", at=NOON, project="apollo"))
    return shared_app


def test_what_nobody_touched_is_proved(kept: App) -> None:
    """What is held and used in every scope follows from holds and usage."""
    assert books.findings(kept) == {}


TAMPERINGS = {
    "what is held of a wallet": ("UPDATE accounts SET held = held + 1 WHERE person_id IS NOT NULL", "held_on_accounts"),
    "what is likely of a wallet": ("UPDATE accounts SET likely = likely - 1 WHERE held > 0", "held_on_accounts"),
    "what is likely of a sum": ("UPDATE cap_sums SET likely_nano_usd = 0 WHERE scope = 'service'", "cap_sums_as_used"),
    "what a hold holds": ("UPDATE holds SET micro_tokens = micro_tokens + 1 WHERE id = 'open'", "held_on_accounts"),
    "whose hold it is": ("UPDATE holds SET person_id = 'per_x' WHERE id = 'open'", "holds_of_someone"),
    "a claim is gone": ("DELETE FROM hold_claims WHERE scope = 'project' AND hold_id = 'open'", "cap_sums_as_used"),
    "a sum is gone": ("DELETE FROM cap_sums WHERE scope = 'programme'", "cap_sums_as_used"),
} | {
    f"what was used of a {scope}": (
        f"UPDATE cap_sums SET used_nano_usd = used_nano_usd + 1 WHERE scope = '{scope}'",  # noqa: S608 - our own names
        "cap_sums_as_used",
    )
    for scope in SCOPES
    if scope != "team"
}


@pytest.mark.parametrize(("statement", "check"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_every_figure_that_someone_touched_is_found(kept: App, statement: str, check: str) -> None:
    """Whatever of it is changed behind our back does not follow any more."""
    with books.rolled_back(kept) as moment:
        moment.session.exec_driver_sql(statement)
        assert books.found_by(moment, check)
