"""Groups of the annual review, imported by finance: they come from the compensation review, never from the bot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from policy.reasons import Refusal
from programme import table_file
from programme.files import cells as cell_readers
from programme.people import directory
from programme.reviews.annual_export import FINANCE
from programme.table_file import Cell, Problems
from store import audit
from store.people import directory as people_store
from store.people import terms
from store.reviews import annual as store
from store.reviews.annual import AnnualRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policy.period import Month
    from programme.moment import Moment

REQUIRED = ("email", "group")


@dataclass(frozen=True, slots=True)
class AnnualImport:
    """How many people are in each group."""

    people: int
    groups: Mapping[str, int]


def import_csv(moment: Moment, file: TextIO, *, year: int, month: Month, by: str) -> AnnualImport:
    """Say who is in which group of a year's review, from a month on; one bad line, and nothing is imported.

    The file is the whole truth of that month: whoever is not in it has no factor. A month that is granted stays as it
    is.
    """
    reader = directory.require(moment, by)
    if FINANCE not in people_store.roles_of(moment.session, reader.id):
        raise Refusal("not_finance", f"{by} does not have the role `finance`.", next_step="Have finance import it.")
    book = moment.handbooks.on(month.first_day)
    if not book.sizing.annual:
        text = f"Handbook {book.version} has no groups of an annual review."
        raise Refusal("no_annual_groups", text, next_step="Propose a handbook with [[sizing.annual]].")
    if store.is_granted(moment.session, month):
        raise Refusal("granted_already", f"{month} is granted, and stays as it is.", next_step="Name a later month.")
    found = _read(file, terms.people_by_email(moment.session), [group.name for group in book.sizing.annual])
    rows = [AnnualRow(str(month), person, year, group, moment.now, reader.id) for person, group in found.items()]
    store.replace(moment.session, month, rows)
    counts = dict(sorted(Counter(found.values()).items()))
    after = {"year": year, "people": len(rows)}
    audit.note(moment.session, reader.id, "reviews.annual", str(month), at=moment.now, after=after)
    return AnnualImport(len(rows), counts)


def _read(file: TextIO, id_of: Mapping[str, str], groups: list[str]) -> dict[str, str]:
    """Group by person id; a Refusal that lists every bad line."""
    problems = Problems()
    found: dict[str, str] = {}
    for number, person, group in _lines(file, id_of, groups, problems):
        if person in found:
            problems.append((number, "this person is in an earlier line already"))
        found[person] = group
    problems.refuse("annual_file_invalid")
    return found


def _lines(
    file: TextIO, id_of: Mapping[str, str], groups: list[str], problems: Problems
) -> Iterator[tuple[int, str, str]]:
    def person(email: str) -> str:
        address = cell_readers.email(email)
        if address not in id_of:
            raise ValueError(email)
        return id_of[address]

    columns = {
        "email": Cell("the e-mail of someone in the programme; see `tokens-bot people import`", read=person),
        "group": Cell(f"one of {', '.join(groups)}", read=cell_readers.one_of(tuple(groups))),
    }
    for number, cells in table_file.rows(file, columns, REQUIRED, problems):
        before = len(problems)
        said = table_file.values(number, cells, columns, problems)
        problems.extend((number, f"{name} is empty") for name in REQUIRED if not cells[name])
        if len(problems) == before:
            yield number, said["email"], said["group"]
