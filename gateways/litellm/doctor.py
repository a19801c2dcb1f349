"""Whether the plugin can do its work: settings, journal, bot, key, clock, and what is owed."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

import httpx

from . import settings
from .journal import Journal
from .wire import NOBODY, headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Verdict = Literal["good", "look", "bad"]

BEARABLE_AGE = 120
"""Seconds that an event may wait while all is well."""
BEARABLE_SKEW = 60
STRANGER = "nobody@tokens-bot.invalid"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's."""

    what: str
    verdict: Verdict
    detail: str


def examine(environment: Mapping[str, str], clock: Callable[[], float]) -> list[Finding]:
    """Everything that can be looked at; what depends on something broken is left out."""
    try:
        chosen = settings.load(environment)
    except settings.Misconfigured as reason:
        return [Finding("settings", "bad", str(reason))]
    told = f"grace {chosen.grace:g} s, then {chosen.on_outage}; leases {'on' if chosen.leases else 'off'}"
    found = [Finding("settings", "good", told), *_journal(chosen, clock)]
    with httpx.Client(base_url=chosen.url, headers=headers(chosen), timeout=10, trust_env=False) as client:
        found.extend(_bot(client, clock))
    return found


def _journal(chosen: settings.Settings, clock: Callable[[], float]) -> Iterator[Finding]:
    try:
        journal = Journal(chosen.journal)
    except sqlite3.Error as error:
        yield Finding("journal", "bad", f"{chosen.journal} cannot be written: {error}")
        return
    standing = journal.standing()
    journal.close()
    age = 0 if standing.oldest_at is None else max(clock() - standing.oldest_at, 0)
    waiting = f"{standing.waiting} events wait, the oldest for {age:.0f} s; {standing.releases} holds to give back"
    yield Finding("journal", "look" if age > BEARABLE_AGE else "good", waiting)
    if standing.refused:
        refused = "event was refused" if standing.refused == 1 else "events were refused"
        detail = f"{standing.refused} {refused}: see `refused`, correct the cause, then `retry`"
        yield Finding("refused", "bad", detail)


def _bot(client: httpx.Client, clock: Callable[[], float]) -> Iterator[Finding]:
    try:
        health = client.get("/healthz")
        answer = client.get("/v1/wallets/me", params={"user": STRANGER})
    except httpx.HTTPError as error:
        yield Finding("bot", "bad", f"{client.base_url} does not answer: {type(error).__name__}")
        return
    yield Finding("bot", "good" if health.is_success else "bad", f"{client.base_url} answers {health.status_code}")
    yield _key(answer)
    if "date" in health.headers:
        skew = parsedate_to_datetime(health.headers["date"]).timestamp() - clock()
        yield Finding("clock", "good" if abs(skew) <= BEARABLE_SKEW else "bad", f"{abs(skew):.0f} s from the bot's")


def _key(answer: httpx.Response) -> Finding:
    """Nobody's wallet is asked for: only a key that opens wallets is told so."""
    if answer.status_code == httpx.codes.NOT_FOUND and any(code in answer.text for code in NOBODY):
        return Finding("key", "good", "it opens holds")
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return Finding("key", "bad", f"HTTP {answer.status_code}: create one with the scope holds:write")
    return Finding("key", "bad", f"HTTP {answer.status_code}: this bot has no holds; a newer release does")
