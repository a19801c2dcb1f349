"""A file of what is owed to the bot: events of finished calls, holds to be given back; and what is known of wallets.

SQLite in WAL mode: a line that was kept outlives the process that kept it, however that ends. All workers of a proxy
share the file. Times are seconds since 1970, because the workers have no other clock in common.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PROVISIONAL_SECONDS = 10
"""How long a first account of a call waits for the whole one, before it is sent in its place."""
CLAIM_SECONDS = 60
"""How long one worker has a batch for itself; what it did not deliver by then is any worker's again."""
BUSY_MILLISECONDS = 5_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    hold TEXT NOT NULL,
    body TEXT NOT NULL,
    kept_at REAL NOT NULL,
    claimed_until REAL NOT NULL DEFAULT 0,
    refused TEXT
);
CREATE INDEX IF NOT EXISTS events_by_hold ON events (hold);
CREATE TABLE IF NOT EXISTS releases (
    hold TEXT PRIMARY KEY,
    kept_at REAL NOT NULL,
    claimed_until REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS wallets (
    person TEXT PRIMARY KEY,
    known INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    known_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS contact (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL, away_since REAL);
"""


@dataclass(frozen=True)
class Event:
    """One finished call as it will be sent."""

    seq: int
    event_id: str
    body: str


@dataclass(frozen=True)
class Standing:
    """How much is owed, as `doctor` shows it."""

    waiting: int
    oldest_at: float | None
    refused: int
    releases: int
    contact_at: float | None


class Journal:
    """One connection for all threads of a process, one at a time."""

    def __init__(self, path: Path, *, checkpoints: bool = True) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in (f"busy_timeout = {BUSY_MILLISECONDS}", "journal_mode = WAL", "synchronous = NORMAL"):
            self._connection.execute(f"PRAGMA {pragma}")
        if not checkpoints:
            # They wait for the disk, which the proxy's event loop must not: the sender makes them.
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    # --- Events ------------------------------------------------------------------------------------------------------

    def keep(self, event_id: str, hold: str, body: str, *, now: float, provisional: bool = False) -> bool:
        """Keep an event; False if one with this id is kept already. A provisional one is not sent for a while."""
        held_until = now + PROVISIONAL_SECONDS if provisional else 0
        with self._lock:
            done = self._connection.execute(
                "INSERT INTO events (event_id, hold, body, kept_at, claimed_until) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (event_id, hold, body, now, held_until),
            )
            return done.rowcount == 1

    def complete(self, provisional_id: str, event_id: str, body: str) -> bool:
        """Put the whole account in the place of a first one; False once any worker began to send that.

        The bot may have heard it under its own id, even where no answer came: the whole one would count twice.
        """
        with self._lock:
            done = self._connection.execute(
                "UPDATE OR REPLACE events SET event_id = ?, body = ?, claimed_until = 0"
                " WHERE event_id = ? AND claimed_until = kept_at + ?",
                (event_id, body, provisional_id, PROVISIONAL_SECONDS),
            )
            return done.rowcount == 1

    def owes(self, hold: str) -> bool:
        """Whether an event of a hold is still to be delivered."""
        with self._lock:
            found = self._connection.execute(
                "SELECT 1 FROM events WHERE hold = ? AND refused IS NULL LIMIT 1", (hold,)
            ).fetchone()
        return found is not None

    def claim(self, *, now: float, most: int, most_bytes: int) -> list[Event]:
        """The oldest events that nobody is sending, now this worker's for a minute."""
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT seq, event_id, body FROM events WHERE refused IS NULL AND claimed_until <= ?"
                " ORDER BY seq LIMIT ?",
                (now, most),
            ).fetchall()
            events = _within([Event(*row) for row in rows], most_bytes)
            connection.executemany(
                "UPDATE events SET claimed_until = ? WHERE seq = ?",
                [(now + CLAIM_SECONDS, event.seq) for event in events],
            )
        return events

    def unclaim(self, events: Sequence[Event]) -> None:
        """Give events back to be sent again."""
        with self._writing() as connection:
            connection.executemany("UPDATE events SET claimed_until = 0 WHERE seq = ?", [(e.seq,) for e in events])

    def delivered(self, events: Sequence[Event]) -> None:
        """Forget events that the bot has."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM events WHERE seq = ?", [(event.seq,) for event in events])

    def refuse(self, event: Event, reason: str) -> None:
        """Keep an event that the bot will not take, for a person to look at."""
        with self._writing() as connection:
            connection.execute("UPDATE events SET refused = ? WHERE seq = ?", (reason, event.seq))

    def refused(self) -> list[tuple[str, str]]:
        """The ids of refused events, and why."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT event_id, refused FROM events WHERE refused IS NOT NULL ORDER BY seq"
            )
            return rows.fetchall()

    def retry_refused(self) -> int:
        """Send what was refused once more; how many those are."""
        with self._writing() as connection:
            return connection.execute(
                "UPDATE events SET refused = NULL, claimed_until = 0 WHERE refused IS NOT NULL"
            ).rowcount

    # --- Releases ----------------------------------------------------------------------------------------------------

    def release(self, hold: str, *, now: float) -> None:
        """Owe the bot the rest of a hold."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO releases (hold, kept_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (hold, now)
            )

    def claim_releases(self, *, now: float, most: int) -> list[tuple[str, float]]:
        """Holds to be given back, and since when; those whose events have all arrived, which are paid from them."""
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT hold, kept_at FROM releases WHERE claimed_until <= ? AND NOT EXISTS ("
                "  SELECT 1 FROM events WHERE events.hold = releases.hold AND refused IS NULL"
                ") ORDER BY kept_at LIMIT ?",
                (now, most),
            ).fetchall()
            connection.executemany(
                "UPDATE releases SET claimed_until = ? WHERE hold = ?",
                [(now + CLAIM_SECONDS, hold) for hold, _ in rows],
            )
        return rows

    def released(self, holds: Sequence[str]) -> None:
        with self._writing() as connection:
            connection.executemany("DELETE FROM releases WHERE hold = ?", [(hold,) for hold in holds])

    # --- What is known of wallets ------------------------------------------------------------------------------------

    def know(self, person: str, available: int, *, now: float) -> None:
        """What a person may still spend, as the bot says; what was spent unseen is in it."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO wallets (person, known, spent, known_at) VALUES (?, ?, 0, ?) ON CONFLICT (person)"
                " DO UPDATE SET known = excluded.known, spent = 0, known_at = excluded.known_at",
                (person, available, now),
            )

    def known(self, person: str) -> int | None:
        """What is left of what was last known; None of somebody of whom nothing is known."""
        with self._lock:
            row = self._connection.execute("SELECT known - spent FROM wallets WHERE person = ?", (person,)).fetchone()
        return None if row is None else int(row[0])

    def spend(self, person: str, amount: int) -> bool:
        """Count `amount` against what is known; False, and nothing counted, where it does not fit."""
        with self._lock:
            return (
                self._connection.execute(
                    "UPDATE wallets SET spent = spent + ? WHERE person = ? AND known - spent >= ?",
                    (amount, person, amount),
                ).rowcount
                == 1
            )

    def respend(self, person: str, difference: int) -> None:
        """Put right what was counted, once it is known what a call really cost."""
        with self._lock:
            self._connection.execute("UPDATE wallets SET spent = spent + ? WHERE person = ?", (difference, person))

    def touch(self, *, now: float) -> None:
        """Remember that the bot was there."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO contact (one, at) VALUES (1, ?) ON CONFLICT (one)"
                " DO UPDATE SET at = max(coalesce(at, 0), excluded.at), away_since = NULL",
                (now,),
            )

    def miss(self, *, now: float) -> float:
        """Remember that the bot was not there; since when it has not been, for any worker."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO contact (one, away_since) VALUES (1, ?) ON CONFLICT (one)"
                " DO UPDATE SET away_since = coalesce(away_since, excluded.away_since)",
                (now,),
            )
            (since,) = self._connection.execute("SELECT away_since FROM contact").fetchone()
        return float(since)

    def contact(self) -> float | None:
        """When the bot was there last, for any worker."""
        with self._lock:
            row = self._connection.execute("SELECT at FROM contact").fetchone()
        return None if row is None or row[0] is None else float(row[0])

    def standing(self) -> Standing:
        with self._lock:
            waiting, oldest = self._connection.execute(
                "SELECT count(*), min(kept_at) FROM events WHERE refused IS NULL"
            ).fetchone()
            (refused,) = self._connection.execute("SELECT count(*) FROM events WHERE refused IS NOT NULL").fetchone()
            (releases,) = self._connection.execute("SELECT count(*) FROM releases").fetchone()
        return Standing(waiting, oldest, refused, releases, self.contact())


def _within(events: list[Event], most_bytes: int) -> list[Event]:
    """The first events that fit into one request; always at least one."""
    total = 0
    for number, event in enumerate(events):
        total += len(event.body)
        if total > most_bytes and number:
            return events[:number]
    return events
