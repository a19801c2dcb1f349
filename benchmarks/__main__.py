"""`make bench`: every benchmark, or some of them with fewer events."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

import click

from benchmarks import (
    balance,
    charts,
    drafting,
    effects,
    focus,
    held,
    home,
    intake,
    invoiced,
    ledgers,
    memory,
    messages,
    mixed,
    monthly,
    provisioning,
    quarterly,
    reconciled,
    returned,
    review,
    scale,
    simulated,
    traffic,
    votes,
    weekly,
    writers,
    years,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from programme.app import App

SMALL = 10_000
RATIO_EVENTS = 500_000
NAMES = (
    "intake",
    "writers",
    "growth",
    "memory",
    "monthly",
    "messages",
    "votes",
    "holds",
    "mixed",
    "home",
    "charts",
    "weekly",
    "review",
    "drafting",
    "quarterly",
    "roi",
    "scim",
    "reconciliation",
    "focus",
    "years",
    "scale",
)
TARGETS = {"sqlite": (5.0, 0.18), "postgresql": (8.0, 0.22)}


@click.command()
@click.option("--events", default=10_000_000, show_default=True, help="Usage rows of the large ledger.")
@click.option(
    "--only",
    type=click.Choice(NAMES),
    multiple=True,
    help="All when left out.",
)
@click.option("--database", "databases", type=click.Choice(ledgers.DATABASES), multiple=True, default=ledgers.DATABASES)
def main(events: int, only: tuple[str, ...], databases: tuple[str, ...]) -> None:
    """Measure, and print ratios to floors of the same run."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    of_databases: dict[str, Callable[[str], None]] = {
        "intake": lambda kind: _intake(kind, min(events, RATIO_EVENTS)),
        "growth": lambda kind: _growth_and_balance(kind, events),
        "monthly": lambda kind: _monthly(kind, events // 100),
        "messages": _messages,
        "votes": _votes,
        "holds": lambda kind: _holds(kind, events),
        "mixed": _mixed,
        "home": lambda kind: _home(kind, events // 10),
        "weekly": lambda kind: _weekly(kind, min(10_000, events // 1_000)),
        "drafting": lambda kind: _drafting(kind, min(10_000, events // 1_000)),
        "quarterly": lambda kind: _quarterly(kind, min(10_000, events // 1_000)),
        # In a smaller month the lost batch costs less than the tolerance.
        "reconciliation": lambda kind: _reconciliation(kind, max(200_000, min(events, 1_000_000))),
        "focus": lambda kind: _focus(kind, min(events, 1_000_000)),
        "years": years.main,
        "scim": lambda kind: _scim(kind, max(2_000, min(10_000, events // 1_000))),
    }
    for kind in databases:
        for name, measure in of_databases.items():
            if not only or name in only:
                measure(kind)
    if not only or "memory" in only:
        _memory(min(events, 1_000_000))
    if (not only or "writers" in only) and "postgresql" in databases:
        writers.main(min(events, RATIO_EVENTS))
    if (not only or "scale" in only) and "postgresql" in databases:
        scale.main()
    if not only or "charts" in only:
        _charts()
    if not only or "review" in only:
        _review()
    if not only or "roi" in only:
        _roi()


def _intake(kind: str, events: int) -> None:
    target = TARGETS[kind][1]
    for batch, shape in ((1_000, "sessions"), (10_000, "sessions"), (1_000, "scattered")):
        ours, floor = intake.ratio(kind, events=events, batch=batch, shape=shape)
        print(
            f"intake, {kind}, {shape}, batches of {batch:,}: {ours:,.0f}/s over a raw insert's {floor:,.0f}/s"
            f" = {ours / floor:.3f} (target >= {target})"
        )


def _focus(kind: str, rows: int) -> None:
    focus.main(kind, rows)
    invoiced.main(kind, rows)


def _reconciliation(kind: str, events: int) -> None:
    done = reconciled.measure(kind, events)
    print(
        f"reconciliation, {kind}, a month of {done.events:,} events: five planted faults are named, and nothing else;"
        f" {done.whole:.1f} s for all of it; to read both sides alone, cold, took {done.reading:.1f} s"
    )


def _scim(kind: str, users: int) -> None:
    with ledgers.empty(kind) as app, ledgers.empty(kind) as floor_app:
        found = provisioning.measured(app, floor_app, users)
    for what, spent in (("a request each", found.created), ("in bulks", found.bulk), ("a PATCH each", found.changed)):
        print(f"scim, {kind}, {users:,} users, {what}: {spent.over(found.floor)} (target <= 10)")


def _growth_and_balance(kind: str, events: int) -> None:
    """The balance of the same person with the same usage, alone in a ledger and among everyone else's."""
    target = TARGETS[kind][0]
    others = range(balance.SOMEBODY + 1, traffic.PEOPLE)
    with ledgers.ledger(kind) as alone, ledgers.ledger(kind) as app:
        for one in (alone, app):
            hers = _somebody(one)
        speeds = intake.growth(
            app,
            events=events,
            batch=10_000,
            report=lambda line: print(f"  {line}", flush=True),
            people=others,
            before=hers,
        )
        print(
            f"growth, {kind}: the last tenth of {events:,} events at {speeds[-1] / speeds[0]:.2f} of the first's speed"
            " (target >= 0.75)"
        )
        (small, large), floor = balance.measure(alone, app)
    for rows, ours in ((SMALL, small), (SMALL + events, large)):
        print(
            f"balance, {kind}, {rows:,} usage rows: {ours * 1e3:.3f} ms over an empty handler's {floor * 1e3:.3f} ms"
            f" = {ours / floor:.2f} (target <= {target})"
        )
    print(f"growth, {kind}: balance at {large / small:.2f} of its time at {SMALL:,} rows (target <= 1.1)")


def _somebody(app: App) -> traffic.Totals:
    """Ninety days of one person's usage."""
    totals = traffic.Totals()
    people = range(balance.SOMEBODY, balance.SOMEBODY + 1)
    for body, _, totals in traffic.batches(SMALL, SMALL // 10, people=people):  # noqa: B007
        intake.take_in(app, body)
    return totals


def _monthly(kind: str, most: int) -> None:
    """Each size in a company of its own; a person's cost should not grow with their number."""
    first = None
    for people in (1_000, 10_000, 100_000):
        if people > most:
            break
        ours, floor = monthly.measure(kind, people)
        first = first or ours / people
        print(
            f"monthly grants, {kind}, {people:,} people: {ours:.2f} s over raw inserts' {floor:.2f} s"
            f" = {ours / floor:.2f} (target <= 3); a person costs {ours / people / first:.2f} of the smallest run's"
        )


def _messages(kind: str) -> None:
    ours, floor = messages.statements(kind, 10_000)
    print(
        f"statements, {kind}: 10,000 rendered and owed in {ours:.2f} s over bare JSON's {floor:.2f} s"
        f" = {ours / floor:.1f}"
    )
    sent, bare = messages.throughput(kind)
    print(f"courier, {kind}: {sent:.0f} messages/s over bare posts' {bare:.0f}/s; Slack takes about 4/s")


def _votes(kind: str) -> None:
    """The same vote in a young ledger and in an old one; it should not take longer there."""
    measured = {past: votes.measure(kind, past) for past in (1_000, 100_000)}
    for past, vote in measured.items():
        print(
            f"votes, {kind}, {past:,} past requests: {vote.press * 1e3:.2f} ms over an empty handler's"
            f" {vote.empty * 1e3:.3f} ms = {vote.press / vote.empty:.1f}; CPU {vote.press_cpu * 1e3:.2f} ms"
            f" = {vote.press_cpu / vote.empty_cpu:.1f}; without Bolt {vote.decision * 1e3:.2f} ms;"
            f" a bare transaction of {vote.statements} statements with {vote.rows} rows {vote.raw * 1e3:.2f} ms"
        )
    small, large = measured.values()
    print(f"growth, {kind}: a vote at {large.press / small.press:.2f} of its time at 1,000 past requests")


def _holds(kind: str, past: int) -> None:
    """A call's hold and its settle over the bare driver, beside many past holds, and many at once."""
    for what, caps in (("the wallet alone", ""), ("two caps more", held.CAPS)):
        call, floor, statements = held.measure(kind, caps)
        print(
            f"holds, {kind}, {what}: reserve {call.reserve * 1e3:.2f} ms, settle {call.settle * 1e3:.2f} ms, over"
            f" {floor * 1e3:.2f} ms of the same {statements} statements through the bare driver ="
            f" {call.whole / floor:.2f} (target <= 3)"
        )
    few, many = held.growth(kind, past)
    print(
        f"growth, {kind}: reserve {many.reserve * 1e3:.2f} ms, settle {many.settle * 1e3:.2f} ms beside {past:,} past"
        f" holds, {many.whole / few.whole:.2f} of their time beside {held.FEW:,} (target <= 1.1)"
    )
    crowd = held.crowd(kind)
    print(
        f"holds, {kind}, {held.WALLETS:,} wallets at once, {held.AT_ONCE} at a time: {crowd.calls_a_second:,.0f}"
        f" calls/s; a reservation takes its caller p50 {crowd.p50 * 1e3:.1f} ms, p99 {crowd.p99 * 1e3:.1f} ms"
    )


def _mixed(kind: str) -> None:
    """What each kind of work waits while the others come in as well."""
    for name, (alone, together) in mixed.measure(kind).items():
        print(
            f"mixed, {kind}, {mixed.PACES[name]:.0f} {name} a second: p50 {alone.p50 * 1e3:.1f}, p99"
            f" {alone.p99 * 1e3:.1f} ms alone; p50 {together.p50 * 1e3:.1f}, p99 {together.p99 * 1e3:.1f} ms together"
        )


def _home(kind: str, events: int) -> None:
    """The same person with the same usage, alone and among a thousand others; and a member of a board at work."""
    somebody = range(balance.SOMEBODY, balance.SOMEBODY + 1)
    found = []
    for rows, people in ((SMALL, somebody), (events, range(traffic.PEOPLE))):
        with ledgers.ledger(kind) as app:
            intake.growth(app, events=rows, batch=SMALL // 10, report=lambda _: None, people=people)
            found.append(_home_of(app, kind, balance.SOMEBODY, f"{rows:,} usage rows"))
            for waiting in (5, 40) if people == somebody else ():
                home.convene(app, waiting)
                _home_of(app, kind, home.MEMBER, f"a member of the board, {waiting} requests")
    print(f"growth, {kind}: Home at {found[1] / found[0]:.2f} of its time at {SMALL:,} usage rows")


def _home_of(app: App, kind: str, number: int, what: str) -> float:
    ours, floor, blocks = home.measure(app, number)
    print(
        f"home, {kind}, {what}: {ours * 1e3:.2f} ms over an empty Home's {floor * 1e3:.2f} ms = {ours / floor:.2f},"
        f" {blocks} blocks"
    )
    return ours


def _weekly(kind: str, managers: int) -> None:
    """Twelve weeks of roll-ups, and four times as many: a report should not take longer for what it does not tell."""
    measured = {weeks: weekly.measure(kind, managers, weeks) for weeks in (12, 48)}
    for weeks, one in measured.items():
        print(
            f"weekly, {kind}, {managers:,} managers, {one.rows:,} rows of {weeks} weeks: owed in {one.owed:.2f} s over"
            f" raw inserts' {one.owed_bare:.2f} s; a report's figures {one.report * 1e3:.2f} ms over a bare statement's"
            f" {one.report_bare * 1e3:.2f} ms = {one.report / one.report_bare:.1f}"
        )
    young, old = measured.values()
    print(f"growth, {kind}: a report at {old.report / young.report:.2f} of its time with a quarter of the history")


def _memory(events: int) -> None:
    small, large = memory.peak(events // 10), memory.peak(events)
    print(
        f"memory: importing {events:,} events peaks at {large:,.0f} MiB, {events // 10:,} at {small:,.0f} MiB"
        f" = {large / small:.2f}"
    )


def _charts() -> None:
    ours, plain = charts.ratio()
    print(f"chart: {ours * 1e3:.1f} ms over the plain way's {plain * 1e3:.1f} ms = {ours / plain:.2f} (target <= 0.5)")
    one, two = charts.processes(1_000)
    print(f"charts, 1,000: {two:.1f}/s in two processes over {one:.1f}/s in one = {two / one:.2f} (target >= 1.7)")


def _review() -> None:
    """The quarterly adjustment needs no database; a person's cost should not grow with their number."""
    for unit in ("team", "person"):
        first = None
        for people in (1_000, 10_000):
            measured = review.measure(unit, people)
            first = first or measured.ours / people
            print(
                f"adjustment by {unit}, {people:,} people, {review.QUARTERS} quarters: {measured.ours:.2f} s over bare"
                f" draws' {measured.floor:.2f} s = {measured.ours / measured.floor:.2f}; a person costs"
                f" {measured.ours / people / first:.2f} of the smallest run's; {measured.memory:.0f} MiB; all sentences"
                f" {measured.explained:.2f} s"
            )
    simulated.main()


def _roi() -> None:
    """An effect with all its permutations; memory should not grow with the company."""
    small = None
    for teams in (100, 1_000, 4_000):
        one = returned.measure(teams)
        small = small or one.memory
        print(
            f"return, {teams:,} teams, {returned.MONTHS} months, {returned.PERMUTATIONS:,} permutations:"
            f" {one.ours:.2f} s over bare products' {one.floor:.2f} s = {one.ours / one.floor:.2f} (target <= 3);"
            f" {one.memory:.0f} MiB"
            f" = {one.memory / small:.2f} of the smallest"
        )
    effects.main()


def _drafting(kind: str, people: int) -> None:
    """A review is drafted once a quarter; a person's cost should not grow with their number."""
    first = None
    for count in (people // 10, people):
        measured = drafting.measure(kind, count)
        first = first or measured.draft / count
        print(
            f"draft of a review, {kind}, {count:,} people: {measured.draft:.2f} s over the bare insert of its"
            f" {measured.rows:,} rows in {measured.bare:.2f} s = {measured.draft / measured.bare:.1f}; a person costs"
            f" {measured.draft / count / first:.2f} of the smallest run's; worked out again in"
            f" {measured.recompute:.2f} s"
        )


def _quarterly(kind: str, people: int) -> None:
    """The review after two quarters and after eight of the same company; and after two of one a quarter as large."""
    young, old = quarterly.walk(kind, people, quarterly.QUARTERS, at=(2, quarterly.QUARTERS))
    [small] = quarterly.walk(kind, people // 4, 2, at=(2,))
    for count, one in ((people // 4, small), (people, young), (people, old)):
        print(
            f"review, {kind}, {count:,} people, {one.quarters} quarters, {one.affected:,} told: the draft takes"
            f" {one.peak - one.base:.0f} MiB beside the {one.base:.0f} of the process"
        )
        for name, step in one.steps.items():
            print(f"  {name}: {step.ours * 1e3:.1f} ms over {step.floor * 1e3:.2f} ms = {step.ours / step.floor:.1f}")
    for name, step in old.steps.items():
        before, few = young.steps[name].ours, small.steps[name].ours
        print(
            f"growth, {kind}: {name} at {step.ours / before:.2f} of its time with {young.quarters} quarters; a person"
            f" costs {before / people / (few / (people // 4)):.2f} of what one costs among {people // 4:,}"
        )


if __name__ == "__main__":
    main()
