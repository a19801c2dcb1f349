"""How long a run looks: `make test` at everything once, `make soak` (`--deep`) at much more of it."""

from __future__ import annotations

import os
from itertools import cycle, product
from typing import TYPE_CHECKING, TypeVar

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLES, TIMES = 20, 20
"""Of a property that says nothing else; and so many times more has a deep run."""
QUICK, DEEP = "quick", "deep"
T = TypeVar("T")
U = TypeVar("U")


def register() -> None:
    """The profiles of Hypothesis: the same examples each time where a change is judged, new ones elsewhere.

    An example may take its time: on a busy machine, a deadline fails a property that holds.
    """
    judged = bool(os.environ.get("CI"))
    settings.register_profile(QUICK, derandomize=judged, deadline=None, max_examples=EXAMPLES)
    settings.register_profile(DEEP, derandomize=judged, deadline=None, max_examples=EXAMPLES * TIMES)


def either(*, quick: T, deep: T) -> T:
    return deep if settings.get_current_profile_name() == DEEP else quick


def crossed(firsts: Iterable[T], seconds: Iterable[U]) -> list[tuple[T, U]]:
    """Every first with every second in a deep run; in a quick one with one of them, in turn."""
    firsts, seconds = list(firsts), list(seconds)
    return either(quick=list(zip(firsts, cycle(seconds))), deep=list(product(firsts, seconds)))


def examples(count: int) -> int:
    """A quarter of so many examples in a quick run, and four times as many in a deep one."""
    return either(quick=max(count // 4, 3), deep=count * 4)
