"""What a setup does, a step at a time: each says what it did, and does nothing where it was done before."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot import settings as settings_of
from bot import wiring
from bot.setup import answers as told
from bot.setup import files
from policy.handbook import document
from policy.period import Month
from policy.reasons import Refusal
from programme import handbooks, table_file
from programme.handbook import applying, proposing
from programme.people import directory, terms
from programme.usage import keys
from store import schema
from store.handbook import reference
from store.people import terms as terms_store
from store.usage import keys as keys_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.settings import Settings
    from bot.setup.answers import Answers
    from programme.app import App
    from programme.moment import Moment

VARIABLES = {
    "TOKENS_GOVERNANCE_CHANNEL": "governance_channel",
    "TOKENS_ANNOUNCE_CHANNEL": "announce_channel",
    "TOKENS_BOARD_USERGROUP": "board_usergroup",
}


def environment(answers: Answers) -> dict[str, str]:
    """The settings that the answers make, by variable; what they leave empty is not among them."""
    said = {
        "TOKENS_TIME_ZONE": answers.time_zone,
        "TOKENS_DATABASE_URL": answers.database,
        "TOKENS_HANDBOOK": answers.handbook,
        **{f"SLACK_{name.upper()}": told.secret(answers, name) for name in told.SECRETS},
        **{variable: getattr(answers.slack, name) for variable, name in VARIABLES.items()},
    }
    return {name: value for name, value in said.items() if value}


def settings(answers: Answers, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings as they will be: the answers over the present `.env`, and the environment over both.

    Refused where the environment says something else than the answers: it would win, unseen.
    """
    outside, ours = os.environ if environ is None else environ, environment(answers)
    if other := [name for name, value in ours.items() if outside.get(name, value) != value]:
        text = f"The environment sets {', '.join(other)} to something else, and it wins over .env."
        raise Refusal("environment_differs", text, next_step="Unset it there, or answer the same.")
    return settings_of.load({**files.env_values(), **ours, **outside})


def write_env(answers: Answers) -> str:
    """The answers in `.env`, unless they are there."""
    before = files.ENV.read_text("utf-8") if files.ENV.exists() else ""
    after = files.env_text(before, environment(answers))
    if before == after:
        return f"{files.ENV} is as it was."
    files.write_private(files.ENV, after)
    return f"{files.ENV} is written; only you may read it."


def write_handbook(answers: Answers, text: str) -> str:
    """The company's handbook, unless it is there."""
    path = Path(answers.handbook)
    if path.exists() and path.read_text("utf-8") == text:
        return f"{path} is as it was."
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return f"{path} is written. Read it once: it has every rule of the programme, each with a comment."


@contextmanager
def rehearsal(loaded: Settings, answers: Answers) -> Iterator[tuple[App, bool]]:
    """An app to try everything in, and whether it stands on the company's own ledger, or on an empty one for now."""
    app = wiring.new_app(loaded) if _is_there(loaded.database_url) else None
    is_own = app is not None and _has_tables(app)
    with TemporaryDirectory() as folder:
        if app is None or not is_own:
            app = wiring.new_app(replace(loaded, database_url=f"sqlite:///{folder}/rehearsal.db"))
            wiring.migrate(app, handbook=files.first_handbook(Path(answers.handbook), answers))
        try:
            wiring.require_ready(app)
            yield app, is_own
        finally:
            app.database.close()


def migrate(app: App, answers: Answers) -> Iterator[str]:
    """The tables, with the zone on record for ever; the handbook is written and is the first that is applied."""
    path = Path(answers.handbook)
    if _has_tables(app):
        with app.reading() as moment:
            text = handbook_text(moment, answers)
    else:
        text = files.first_handbook(path, answers)
    yield write_handbook(answers, text)
    wiring.migrate(app, handbook=text)
    wiring.require_ready(app)
    yield f"The database has its tables. Its days are those of {app.zone.key}, for ever."


def _is_there(url: str) -> bool:
    """Whether looking changes nothing: opening a SQLite file that is not there would make it."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        return True
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").exists()


def _has_tables(app: App) -> bool:
    with app.database.reading() as session:
        return schema.current_revision(session) is not None


def handbook_text(moment: Moment, answers: Answers) -> str:
    """The handbook to apply; where another text has its version, with the next one that is free."""
    text = files.first_handbook(Path(answers.handbook), answers)
    if text in reference.handbook_bodies(moment.session):
        return text
    return files.with_free_version(text, {one.version for one in handbooks.load(moment.session).versions})


def fill(moment: Moment, answers: Answers, *, actor: str) -> Iterator[str]:
    """The company in its ledger: the handbook, people, pay bands, the budget."""
    yield _apply(moment, handbook_text(moment, answers), answers.handbook, actor=actor)
    if answers.people:
        with Path(answers.people).open("rb") as file:
            done = directory.import_csv(moment, table_file.opened(io.BytesIO(file.read())), actor=actor)
        yield f"People: {done.added} added, {done.changed} changed, {done.unchanged} unchanged."
    if answers.bands:
        yield _set_bands(moment, answers, actor=actor)
    if answers.budget != "":
        yield _set_budget(moment, answers, actor=actor)


def _apply(moment: Moment, text: str, path: str, *, actor: str) -> str:
    """The handbook, unless it is applied; where that takes two people, how they do it with the file that is written."""
    bodies = reference.handbook_bodies(moment.session)
    if text in bodies:
        return f"Handbook {document(text)['version']} is applied."
    try:
        alone = proposing.why_alone(moment)
    except Refusal:
        dated = f"write in {path} from when it holds (effective_from), then `tokens-bot handbook propose {path}`"
        return f"Handbook {document(text)['version']} takes two people: {dated}. The board confirms it in Slack."
    applied = applying.apply(moment, text, actor=actor, alone=alone)
    return f"Handbook {applied.version} applies from {applied.effective_from}."


def _first_month(moment: Moment, answers: Answers) -> Month:
    return max(answers.launch_month or Month.containing(moment.today), Month.containing(moment.today))


def _set_bands(moment: Moment, answers: Answers, *, actor: str) -> str:
    first = min(moment.today, _first_month(moment, answers).first_day)
    held = terms_store.midpoints(moment.session, moment.today)
    new = {band: told.midpoint_of(given) for band, given in answers.bands.items()}
    changed = {band: midpoint for band, midpoint in new.items() if held.get(band) != midpoint}
    for band, midpoint in changed.items():
        terms.set_band(moment, band, midpoint, holds_from=first, actor=actor)
    return f"Pay bands: {len(changed)} set, {len(new) - len(changed)} unchanged."


def _set_budget(moment: Moment, answers: Answers, *, actor: str) -> str:
    month, usd = _first_month(moment, answers), told.budget_of(answers)
    if terms_store.budget(moment.session, month) == usd:
        return f"The budget of {month} is as it was."
    terms.set_budget(moment, month, usd, actor=actor)
    return f"From {month} on, a month's grants cost at most USD {usd.decimal:,.2f}."


def create_key(moment: Moment, answers: Answers, *, actor: str) -> str:
    """The first key of a gateway, its secret in a file; nothing where a key of that name is there."""
    gateway = answers.gateway
    assert gateway is not None  # noqa: S101 - asked by the caller
    if any(one.name == gateway.name for one in keys_store.listed(moment.session)):
        return f"Key {gateway.name!r} is there already."
    source = gateway.source or gateway.name
    made = keys.create(moment, name=gateway.name, source=source, scopes=gateway.scopes, actor=actor)
    files.write_private(gateway.path, f"{made.secret}\n")
    return f"Key {gateway.name!r} of {source} is in {gateway.path}. Put it into the gateway, then delete the file."
