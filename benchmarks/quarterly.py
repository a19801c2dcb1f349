"""(l) The review of a company with quarters behind it, from the draft to the adoption, over bare statements."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from benchmarks import past_quarters, traffic
from policy.period import Quarter
from policy.reviews.proposal import HELD
from programme.reviews import drafting, effects, packs, single_cases, voting
from programme.reviews.voting import Ballot
from store import bulk
from store.reviews import drafts as store
from store.reviews import votes as votes_store
from store.tables.outbox import outbox
from store.tables.reviews import review_cases, review_inputs
from templates import reviews as shown
from views.reviews import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.past_quarters import Company
    from programme.app import App
    from programme.moment import Moment
    from store.engine import Session
    from views.reviews import ReviewedCase

VOTERS = ("lead0", "lead1", "lead2", "lead6")
"""Enough of the board, finance last: theirs is the deciding vote."""
ROUNDS, HOLDS = 5, 5
QUARTERS = 8


class Timed(NamedTuple):
    """Seconds of ours, and of what the bare driver took for the same rows in turn with it."""

    ours: float
    floor: float


@dataclass(slots=True)
class Measured:
    """A quarter's review. `base` and `peak` are resident MiB of a process of its own before its draft and at most."""

    quarters: int
    base: float
    peak: float
    affected: int = 0
    steps: dict[str, Timed] = field(default_factory=dict)


def walk(kind: str, count: int, quarters: int, *, at: Sequence[int]) -> Iterator[Measured]:
    """A company's quarters, each reviewed and adopted; measured where so many have passed."""
    with past_quarters.company(kind, count) as company:
        quarter = past_quarters.FIRST
        for number in range(1, quarters + 1):
            past_quarters.pass_quarter(company, quarter)
            drafted = _draft(company, quarter)
            if number in at:
                yield _measure(company, quarter, number, drafted)
            else:
                _adopt_bare(company, quarter)
            quarter = quarter.next()


def _measure(company: Company, quarter: Quarter, number: int, drafted: dict[str, float]) -> Measured:
    app, found = company.app, Measured(number, drafted["base"], drafted["peak"])
    bare = _Bare(app, quarter)
    found.steps["draft"] = Timed(drafted["seconds"], bare.keep())
    found.steps["recompute"] = _in_turn(lambda: _recompute(app, quarter), bare.read_all, rounds=1)
    with app.transaction(company.now) as moment:
        assert voting.convene(moment, quarter)
    found.steps["pack"] = _in_turn(lambda: _pack(company, quarter), bare.read_figures)
    pages = _page(company, quarter, 0)
    for name, page in (("first", 0), ("middle", pages // 2), ("last", pages - 1)):
        found.steps[f"{name} page"] = _in_turn(partial(_page, company, quarter, page), partial(bare.page, page))
    found.steps["hold"] = _holds(company, quarter, bare)
    found.steps["adopt"] = _adopt(company, quarter, bare, found)
    found.steps["factors"] = _in_turn(lambda: _factors(company, quarter), bare.factors)
    with app.database.reading() as session:
        assert sum(one.decision == HELD for one in store.cases(session, quarter)) == HOLDS
    return found


def _in_turn(ours: Callable[[], Any], floor: Callable[[], Any], *, rounds: int = ROUNDS) -> Timed:
    spent = [(_seconds(ours), _seconds(floor)) for _ in range(rounds)]
    return Timed(*(median(column) for column in zip(*spent, strict=True)))


def _seconds(act: Callable[[], Any]) -> float:
    gc.collect()
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


# --- What the programme does ---------------------------------------------------------------------------------------


def _draft(company: Company, quarter: Quarter) -> dict[str, float]:
    """Draft in a process of its own, whose memory nothing else has filled."""
    command = [sys.executable, "-m", "benchmarks.quarterly", str(quarter), company.now.isoformat()]
    environment = os.environ | {"BENCH_DATABASE": company.url}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    found: dict[str, float] = json.loads(answer.stdout.strip().splitlines()[-1])
    with company.app.database.reading() as session:
        assert len(store.cases(session, quarter)) == company.people == found["cases"]
    return found


def _draft_here(url: str, quarter: Quarter, now: datetime) -> dict[str, float]:
    app = past_quarters.open_app(url, lambda: now)
    with app.database.reading() as session:
        assert store.get(session, quarter) is None
    # A process that is at work has read its price list long ago, which takes a second and 70 MiB.
    provider, model, *_ = traffic.MODELS[0]
    assert app.prices.listed(provider, model, "", now) is not None
    gc.collect()
    base = _forget_peak()
    begin = time.perf_counter()
    with app.transaction(now) as moment:
        drafted = drafting.draft(moment, quarter)
    spent = time.perf_counter() - begin
    assert drafted is not None
    counted, peak = drafted.counted, _of_status("VmHWM")
    app.database.close()
    return {
        "seconds": spent,
        "base": base,
        "peak": peak,
        "cases": counted.raised + counted.cut + counted.unchanged,
    }


def _forget_peak() -> float:
    """Resident MiB by now, and the most so far from here on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _of_status("VmRSS")


def _of_status(name: str) -> float:
    [line] = [line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if name in line]
    return int(line.split()[1]) / 1024


def _recompute(app: App, quarter: Quarter) -> None:
    with app.reading() as moment:
        assert drafting.recompute(moment, quarter) == []


def _pack(company: Company, quarter: Quarter) -> None:
    """As a face of a copy is composed when it goes out."""
    with company.app.reading(company.now) as moment:
        pack = packs.of(moment, quarter)
    assert pack.cases == company.people
    assert shown.pack(pack).blocks


def _page(company: Company, quarter: Quarter, number: int) -> int:
    with company.app.reading(company.now) as moment:
        reader = past_quarters.person(moment.session, VOTERS[0])
        page = packs.page(moment, reader, quarter, number)
    lines = [(line, "") for line in page.lines]
    assert shown.page(page, lines, turns=list(shown.pages(page.number, page.pages)))
    assert page.cases == company.people
    assert page.number == number
    return page.pages


def _holds(company: Company, quarter: Quarter, bare: _Bare) -> Timed:
    """Cases of others' people, one after the other."""
    with company.app.database.reading() as session:
        own = past_quarters.person(session, VOTERS[0]).id
        affected = set(store.affected(session, quarter, company.now.date()))
        cases = [
            one for one in store.cases(session, quarter) if one.case.person_id in affected and one.case.team != own
        ]
        cases = cases[-HOLDS:]
    spent = [(_seconds(partial(_hold, company, quarter, one)), _seconds(bare.hold)) for one in cases]
    return Timed(*(median(column) for column in zip(*spent, strict=True)))


def _hold(company: Company, quarter: Quarter, case: ReviewedCase) -> None:
    app, seen = company.app, single_cases.mark(case)
    with app.transaction(company.now) as moment:
        member = past_quarters.person(moment.session, VOTERS[0])
        single_cases.hold(moment, member, quarter, case.case.person_id, reason="On leave", seen=seen)


def _adopt(company: Company, quarter: Quarter, bare: _Bare, found: Measured) -> Timed:
    """The deciding vote, with a notice owed to everyone whose grant changes."""
    *others, last = VOTERS
    for name in others:
        _vote(company, quarter, name)
    with company.app.database.reading() as session:
        found.affected = len(store.affected(session, quarter, company.now.date()))
    ours = _seconds(lambda: _vote(company, quarter, last))
    with company.app.reading() as moment:
        kept = drafting.require(moment, quarter)
    assert kept.state == ADOPTED
    return Timed(ours, bare.owe(found.affected))


def _vote(company: Company, quarter: Quarter, name: str) -> None:
    app = company.app
    with app.transaction(company.now) as moment:
        panel = votes_store.panel(moment.session, quarter)
        assert panel is not None
        ballot = Ballot(panel.package, adopts=True)
        voting.vote(moment, past_quarters.person(moment.session, name), quarter, ballot)


def _adopt_bare(company: Company, quarter: Quarter) -> None:
    """Adopted without a vote: only what follows from it is wanted."""
    with company.app.transaction(company.now) as moment:
        month = effects.effect_month(moment, quarter)
        kept = drafting.require(moment, quarter)
        assert store.change(
            moment.session, kept, state=ADOPTED, decided_at=company.now, decided_by="board", holds_from=str(month)
        )


def _factors(company: Company, quarter: Quarter) -> None:
    with company.app.reading() as moment:
        kept = drafting.require(moment, quarter)
        assert kept.holds_from is not None
        assert len(store.factors_on(moment.session, kept.holds_from)) == company.people


# --- Floors --------------------------------------------------------------------------------------------------------


class _Bare:
    """The rows of one review, read and written by the driver alone."""

    def __init__(self, app: App, quarter: Quarter) -> None:
        self._app, self._quarter = app, str(quarter)
        self._mark = "?" if app.database.dialect == "sqlite" else "%s"

    def keep(self) -> float:
        """The rows of inputs and cases inserted again, with everything at hand."""
        with self._undone() as moment:
            copies = [(table, *self._of(moment.session, table)) for table in (review_inputs, review_cases)]
            for table, *_ in copies:
                moment.session.execute(sa.delete(table).where(table.c.quarter == self._quarter))
            begin = time.perf_counter()
            for table, names, rows in copies:
                bulk.insert(moment.session, table, names, rows)
            return time.perf_counter() - begin

    def _of(self, session: Session, table: sa.Table) -> tuple[list[str], list[bulk.Row]]:
        names = [column.name for column in table.columns]
        found = session.execute(sa.select(table).where(table.c.quarter == self._quarter))
        dumped = [
            tuple(json.dumps(value) if isinstance(value, dict | list) else value for value in row) for row in found
        ]
        return names, dumped

    @contextmanager
    def _undone(self) -> Iterator[Moment]:
        with self._app.database.undone() as session:
            yield self._app.moment(session)

    def _fetch(self, text: str, *values: object) -> list[bulk.Row]:
        with self._app.database.reading() as session:
            return bulk.fetch(session, text.replace("?", self._mark), (self._quarter, *values))

    def read_all(self) -> None:
        for table in (review_inputs, review_cases):
            assert self._fetch(f"SELECT * FROM {table.name} WHERE quarter = ?")

    def read_figures(self) -> None:
        """One row a person of what the pack is about, and what people are grouped by."""
        assert self._fetch(
            "SELECT i.level, i.team, i.wave, c.delta_thousandths, c.decision, c.state_after, c.bound, c.missing,"
            " c.utilisation_permille, c.grant_before, c.grant_after FROM review_cases c JOIN review_inputs i"
            " ON i.quarter = c.quarter AND i.person_id = c.person_id WHERE i.part = 0 AND c.quarter = ?"
        )

    def page(self, number: int) -> None:
        """The rows of a page, in the order of their changes."""
        assert self._fetch(
            "SELECT * FROM review_cases WHERE quarter = ? ORDER BY abs(delta_thousandths) DESC, person_id"
            " LIMIT ? OFFSET ?",
            packs.PAGE,
            packs.PAGE * number,
        )

    def hold(self) -> None:
        """One row changed and committed."""
        with self._app.database.transaction() as session:
            text = "UPDATE reviews SET quarter = quarter WHERE quarter = ?".replace("?", self._mark)
            session.exec_driver_sql(text, (self._quarter,))

    def owe(self, count: int) -> float:
        """The notices inserted again, with other keys."""
        names = [column.name for column in outbox.columns if column.name not in {"id", "key"}]
        mine = sa.select(*(outbox.c[name] for name in names)).where(
            outbox.c.key.like(f"review_notice:{self._quarter}:%")
        )
        with self._undone() as moment:
            instant = bulk.instant_codec(moment.session)
            rows = [
                (f"bench:{number}", *(_driven(value, instant) for value in row))
                for number, row in enumerate(moment.session.execute(mine))
            ]
            assert len(rows) == count
            begin = time.perf_counter()
            bulk.insert(moment.session, outbox, ["key", *names], rows)
            return time.perf_counter() - begin

    def factors(self) -> None:
        """What stands in the cases of the reviews so far."""
        assert self._fetch("SELECT person_id, factor_after FROM review_cases WHERE quarter <= ? ORDER BY quarter")


def _driven(value: Any, instant: Callable[[datetime], Any]) -> Any:  # noqa: ANN401 - a driver's value
    if isinstance(value, dict | list):
        return json.dumps(value)
    return instant(value) if isinstance(value, datetime) else value


if __name__ == "__main__":
    drafted = _draft_here(
        os.environ["BENCH_DATABASE"], Quarter.parse(sys.argv[1]), datetime.fromisoformat(sys.argv[2]).astimezone(UTC)
    )
    print(json.dumps(drafted))
