"""Outcomes of any other source: as a CSV file, all of it or nothing, and as JSON, event by event."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Annotated, TextIO, cast

from msgspec import Meta, Struct

from handlers.decoding import MAX_ID, MAX_NAME, EventShape, Rejected, UnfitFieldError, instant, unfit
from policy.outcomes import KINDS, STATES, THOUSANDTHS, OutcomeReport
from programme import table_file
from programme.files import cells as cell_readers
from programme.table_file import Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from policy.outcomes import Kind, State

REQUIRED = ("source", "outcome_id", "kind", "occurred_at")
COLUMNS = (
    *REQUIRED,
    "user",
    "project",
    "state",
    "lines",
    "weight",
    "metric",
    "score",
    "reverts",
    "updated_at",
)
MOST_LINES = 10**9
_GROUPED = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
MOST_FIGURE = 1_000_000


_Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Outcome(Struct):
    """An outcome in JSON: the columns of a file as fields."""

    source: str
    outcome_id: str
    kind: Annotated[str, Meta(extra_json_schema={"enum": list(KINDS)})]
    occurred_at: _Time
    user: str = ""
    project: str = ""
    state: Annotated[str, Meta(extra_json_schema={"enum": list(STATES)})] = "done"
    lines: Annotated[int | str, Meta(extra_json_schema={"minimum": 0})] = ""
    weight: int | float | str = ""
    metric: str = ""
    score: int | float | str = ""
    reverts: str = ""
    updated_at: _Time = ""


SHAPE = EventShape(Outcome, "outcome_id")
EXAMPLE = {
    "source": "jira",
    "outcome_id": "SHOP-17",
    "kind": "bug",
    "occurred_at": "2026-11-20T09:30:00Z",
    "user": "ada@example.com",
    "project": "shop",
}


def parse(body: bytes, *, allowed_source: str) -> list[OutcomeReport | Rejected]:
    """Outcomes of a JSON body, one or an array, in its order; a sender speaks for its source and the paths below it."""
    return SHAPE.parse(body, partial(_told, allowed_source))


def _told(allowed_source: str, _index: int, event: Outcome) -> OutcomeReport:
    if event.source != allowed_source and not event.source.startswith(f"{allowed_source}/"):
        raise unfit("source", f'"{allowed_source}" or a path below it', event.source)
    return _reported({name: str(getattr(event, name)).strip() for name in COLUMNS})


def read(file: TextIO) -> list[OutcomeReport]:
    """The outcomes of a CSV file; the Refusal lists every bad line with its number."""
    problems = Problems()
    told = list(_read(file, problems))
    problems += _contradictions(told)
    problems.refuse("outcomes_file_invalid")
    return [one for _, one in told]


def _read(file: TextIO, problems: Problems) -> Iterator[tuple[int, OutcomeReport]]:
    for number, cells in table_file.rows(file, COLUMNS, REQUIRED, problems):
        try:
            yield number, _reported(dict.fromkeys(COLUMNS, "") | cells)
        except UnfitFieldError as error:
            problems.extend((number, said) for said in _faults(cells) or [str(error)])


def _faults(cells: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with cells by themselves."""
    said = []
    for name, check in _CHECKS.items():
        try:
            check(cells.get(name, ""))
        except UnfitFieldError as error:
            said.append(str(error))
    return said


def _contradictions(told: list[tuple[int, OutcomeReport]]) -> Iterator[tuple[int, str]]:
    """Two contents of one outcome of which no one could say which holds."""
    first: dict[tuple[str, str, datetime | None], tuple[int, OutcomeReport]] = {}
    for number, one in told:
        before, same = first.setdefault((one.source, one.outcome_id, one.as_of), (number, one))
        if same != one:
            yield number, f"{one.outcome_id!r} is told of differently in line {before}: give each its updated_at"


def _reported(cells: Mapping[str, str]) -> OutcomeReport:
    for name in COLUMNS:
        _require_intact(name, cells[name], MAX_ID if name in {"source", "outcome_id"} else MAX_NAME)
    for name in ("source", "outcome_id"):
        _id(name, cells[name])
    _user(cells["user"])
    kind = cast("Kind", _choice("kind", cells["kind"], KINDS))
    reverts = tuple(sorted({one.strip() for one in cells["reverts"].split(";")} - {""}))
    told = OutcomeReport(
        source=cells["source"],
        outcome_id=cells["outcome_id"],
        kind=kind,
        occurred_at=_instant("occurred_at", cells["occurred_at"]),
        user=cells["user"],
        project=cells["project"],
        state=cast("State", _choice("state", cells["state"] or "done", STATES)),
        lines=_lines(cells["lines"]),
        figure=_thousandths("score", cells["score"]) if kind == "quality" else _thousandths("weight", cells["weight"]),
        metric=cells["metric"],
        reverts=reverts,
        as_of=_instant("updated_at", cells["updated_at"]) if cells["updated_at"] else None,
    )
    _require_meaning(told, cells)
    return told if told.counts else told._replace(user="")


def _require_meaning(told: OutcomeReport, cells: Mapping[str, str]) -> None:
    """What a column allows alone, and the kind does not."""
    allowed = {"pull_request": ("lines", "weight", "reverts"), "quality": ("metric", "score")}
    for name in ("lines", "weight", "reverts", "metric", "score"):
        if cells[name] and name not in allowed.get(told.kind, ("weight",)):
            raise UnfitFieldError(f"{name}: a {told.kind} has none")
    if told.kind == "quality":
        for name in ("project", "metric", "score"):
            if not cells[name]:
                raise UnfitFieldError(f"{name}: required of quality, but empty")
    elif told.counts and not told.user:
        raise UnfitFieldError("user: required, but empty")
    if told.kind == "pull_request" and told.counts and told.lines is None and told.figure is None:
        raise UnfitFieldError("lines: a pull request needs its changed lines, or a weight")


def _require_intact(name: str, cell: str, limit: int = MAX_NAME) -> None:
    if len(cell) > limit:
        raise unfit(name, f"at most {limit} characters", cell)
    if "\0" in cell:
        raise unfit(name, "text without NUL", cell)
    if said := cell_readers.excel_wreck(cell):
        raise unfit(name, f"what was there ({said})", cell)


def _id(name: str, cell: str) -> None:
    if not cell:
        raise unfit(name, "a text that is not empty", "")
    _require_intact(name, cell, MAX_ID)


def _user(cell: str) -> None:
    _require_intact("user", cell)
    if "@" in cell and (fault := cell_readers.email_fault(cell)):
        raise unfit("user", f"an e-mail address ({fault})", cell)


def _choice(name: str, cell: str, allowed: tuple[str, ...]) -> str:
    if cell in allowed:
        return cell
    word = next((one for one in allowed if one == cell_readers.fold(cell)), None)
    if word is None:
        raise unfit(name, f"one of {', '.join(allowed)}", cell)
    return word


def _instant(name: str, cell: str) -> datetime:
    try:
        when = datetime.fromisoformat(cell)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise unfit(name, "an ISO 8601 time with an offset", cell)
    return instant(when, name)


def _lines(cell: str) -> int | None:
    if not cell:
        return None
    if cell.isascii() and cell.isdecimal() and len(cell) <= len(str(MOST_LINES)) and int(cell) <= MOST_LINES:
        return int(cell)
    raise unfit("lines", f"an integer from 0 to {MOST_LINES}", cell)


def _thousandths(name: str, cell: str) -> int | None:
    if not cell:
        return None
    if _GROUPED.fullmatch(cell):
        raise unfit(name, "a point before decimals, as the comma may divide thousands", cell)
    try:
        number = Decimal(cell.replace(",", ".")) * THOUSANDTHS
        if number.is_finite() and 0 <= number <= MOST_FIGURE * THOUSANDTHS and number == int(number):
            return int(number)
    except InvalidOperation:
        pass
    raise unfit(name, f"a number from 0 to {MOST_FIGURE} with at most three decimals", cell)


_CHECKS: dict[str, Callable[[str], object]] = {
    "source": partial(_id, "source"),
    "outcome_id": partial(_id, "outcome_id"),
    "kind": partial(_choice, "kind", allowed=KINDS),
    "occurred_at": partial(_instant, "occurred_at"),
    "user": _user,
    "project": partial(_require_intact, "project"),
    "state": lambda cell: _choice("state", cell or "done", STATES),
    "lines": _lines,
    "weight": partial(_thousandths, "weight"),
    "metric": partial(_require_intact, "metric"),
    "score": partial(_thousandths, "score"),
    "reverts": partial(_require_intact, "reverts"),
    "updated_at": lambda cell: cell and _instant("updated_at", cell),
}
"""What each cell must be by itself."""
