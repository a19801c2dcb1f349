"""How long a run looks: `make test` at everything once, `make soak` (`--deep`) at much more of it."""

from __future__ import annotations

import os
from typing import TypeVar

from hypothesis import settings

EXAMPLES, TIMES = 40, 10
"""Of a property that says nothing else; and so many times more has a deep run."""
QUICK, DEEP = "quick", "deep"
T = TypeVar("T")


def register() -> None:
    """The profiles of Hypothesis: the same examples each time where a change is judged, new ones elsewhere.

    An example may take its time: on a busy machine, a deadline fails a property that holds.
    """
    judged = bool(os.environ.get("CI"))
    settings.register_profile(QUICK, derandomize=judged, deadline=None, max_examples=EXAMPLES)
    settings.register_profile(DEEP, derandomize=judged, deadline=None, max_examples=EXAMPLES * TIMES)


def either(*, quick: T, deep: T) -> T:
    return deep if settings.get_current_profile_name() == DEEP else quick


def examples(count: int) -> int:
    """Half of so many examples in a quick run, and four times as many in a deep one."""
    return either(quick=count // 2, deep=count * 4)
