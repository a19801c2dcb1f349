"""What administrators decide that grants follow from: budgets, pay bands, leaves, projects, waves; all audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from policy import rollout
from policy.reasons import Refusal
from programme import handbooks
from programme.people import directory, projects_file
from store import audit
from store.people import terms as store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from policy.period import Month
    from policy.units import NanoUSD
    from store.engine import Session

SEED = "waves_seed"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import of projects did."""

    projects: int
    assignments: int
    ended: int


def set_budget(session: Session, month: Month, amount: NanoUSD, *, actor: str, now: datetime) -> None:
    """Bound what a month's grants, and later ones', may cost."""
    before = store.budget(session, month)
    store.set_budget(session, month, amount, actor=actor, now=now)
    _note(
        session, "budgets.set", str(month), actor, now,
        before={"usd": f"{before.decimal:f}"} if before else None, after={"usd": f"{amount.decimal:f}"},
    )  # fmt: skip


def budgets(session: Session) -> list[store.Budget]:
    return store.budgets_set(session)


def set_band(session: Session, band: str, midpoint: NanoUSD, *, holds_from: date, actor: str, now: datetime) -> None:
    """Say what the middle of a pay band is from a day on."""
    store.set_midpoint(session, band, holds_from=holds_from, midpoint=midpoint)
    _note(session, "bands.set", band, actor, now, after={"holds_from": holds_from.isoformat()})


def bands(session: Session, day: date) -> dict[str, NanoUSD]:
    return store.midpoints(session, day)


def set_leave(session: Session, email: str, first: date, last: date | None, *, actor: str, now: datetime) -> None:
    """Note that someone is away; a leave that is longer than the handbook's bound pauses their grants."""
    if last is not None and last < first:
        raise Refusal("leave_backwards", f"until = {last}: must not be before the first day, {first}.")
    person = directory.require(session, email)
    store.set_leave(session, person.id, first, last)
    after = {"first_day": first.isoformat(), "last_day": last.isoformat() if last else None}
    _note(session, "people.leave", person.id, actor, now, after=after)


def import_projects(session: Session, file: TextIO, *, today: date, actor: str, now: datetime) -> Imported:
    """Add or change projects and who works on them.

    The file is the whole truth of each project in it: anyone no longer listed with a project has left it. One bad
    line, and nothing is imported.
    """
    lines = projects_file.checked_lines(file, store.people_by_email(session))
    ended = store.replace_projects(session, lines, today=today)
    keys = {line.project for line in lines}
    _note(session, "projects.import", ",".join(sorted(keys)), actor, now, after={"assignments": len(lines)})
    return Imported(len(keys), sum(line.person_id is not None for line in lines), ended)


def draw_waves(session: Session, *, seed: str, actor: str, now: datetime) -> dict[int, int]:
    """Put every team into a wave by lot, with the seed on record; how many people are in each wave."""
    rules = handbooks.load(session).versions[-1].rollout
    teams = store.teams(session)
    waves = rollout.draw({team: len(members) for team, members in teams.items()}, len(rules.wave_months) + 1, seed)
    store.set_wave(session, {person: waves[team] for team, members in teams.items() for person in members})
    _note(session, "rollout.draw", "waves", actor, now, after={"seed": seed, "teams": len(teams)})
    sizes = dict.fromkeys(sorted(set(waves.values())), 0)
    for team, wave in waves.items():
        sizes[wave] += len(teams[team])
    return sizes


def _note(
    session: Session,
    action: str,
    subject: str,
    actor: str,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.note(session, actor, action, subject, at=now, before=before, after=after)
