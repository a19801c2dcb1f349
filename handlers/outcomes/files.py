"""Outcomes of any other source: as a CSV file, all of it or nothing, and as JSON, event by event."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Annotated, TextIO, cast

from msgspec import Meta, Struct

from handlers.decoding import MAX_ID, MAX_NAME, EventShape, Rejected, UnfitFieldError, instant, unfit
from policy.outcomes import KINDS, STATES, THOUSANDTHS, OutcomeReport
from programme import table_file
from programme.table_file import Problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
            problems.append((number, str(error)))


def _contradictions(told: list[tuple[int, OutcomeReport]]) -> Iterator[tuple[int, str]]:
    """Two contents of one outcome of which no one could say which holds."""
    first: dict[tuple[str, str, datetime | None], tuple[int, OutcomeReport]] = {}
    for number, one in told:
        before, same = first.setdefault((one.source, one.outcome_id, one.as_of), (number, one))
        if same != one:
            yield number, f"{one.outcome_id!r} is told of differently in line {before}: give each its updated_at"


def _reported(cells: Mapping[str, str]) -> OutcomeReport:
    for name in COLUMNS:
        _require_short(name, cells[name], MAX_ID if name in {"source", "outcome_id"} else MAX_NAME)
    for name in ("source", "outcome_id"):
        if not cells[name]:
            raise unfit(name, "a text that is not empty", "")
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


def _require_short(name: str, cell: str, limit: int) -> None:
    if len(cell) > limit:
        raise unfit(name, f"at most {limit} characters", cell)
    if "\0" in cell:
        raise unfit(name, "text without NUL", cell)


def _choice(name: str, cell: str, allowed: tuple[str, ...]) -> str:
    if cell not in allowed:
        raise unfit(name, f"one of {', '.join(allowed)}", cell)
    return cell


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
    try:
        number = Decimal(cell) * THOUSANDTHS
        if number.is_finite() and 0 <= number <= MOST_FIGURE * THOUSANDTHS and number == int(number):
            return int(number)
    except InvalidOperation:
        pass
    raise unfit(name, f"a number from 0 to {MOST_FIGURE} with at most three decimals", cell)
