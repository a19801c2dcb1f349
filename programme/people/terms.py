"""What administrators decide that grants follow from: budgets, pay bands, leaves, projects, waves; all audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from policy import rollout, texts
from policy.reasons import Refusal
from policy.value import currencies
from policy.value.currencies import USD, Money
from programme import pausing
from programme.people import directory, projects_file
from store import audit
from store.grants import pauses
from store.ledger import ledger
from store.people import terms as store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from policy.period import Month
    from policy.units import NanoUSD
    from programme.moment import Moment

SEED = "waves_seed"


@dataclass(frozen=True, slots=True)
class ProjectsImport:
    """What an import of projects did."""

    projects: int
    assignments: int
    ended: int


def set_budget(moment: Moment, month: Month, amount: NanoUSD, *, actor: str) -> None:
    """Bound what a month's grants, and later ones', may cost."""
    before = store.budget(moment.session, month)
    store.set_budget(moment.session, month, amount, actor=actor, now=moment.now)
    _note(
        moment,
        "budgets.set",
        str(month),
        actor,
        before={"usd": f"{before.decimal:f}"} if before else None,
        after={"usd": f"{amount.decimal:f}"},
    )


def budgets(moment: Moment) -> list[store.Budget]:
    return store.budgets_set(moment.session)


def set_band(moment: Moment, band: str, midpoint: NanoUSD | Money, *, holds_from: date, actor: str) -> None:
    """Say what the middle of a pay band is from a day on."""
    texts.require_name("band", band)
    given = midpoint if isinstance(midpoint, Money) else Money(USD, int(midpoint))
    given = Money(currencies.require_code(given.currency), given.nano)
    store.set_midpoint(moment.session, band, holds_from=holds_from, midpoint=given)
    after = {"holds_from": holds_from.isoformat(), "currency": given.currency}
    _note(moment, "bands.set", band, actor, after=after)


def bands(moment: Moment, day: date) -> dict[str, Money]:
    return store.midpoints(moment.session, day)


def set_leave(moment: Moment, email: str, first: date, last: date | None, *, actor: str) -> None:
    """Note that someone is away; one that is longer than the handbook's bound pauses their grants, and their lots."""
    if last is not None and last < first:
        raise Refusal("leave_backwards", f"until = {last}: must not be before the first day, {first}.")
    person = directory.require(moment, email)
    store.set_leave(moment.session, person.id, first, last)
    ledger.lock(moment.session, pauses.wallets_of(moment.session, [person.id]))
    pausing.count(moment, [person.id])
    after = {"first_day": first.isoformat(), "last_day": last.isoformat() if last else None}
    _note(moment, "people.leave", person.id, actor, after=after)


def import_projects(moment: Moment, file: TextIO, *, today: date, actor: str) -> ProjectsImport:
    """Add or change projects and who works on them.

    The file is the whole truth of each project in it: anyone no longer listed with a project has left it. One bad
    line, and nothing is imported.
    """
    lines = projects_file.checked_lines(file, store.people_by_email(moment.session))
    ended = store.replace_projects(moment.session, lines, today=today)
    keys = {line.project for line in lines}
    _note(moment, "projects.import", ",".join(sorted(keys)), actor, after={"assignments": len(lines)})
    return ProjectsImport(len(keys), sum(line.person_id is not None for line in lines), ended)


def draw_waves(moment: Moment, *, seed: str, actor: str) -> dict[int, int]:
    """Put every team into a wave by lot, with the seed on record; how many people are in each wave."""
    rules = moment.handbooks.versions[-1].rollout
    teams = store.teams(moment.session)
    waves = rollout.draw({team: len(members) for team, members in teams.items()}, len(rules.wave_months) + 1, seed)
    store.set_wave(moment.session, {person: waves[team] for team, members in teams.items() for person in members})
    _note(moment, "rollout.draw", "waves", actor, after={"seed": seed, "teams": len(teams)})
    sizes = dict.fromkeys(sorted(set(waves.values())), 0)
    for team, wave in waves.items():
        sizes[wave] += len(teams[team])
    return sizes


def _note(
    moment: Moment,
    action: str,
    subject: str,
    actor: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    audit.note(moment.session, actor, action, subject, at=moment.now, before=before, after=after)
