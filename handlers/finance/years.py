"""Reports over years, from the files of an archive: DuckDB reads them, and no database of ours is asked.

What is told of a month is decided by the month alone, and longer periods are sums of what was: so no difference of two
periods tells of people whom neither does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from handlers.finance import archive_files
from handlers.finance.archive_files import SPEND
from policy import disclosure
from policy.period import Month
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DIMENSIONS = {
    "service": "service",
    "model": "model",
    "cost-centre": "cost_centre",
    "team": "team",
    "project": "project",
    "kind": "kind",
}
PERIODS = ("month", "quarter", "year")
NONE, OTHERS = "(none)", "(others)"
"""What has no cost centre, team or model; and all groups of too few people together."""


class Sums(NamedTuple):
    """What a group comes to."""

    calls: int
    cost_usd: Decimal
    tokens: Decimal

    def plus(self, other: Sums) -> Sums:
        return Sums(self.calls + other.calls, self.cost_usd + other.cost_usd, self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class Row:
    """A group in a period."""

    period: str
    name: str
    calls: int
    cost_usd: Decimal
    tokens: Decimal


NOTHING = Sums(0, Decimal(0), Decimal(0))


def duckdb() -> Any:  # noqa: ANN401 - of a library that is optional
    """The library, or a Refusal that says how to get it."""
    try:
        import duckdb as library  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise Refusal(
            "duckdb_missing",
            "Reports over years need the library duckdb, which is not installed.",
            next_step='Install it: pip install "tokens-bot[analytics]".',
        ) from error
    return library


def report(folder: Path, by: str, per: str, months: tuple[Month, Month] | None = None) -> list[Row]:
    """What was spent by groups of a kind in each period, from the months of an archive that lie in a range."""
    with duckdb().connect(":memory:") as connection:
        files = _Files(connection, folder, months)
        sums: defaultdict[tuple[str, str], Sums] = defaultdict(lambda: NOTHING)
        for month, groups in sorted(files.groups(DIMENSIONS[by]).items()):
            told = files.told(month, groups, DIMENSIONS[by])
            for name, one in groups.items():
                key = (_period(month, per), (name or NONE) if name in told else OTHERS)
                sums[key] = sums[key].plus(one.sums)
    ranked = sorted(sums.items(), key=lambda item: (item[0][0], item[0][1] == OTHERS, -item[1].cost_usd, item[0][1]))
    return [Row(*key, one.calls, one.cost_usd, one.tokens) for key, one in ranked]


class _Group(NamedTuple):
    people: int
    sums: Sums


class _Files:
    """The files of some months, each checked by its hash before it is read."""

    def __init__(self, connection: Any, folder: Path, months: tuple[Month, Month] | None) -> None:  # noqa: ANN401 - of duckdb
        self._connection = connection
        known = archive_files.known(folder)
        wanted = {name: digest for name, digest in known.items() if _is_within(name, months)}
        if not wanted:
            raise Refusal(
                "no_archive",
                f"{folder} has no such months.",
                next_step="See `tokens-bot export archive --help`.",
            )
        for name, digest in wanted.items():
            archive_files.require_whole(folder, name, digest)
        self._paths = [str(folder / name) for name in sorted(wanted)]
        self._least = self._least_people()

    def groups(self, column: str) -> Mapping[str, Mapping[str, _Group]]:
        """By month and name how many people a group is of, and what it comes to."""
        figures = "count(DISTINCT nullif(person_id, '')), sum(calls), sum(cost_usd), sum(tokens)"
        query = f"SELECT month, {_named(column)} AS name, {figures} FROM read_parquet($1) GROUP BY ALL"  # noqa: S608 - our own column
        found: defaultdict[str, dict[str, _Group]] = defaultdict(dict)
        for month, name, people, *sums in self._connection.execute(query, [self._paths]).fetchall():
            found[month][name] = _Group(people, Sums(int(sums[0]), *sums[1:]))
        return found

    def told(self, month: str, groups: Mapping[str, _Group], column: str) -> set[str]:
        """The groups of a month that are of enough people, or of nobody; those of too few stand together."""
        least = self._least[month]
        if not any(disclosure.is_of_few(one.people, least) for one in groups.values()):
            return set(groups)
        query = (
            f"SELECT DISTINCT {_named(column)}, person_id FROM read_parquet($1)"  # noqa: S608 - our own column
            " WHERE month = $2 AND person_id <> ''"
        )
        people: defaultdict[str, set[object]] = defaultdict(set)
        for name, person in self._connection.execute(query, [self._paths, month]).fetchall():
            people[name].add(person)
        told = disclosure.disclosed({name: frozenset(some) for name, some in people.items()}, least)
        return {*told, *(name for name in groups if name not in people)}

    def _least_people(self) -> dict[str, int]:
        """How many people a figure of a month is of at least, as its handbook said."""
        query = "SELECT file_name, decode(key), decode(value) FROM parquet_kv_metadata($1)"
        about: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for file, key, value in self._connection.execute(query, [self._paths]).fetchall():
            about[file][key] = value
        return {one["month"]: int(one["least_people"]) for one in about.values()}


def _named(column: str) -> str:
    return f"coalesce({column}, '')"


def _is_within(name: str, months: tuple[Month, Month] | None) -> bool:
    if not name.startswith(f"{SPEND}-"):
        return False
    month = name.removeprefix(f"{SPEND}-").removesuffix(".parquet")
    return months is None or str(months[0]) <= month <= str(months[1])


def _period(month: str, per: str) -> str:
    return {"month": month, "quarter": str(Month.parse(month).quarter), "year": month[:4]}[per]


def cells(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """Rows as every export has them."""
    return [(one.period, one.name, one.calls, f"{one.cost_usd:.9f}", f"{one.tokens:.6f}") for one in rows]
