"""`quarantine list|show|fix|discard|retry`."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import click

from bot.cli import common, listing
from policy.metering import METERS, named
from policy.reasons import Refusal
from programme.usage import quarantine as settling
from programme.usage.quarantine import Correction, Settled, Wanted
from scheduler import quarantine as retry
from store.usage import events as usage_store
from store.usage import quarantine as store
from store.usage.events import content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from policy.metering import UsageEvent
    from programme.app import App
    from programme.moment import Moment
    from store.usage.events import QuarantinedEvent
    from store.usage.quarantine import Case, Group, Place

    Work = Callable[[Moment, Wanted, Place | None], Settled]

why_option = click.option("--why", required=True, help="The reason; it goes on record.")
name_option = click.option(
    "--all",
    "name",
    metavar="NAME",
    help="All that wait under a name, as `quarantine list` shows it: provider, provider/model, user:NAME, email:NAME,"
    " key_alias:NAME, or nobody.",
)
source_option = click.option("--source", help="With --all: those of one gateway only.")


@click.group()
def quarantine() -> None:
    """Usage that cannot be priced or attributed yet."""


@quarantine.command("list")
@click.option("--limit", type=common.COUNTED, default=50, show_default=True)
@click.option("--events", "one_by_one", is_flag=True, help="Every event, the oldest first, instead of groups.")
@click.option("--source", help="Only of this gateway.")
@click.option("--reason", help="Only what waits for this reason, such as unknown_person.")
@common.json_option
def list_quarantine(*, limit: int, one_by_one: bool, source: str | None, reason: str | None, as_json: bool) -> None:
    """List what is waiting, why, since when, and what to do about it."""
    with common.app() as app, app.database.reading() as session:
        wanted = usage_store.only(source, reason)
        held = usage_store.held_events(session, limit=limit, wanted=wanted) if one_by_one or as_json else []
        groups = store.groups(session, limit=limit, source=source, reason=reason)
        counts = usage_store.count_held(session, wanted)
    if as_json:
        events = [dict(zip(HEADING, _row(one), strict=True)) for one in held]
        common.print_json({"counts": counts, "groups": [_group(one) for one in groups], "events": events})
        return
    if held:
        common.print_table(HEADING, [_row(one) for one in held])
    elif not one_by_one:
        for one in groups:
            _print_group(one)
    total = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
    click.echo(f"{sum(counts.values()):,} waiting{f': {total}' if total else ''}.")


HEADING = ("source", "event_id", "occurred_at", "reason", "detail", "since")


def _row(one: QuarantinedEvent) -> tuple[str, ...]:
    used = one.event.occurred_at.isoformat()
    return one.event.source, one.event.event_id, used, one.reason, one.detail, f"{one.since:%Y-%m-%d}"


def _group(one: Group) -> dict[str, object]:
    return {
        "reason": one.reason,
        "detail": one.detail,
        "name": settling.name_of(one.reason, one.example),
        "events": one.events,
        "sources": list(one.sources),
        "example": f"{one.example.source}/{one.example.event_id}",
        "first_used": one.first_used.isoformat(),
        "last_used": one.last_used.isoformat(),
        "since": one.since.isoformat(),
        "remedy": remedy(one.reason, one.example, one.sources),
    }


def _print_group(one: Group) -> None:
    calls = "1 call" if one.events == 1 else f"{one.events:,} calls"
    used = {f"{one.first_used:%Y-%m-%d}", f"{one.last_used:%Y-%m-%d}"}
    click.echo(f"{calls} of {_whose(one)} ({', '.join(one.sources)}; used {' to '.join(sorted(used))})")
    click.echo(f"  {one.reason}: {one.detail}")
    click.echo(f"  → {remedy(one.reason, one.example, one.sources)}")


def _whose(one: Group) -> str:
    if one.reason in settling.OF_PEOPLE:
        return settling.name_of(one.reason, one.example)
    return named(one.example.provider, one.example.model, one.example.tier)


def remedy(reason: str, event: UsageEvent, sources: Sequence[str]) -> str:
    """What to do about events that wait like this one: a command, or where the cause is removed."""
    only = f" --source {shlex.quote(sources[0])}" if len(sources) == 1 else ""
    all_of = f"--all {shlex.quote(settling.name_of(reason, event))}{only}"
    fix, discard = f"`tokens-bot quarantine fix {all_of}", f"`tokens-bot quarantine discard {all_of} --why …`"
    match reason:
        case "unknown_person":
            return f"say whose it is with {fix} --person EMAIL --why …`, or {discard}"
        case "unapproved_service":
            return f"name its provider with {fix} --provider NAME --why …`, or approve the service in the handbook"
        case "unknown_model":
            return f"name its model with {fix} --model NAME --why …`, or give it a price in the handbook"
        case "unpriced_meter":
            return f"{_priced(event)}, or {discard}"
        case "not_employed":
            return f"correct their first or last day with `tokens-bot people import`, or {discard}"
    return f"look at one with `tokens-bot quarantine show {shlex.quote(f'{event.source}/{event.event_id}')}`"


def _priced(event: UsageEvent) -> str:
    """How a count gets its price: a handbook knows our meters, and not the names that senders made up."""
    unknown = next((meter for meter in event.meters if meter not in METERS), None)
    if unknown is None:
        return "give that meter a price in the handbook"
    one = shlex.quote(f"{event.source}/{event.event_id}")
    return (
        "let it be reported under a name that docs/operators/gateways.md has; if it costs nothing, take it out with"
        f" `tokens-bot usage correct {one} --count {unknown}=0 --reason …`"
    )


@quarantine.command("show")
@click.argument("event", metavar="EVENT")
@common.json_option
def show_event(event: str, *, as_json: bool) -> None:
    """Show an event that waits or once did, whole, and everything that was done to it.

    EVENT is its id, or SOURCE/ID where several gateways use the same one.
    """
    with common.app() as app, app.reading() as moment:
        case = settling.find(moment, event)
    fields = _fields(case)
    if as_json:
        common.print_json(fields)
        return
    for name, value in fields.items():
        if name != "steps" and value not in ("", None):
            click.echo(f"{name:<12} {_text(value)}")
    for line in _history(case):
        click.echo(line)
    if case.state == "waiting":
        click.echo(f"→ {remedy(case.reason, case.event, [case.event.source])}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {meter}" for meter, count in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(f"{kind} {name!r}" for kind, name in value) or "no one was named"
    return str(value)


def _history(case: Case) -> Iterator[str]:
    """What was done to an event, and what it said before."""
    contents = [*(step.before for step in case.steps if step.before), content(case.event)]
    for step in case.steps:
        yield f"{listing.instant(step.at)} {step.step} by {step.actor}{f': {step.why}' if step.why else ''}"
        if step.before:
            contents.pop(0)
            # What arrived has tuples where what was kept has lists.
            after = {field: _plain(value) for field, value in contents[0].items()}
            for field, was in step.before.items():
                if _plain(was) != after[field]:
                    yield f"    {field}: {_text(_plain(was))} → {_text(after[field])}"


def _plain(value: object) -> object:
    return [list(one) for one in value] if isinstance(value, list | tuple) else value


def _fields(case: Case) -> dict[str, object]:
    event = case.event
    return {
        "source": event.source,
        "event_id": event.event_id,
        "state": case.state,
        "reason": case.reason,
        "detail": case.detail,
        "since": case.since.isoformat(),
        "left_at": case.left_at.isoformat() if case.left_at else None,
        "occurred_at": event.occurred_at.isoformat(),
        "identities": [list(name) for name in event.identities],
        "provider": event.provider,
        "model": event.model,
        "tier": event.tier,
        "meters": event.meters,
        "project": event.project,
        "steps": [
            {"step": s.step, "at": s.at.isoformat(), "actor": s.actor, "why": s.why, "before": s.before}
            for s in case.steps
        ],
    }


@quarantine.command("fix")
@click.argument("event", metavar="[EVENT]", required=False)
@name_option
@source_option
@click.option("--provider", help="The right provider.")
@click.option("--model", help="The right model.")
@click.option("--person", metavar="EMAIL", help="Whose it is. With --all the name is theirs from now on.")
@why_option
@common.dry_run_option
@common.json_option
def fix_events(
    *,
    event: str | None,
    name: str | None,
    source: str | None,
    provider: str | None,
    model: str | None,
    person: str | None,
    why: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Correct what an event says, or all that wait under a name, and post at once what can be posted then.

    It is posted at the time it was used, at the price of that day. What arrived stays on record.
    """
    correction = Correction(provider, model, person)

    def work(moment: Moment, wanted: Wanted, after: Place | None) -> Settled:
        return settling.fix(moment, wanted, correction, actor=common.actor(), why=why, after=after)

    def work_versions(moment: Moment, wanted: Wanted, after: Place | None) -> Settled:
        return settling.fix_versions(moment, wanted, correction, actor=common.actor(), why=why, after=after)

    done = _settle(event, name, source, (work, work_versions), dry_run=dry_run)
    still = done.still or Counter()
    if as_json:
        mapped = sorted(done.mapped)
        figures = {"fixed": done.events, "posted": done.posted, "waiting": still.total(), "reasons": dict(still)}
        common.print_json({**figures, "mapped": mapped, "dry_run": dry_run})
        return
    if done.mapped:
        said = f"{name} of {', '.join(sorted(done.mapped))} is {person}, for later usage as well."
        common.told(said, dry_run=dry_run)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(still.items()))
    waits = f", {still.total():,} still waiting: {reasons}" if still else ""
    common.told(f"{done.events:,} fixed, {done.posted:,} posted{waits}.", dry_run=dry_run)


@quarantine.command("discard")
@click.argument("event", metavar="[EVENT]", required=False)
@name_option
@source_option
@why_option
@common.dry_run_option
@common.json_option
def discard_events(
    *,
    event: str | None,
    name: str | None,
    source: str | None,
    why: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let an event, or all that wait under a name, leave for good: kept on record as discarded, never debited."""

    def work(moment: Moment, wanted: Wanted, after: Place | None) -> Settled:
        return settling.discard(moment, wanted, actor=common.actor(), why=why, after=after)

    done = _settle(event, name, source, (work,), dry_run=dry_run)
    if as_json:
        common.print_json({"discarded": done.events, "dry_run": dry_run})
    else:
        common.told(f"{done.events:,} discarded.", dry_run=dry_run)


def _settle(
    event: str | None, name: str | None, source: str | None, works: Sequence[Work], *, dry_run: bool
) -> Settled:
    """Do each work on all that is meant, in batches of a transaction each; whoever is stopped begins again."""
    if (event is None) == (name is None):
        raise click.UsageError("Name one EVENT, or all of a name with --all.")
    if event is not None and source is not None:
        raise click.UsageError("--source goes with --all; an event of one gateway is SOURCE/ID.")
    with common.app() as app:
        with app.reading() as moment:
            wanted = settling.waiting(moment, event) if event else Wanted(name=name or "", source=source)
        done = Settled(still=Counter())
        for work in works:
            if dry_run:
                with app.undone() as moment:
                    _in_batches(app, partial(work, moment, wanted), done)
            else:
                _in_batches(app, partial(_one_batch, app, work, wanted), done)
    if not done.events:
        what = f"Nothing that this would change waits under the name {name!r}." if name else f"{event} is so already."
        raise Refusal("nothing_waits", what, next_step="See `tokens-bot quarantine list`.")
    return done


def _one_batch(app: App, work: Work, wanted: Wanted, after: Place | None) -> Settled:
    with app.transaction() as moment:
        return work(moment, wanted, after)


def _in_batches(app: App, work: Callable[[Place | None], Settled], done: Settled) -> None:
    """Do a work to its end, and add up what was done."""
    after = None
    with app.database.reading() as session:
        length = sum(usage_store.count_held(session).values())
    with click.progressbar(length=length, label="Looking through what waits", file=sys.stderr) as bar:
        while (some := work(after)).last is not None:
            done.events += some.events
            done.posted += some.posted
            done.still = (done.still or Counter()) + (some.still or Counter())
            done.mapped |= some.mapped
            bar.update(settling.BATCH)
            after = some.last


@quarantine.command("retry")
@common.dry_run_option
@common.json_option
def retry_quarantine(*, dry_run: bool, as_json: bool) -> None:
    """Post what can now be priced and attributed, at the time it was used."""
    with common.app() as app:
        released, held = retry.retry_all(app, within=partial(common.moment_of, app, dry_run=dry_run))
    if as_json:
        common.print_json({"released": released, "held": held, "dry_run": dry_run})
    else:
        common.told(f"{released:,} released, {held:,} still waiting.", dry_run=dry_run)
