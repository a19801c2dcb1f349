"""An archive's files: a month of a table in each, written once, with its hash in the folder and in the audit log."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from handlers import tables
from handlers.finance.focus_columns import decimal
from handlers.tables import Column, Layout
from policy.reasons import Refusal
from policy.units import MICRO_PER_TOKEN, NANO_PER_USD
from programme.finance.archive import Archive
from programme.finance.months import Months

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from policy.period import Month
    from programme.finance.archive import Spent
    from programme.moment import Moment

SPEND = "spend"
SUMS = "SHA256SUMS"
"""As `sha256sum -c` reads it."""
COLUMNS = (
    *(Column(name) for name in ("month", "day", "kind")),
    Column("correction", "flag"),
    *(Column(name) for name in ("person_id", "team", "cost_centre", "project", "service", "provider", "model")),
    *(Column(name, "whole") for name in ("calls", "input_tokens", "output_tokens")),
    *(Column(name, "number") for name in ("cost_usd", "tokens")),
)


class Written(NamedTuple):
    """A file of an archive, how many lines it has, and its SHA-256."""

    name: str
    lines: int
    digest: str


def name_of(month: Month) -> str:
    return f"{SPEND}-{month}.parquet"


def known(folder: Path) -> dict[str, str]:
    """The hashes of the files that were written, by name."""
    with suppress(FileNotFoundError):
        lines = (folder / SUMS).read_text("utf-8").splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    return {}


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_whole(folder: Path, name: str, digest: str) -> None:
    """A Refusal of a file that is gone, or is not as it was written."""
    try:
        found = digest_of(folder / name)
    except FileNotFoundError:
        found = ""
    if found != digest:
        why = "is not as it was written" if found else "is gone"
        raise Refusal(
            "archive_changed",
            f"{folder / name} {why}.",
            next_step=f"Take it from a back-up, or remove its line from {SUMS}, and write the month anew.",
        )


def write(moment: Moment, month: Month, folder: Path) -> Written:
    """Write a month's lines beside the other files; `keep` makes it one of them."""
    about = {"table": SPEND, "month": str(month), "least_people": str(Months(moment, month).least_people)}
    part = _part(folder, month)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123 - with its mode
        lines = tables.write(out, Layout(COLUMNS, about=about), _cells(Archive(moment, month).lines()), "parquet")
        out.flush()
        os.fsync(out.fileno())
    return Written(name_of(month), lines, digest_of(part))


def keep(folder: Path, month: Month, written: Written) -> None:
    """The file is whole and on record: it has its name and its line from now on."""
    _part(folder, month).rename(folder / written.name)
    with (folder / SUMS).open("a", encoding="utf-8") as sums:
        sums.write(f"{written.digest}  {written.name}\n")


def _part(folder: Path, month: Month) -> Path:
    return folder / f"{name_of(month)}.part"


def _cells(lines: Iterator[Spent]) -> Iterator[tuple[object, ...]]:
    for line in lines:
        *cells, usd, tokens = line
        yield (*cells, decimal(usd, NANO_PER_USD, 9), decimal(tokens, MICRO_PER_TOKEN, 6))
