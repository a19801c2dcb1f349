"""`usage show`, `usage correct`, `usage withdraw`: one event, named by its source and id."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bot.cli import common, listing
from handlers.decoding import UnfitFieldError
from handlers.usage import csv_files
from handlers.usage.formats import fingerprint, service_tier
from policy.metering import METERS
from policy.reasons import Refusal
from policy.units import NanoUSD
from policy.versions import LARGEST_REVISION, LONGEST_REASON, Version
from programme.finance import seconded
from programme.finance.seconded import Correction
from programme.usage import cards, corrections

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.metering import Meters, UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from programme.usage.cards import EventCard
    from programme.usage.intake import Outcome

    Fields = dict[str, Any]

MOST_COUNTED = 10**15


class CountType(click.ParamType[tuple[str, int]]):
    """A meter and how much of it was used, such as output=1200."""

    name = "METER=COUNT"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        meter, _, count = value.partition("=")
        if meter not in METERS and count != "0":
            self.fail(f"{meter!r} is no meter; meters are {', '.join(METERS)}", param, ctx)
        if not (count.isascii() and count.isdecimal() and int(count) <= MOST_COUNTED):
            self.fail(f"{count!r} is no count from 0 to {MOST_COUNTED}", param, ctx)
        return meter, int(count)


def _reason(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > LONGEST_REASON:
        raise click.BadParameter(f"say why, in 1 to {LONGEST_REASON} characters")
    return value


source_option = click.option("--source", help="The source, where EVENT is the id alone.")
reason_option = click.option("--reason", required=True, callback=_reason, help="Why; it is kept with the change.")
revision_option = click.option(
    "--revision", type=click.IntRange(1, LARGEST_REVISION), help="The next one when left out."
)


@click.command("show")
@click.argument("event")
@source_option
@common.json_option
def show_event(event: str, *, source: str | None, as_json: bool) -> None:
    """Show a usage event, named as SOURCE/ID: what it was debited, every version of it, and what was undone."""
    with common.app() as app, app.reading() as moment:
        card = cards.card(moment, cards.find(moment, event, source).key)
    if as_json:
        common.print_json(common.plain(card))
        return
    for name, value in _told(card).items():
        click.echo(f"{name}: {value}")
    if card.versions:
        rows = [(v.revision, v.action, listing.instant(v.kept_at), v.actor, v.reason) for v in card.versions]
        common.print_table(("revision", "action", "kept at", "by", "reason"), rows)
    for line in card.reversals:
        click.echo(
            f"revision {line.revision}: {listing.written(line.debit)} tokens of entry {line.entry_id} undone by entry"
            f" {line.reversal_entry_id}"
        )


@click.command("correct")
@click.argument("event")
@source_option
@click.option("--count", "counts", type=CountType(), multiple=True, help="What was used of a meter; 0 takes it out.")
@click.option("--provider", help="Whose service it was.")
@click.option("--model", help="Which model.")
@click.option("--tier", help="The service tier; standard for none.")
@click.option("--project", help="For what.")
@click.option("--user", help="An e-mail, or the name by which gateways know the person.")
@click.option("--at", type=common.InstantType(), help="When it was used.")
@revision_option
@reason_option
@common.second_word_option
@common.dry_run_option
@common.json_option
def correct_event(event: str, **options: Any) -> None:  # noqa: ANN401 - one for each option
    """Say what is right of a usage event, named as SOURCE/ID; what is left out stays.

    The wrong debit is reversed and the right one posted, at the event's own day, price and value.
    """
    _put_right(event, options, lambda before: _corrected(before, options))


@click.command("withdraw")
@click.argument("event")
@source_option
@revision_option
@reason_option
@common.second_word_option
@common.dry_run_option
@common.json_option
def withdraw_event(event: str, **options: Any) -> None:  # noqa: ANN401 - one for each option
    """Take back a usage event, named as SOURCE/ID, that never was; what it was debited is reversed."""
    _put_right(event, options, lambda _before: None)


def _put_right(event: str, options: Fields, content_of: Callable[[UsageEvent], UsageEvent | None]) -> None:
    with common.app() as app:
        with app.undone() as moment:
            tried = _take_in(moment, event, options, content_of)
        if options["dry_run"]:
            done = tried
        else:
            require_agreed(app, _correction(tried), options["spoken_by"])
            with app.transaction() as moment:
                done = _take_in(moment, event, options, content_of)
    _report(done.before, done.after, (done.outcome.status, done.outcome.detail), options)


class _Taken(NamedTuple):
    """A version that was taken in, and the event before and after it."""

    version: Version
    before: EventCard
    after: EventCard
    outcome: Outcome


def _take_in(
    moment: Moment, event: str, options: Fields, content_of: Callable[[UsageEvent], UsageEvent | None]
) -> _Taken:
    standing = cards.find(moment, event, options["source"])
    before, content = cards.card(moment, standing.key), content_of(standing.event)
    if content is None and before.state == "withdrawn":
        raise Refusal("nothing_to_correct", f"{event} is withdrawn already.")
    revision = options["revision"] or standing.revision + 1
    version = Version(*standing.key, revision, content, options["reason"])
    [outcome] = corrections.take_in(moment, [version], actor=common.actor(), time_field="--at")
    if outcome.status == "rejected":
        raise Refusal("ahead", f"{outcome.detail}.")
    if outcome.status == "conflict":
        raise Refusal("conflict", f"Revision {revision}: {outcome.detail}.", next_step="Leave --revision out.")
    return _Taken(version, before, cards.card(moment, standing.key), outcome)


def _correction(taken: _Taken) -> Correction:
    """What it moves: all of the cost where it is somebody else's from then on, else the difference."""
    version, before, after, _ = taken
    costs = [int(card.cost or 0) for card in (before, after)]
    amount = abs(costs[1] - costs[0]) if before.person == after.person else max(costs)
    what = f"usage.{version.action} {'/'.join(version.key)}"
    return Correction(what, digest(what, version.revision, version.fingerprint.hex()), NanoUSD(amount))


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def require_agreed(app: App, correction: Correction, email: str | None) -> None:
    """A Refusal of a large correction that nobody else from finance has asked for; it is kept as asked for."""
    with app.transaction() as moment:
        is_agreed = seconded.is_agreed(moment, correction, common.speaker(email))
    if not is_agreed:
        raise Refusal(
            "second_person",
            f"It comes to USD {listing.written(correction.amount)}, so it waits for a second person from finance.",
            next_step="Have somebody else give the same command, with their e-mail after `--by`.",
        )


def _corrected(event: UsageEvent, options: Fields) -> UsageEvent:
    given = _named(options)
    if unknown := next(
        (meter for meter, _ in options["counts"] if meter not in METERS and meter not in event.meters), ""
    ):
        raise Refusal(
            "no_such_meter", f"The event counts no {unknown!r}.", next_step="`usage show` tells what it counts."
        )
    counted: Meters = {**event.meters, **dict(options["counts"])}
    right = event._replace(meters={meter: count for meter, count in counted.items() if count}, **given)
    if right == event:
        raise Refusal("nothing_to_correct", "Nothing was named that differs.", next_step="See --help for what can be.")
    when, who, what = right.occurred_at, right.identities, (right.provider, right.model, right.tier)
    return right._replace(fingerprint=fingerprint(when, who, *what, right.meters, right.project))


def _named(options: Fields) -> Fields:
    """What options say of an event, read as a file's cells are."""
    given: Fields = {}
    try:
        for name, (field, read) in _READERS.items():
            if options[name] is not None:
                given[field] = read(options[name])
    except UnfitFieldError as error:
        raise Refusal("bad_name", f"{error}.") from error
    if options["user"] is not None and not given["identities"]:
        raise Refusal("bad_name", "user: expected a name that is not empty.", next_step="Leave out what stays.")
    if options["tier"] is not None:
        given["tier"] = service_tier(options["tier"].strip())
    if options["at"]:
        given["occurred_at"] = options["at"]
    return given


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "provider": ("provider", csv_files.read_provider),
    "model": ("model", csv_files.read_model),
    "project": ("project", csv_files.read_project),
    "user": ("identities", csv_files.read_identities),
}
"""The field of an event that an option is about, and what reads it."""


def _report(before: EventCard, after: EventCard, outcome: tuple[str, str], options: Fields) -> None:
    status, detail = outcome
    if options["as_json"]:
        both = {"before": common.plain(before), "after": common.plain(after)}
        common.print_json({"status": status, "detail": detail, "dry_run": options["dry_run"], **both})
        return
    old, new = _told(before), _told(after)
    common.print_table(
        ("", "before", "after"), [(name, old[name], new[name]) for name in old if old[name] != new[name]]
    )
    common.told(f"{status}{f': {detail}' if detail else ''}.", dry_run=options["dry_run"])


def _told(card: EventCard) -> dict[str, str]:
    """The fields of an event for people."""
    told = {field.name: getattr(card, field.name) for field in dataclasses.fields(card)}
    told |= {"meters": ", ".join(f"{count:,} {meter}" for meter, count in card.meters.items())}
    told |= {"identities": ", ".join(card.identities), "cost": f"USD {listing.written(card.cost)}"}
    told |= {name: f"{listing.written(told[name])} tokens" for name in ("debit", "balance")}
    return {
        name.replace("_", " "): "–" if value in {"", None} else str(value)
        for name, value in told.items()
        if name not in {"versions", "reversals"}
    }


COMMANDS: tuple[click.Command, ...] = (show_event, correct_event, withdraw_event)
