"""Ledgers as earlier releases left them, with data in them."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

RELEASES = Path(__file__).parent.parent / "data" / "releases"


def known() -> list[str]:
    return sorted(path.name.removesuffix(".sql.gz") for path in RELEASES.glob("*.sql.gz"))


def unpack(release: str, path: Path) -> None:
    """The ledger of a release as a SQLite file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as made:
        made.executescript(gzip.decompress((RELEASES / f"{release}.sql.gz").read_bytes()).decode())
