"""A vendor's month beside the ledger's: counts first, then money; each difference with its likely cause."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from policy.reconciliation import matching, wording
from policy.reconciliation.books import Affected, Finding, Reconciled
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from policy.reconciliation.books import Books, Cause, Posted, Tolerance, Worth
    from policy.reconciliation.matching import Step

CENT = 10_000_000
"""Nano-USD. Vendors round each line of a report; so much a day and model is no difference."""
PER_MILLE = 1_000

ModelDay = tuple[str, date]


class Part(NamedTuple):
    """A day's part of a finding."""

    cause: Cause
    source: str
    model: str
    day: date
    counts: Mapping[str, int]
    amount: int
    moved: int
    note: str


def compare(books: Books, worth: Worth, tolerance: Tolerance) -> Reconciled:
    """How both sides add up, and why they differ.

    Grows with the hours × models × gateways of the books, never with events.
    """
    days = tuple(books.first + timedelta(days=n) for n in range((books.last - books.first).days + 1))
    steps = [
        step
        for one in matching.series(books.billed, books.posted, days).values()
        for step in matching.explain(one, worth)
    ]
    within = [one for one in books.posted if books.first <= one.hour.date() <= books.last]
    parts = [_of_counts(step, worth, books.uncharged_tiers) for step in steps] + _waiting(within, worth)
    posted = _by_model_day(within, books.uncharged_tiers)
    money = _Money(books, posted, parts)
    parts = money.settled()
    whole = sum(posted.values())
    least = max(int(tolerance.usd), int(whole * tolerance.share))
    findings, small = _findings(parts, least)
    return Reconciled(
        charged=NanoUSD(sum(int(one.amount) for one in books.charged)),
        posted=NanoUSD(whole),
        uncharged=NanoUSD(sum(one.cost for one in within if one.tier in books.uncharged_tiers)),
        small=NanoUSD(small + money.rounding),
        pending=money.pending,
        pending_usd=NanoUSD(money.expected(money.pending)),
        findings=tuple(findings),
    )


def _of_counts(step: Step, worth: Worth, uncharged: frozenset[str]) -> Part:
    counts = {
        meter if not tier else f"{meter}@{tier}": step.after.get((tier, meter), 0) - step.before.get((tier, meter), 0)
        for tier, meter in sorted(step.before.keys() | step.after.keys())
    }
    priced = step._replace(
        before={key: n for key, n in step.before.items() if key[0] not in uncharged},
        after={key: n for key, n in step.after.items() if key[0] not in uncharged},
    )
    told = {meter: count for meter, count in counts.items() if count}
    return Part(step.cause, step.source, step.model, step.day, told, priced.amount(worth), step.moved(worth), step.note)


def _waiting(posted: Iterable[Posted], worth: Worth) -> list[Part]:
    """What arrived and waits in quarantine: counted by the vendor, and charged, and not posted yet."""
    parts = []
    for one in posted:
        if one.waits:
            day = one.hour.date()
            amount = worth(day, one.model, one.tier, one.meters)
            counts = {str(meter): count for meter, count in one.meters.items()}
            # What has no price costs something all the same: the vendor's charge says how much.
            parts.append(Part("in_quarantine", one.source, one.model, day, counts, amount, amount, ""))
    return parts


def _by_model_day(posted: Iterable[Posted], uncharged: frozenset[str]) -> dict[ModelDay, int]:
    found: defaultdict[ModelDay, int] = defaultdict(int)
    for one in posted:
        if one.tier not in uncharged:
            found[one.model, one.hour.date()] += one.cost
    return dict(found)


class _Money:
    """What is charged beside what was posted, once the counts are explained."""

    def __init__(self, books: Books, posted: Mapping[ModelDay, int], parts: Sequence[Part]) -> None:
        self._books, self._posted, self._parts = books, posted, list(parts)
        charges: defaultdict[ModelDay, int] = defaultdict(int)
        for one in books.charged:
            charges[one.model, one.day] += int(one.amount)
        self._placed = {model for model, _ in charges}
        self._charges = self._by_name(charges)
        known = {one.day for one in books.billed}
        last = max((one.day for one in books.charged), default=None)
        self.pending = tuple(sorted(day for day in known if last is None or day > last))
        self.rounding = 0

    def _by_name(self, amounts: Mapping[ModelDay, int]) -> dict[ModelDay, int]:
        """Amounts by the names that both sides have; what only one side names goes together, under no name."""
        found: defaultdict[ModelDay, int] = defaultdict(int)
        for (model, day), amount in amounts.items():
            found[self._name(model), day] += amount
        return dict(found)

    def _name(self, model: str) -> str:
        if "" not in self._placed:
            return model
        ours = {model for model, _ in self._posted} | {part.model for part in self._parts}
        return model if model in self._placed and model in ours else ""

    def expected(self, days: Iterable[date]) -> int:
        """What the vendor will charge for some days, by our own prices."""
        some = set(days)
        posted = sum(amount for (_, day), amount in self._posted.items() if day in some)
        return posted + sum(part.amount for part in self._parts if part.day in some)

    def settled(self) -> list[Part]:
        """The parts with the vendor's own amounts, and those that only the money shows."""
        if not self._books.charged:
            return self._parts
        ours = self._by_name(self._posted)
        adjusted: defaultdict[ModelDay, list[int]] = defaultdict(list)
        for number, part in enumerate(self._parts):
            adjusted[self._name(part.model), part.day].append(number)
        for key in sorted(ours.keys() | self._charges.keys() | adjusted.keys()):
            if key[1] not in self.pending:
                self._settle(key, ours.get(key, 0), adjusted.get(key, []))
        return self._parts

    def _settle(self, key: ModelDay, posted: int, numbers: Sequence[int]) -> None:
        (model, day), charged = key, self._charges.get(key, 0)
        expected = posted + sum(self._parts[n].amount for n in numbers)
        left = charged - expected
        greatest = max(numbers, key=lambda n: self._parts[n].moved, default=None)
        moved = sum(self._parts[n].moved for n in numbers)
        if abs(left) <= max(CENT, expected // PER_MILLE):
            self.rounding += left
        elif greatest is not None and (not expected or not posted or abs(left) <= moved):
            # What the vendor charges for these calls, instead of our estimate: that knows nothing of large contexts.
            part = self._parts[greatest]
            self._parts[greatest] = part._replace(amount=part.amount + left, moved=part.moved + abs(left))
        elif not charged and expected > 0:
            self._parts.append(Part("free_use", "", model, day, {}, left, -left, ""))
        else:
            ratio = f"{charged / expected:.3f}" if expected > 0 else ""
            self._parts.append(Part("price_list", "", model, day, {}, left, abs(left), ratio))


def _findings(parts: Iterable[Part], least: int) -> tuple[list[Finding], int]:
    """One for each cause and gateway, the greatest first; what is too small for one, in a sum."""
    grouped: defaultdict[tuple[Cause, str], list[Part]] = defaultdict(list)
    for part in parts:
        grouped[part.cause, part.source].append(part)
    found: list[Finding] = []
    small = 0
    for (cause, source), some in grouped.items():
        moved = sum(part.moved for part in some)
        # Counts without any price are told of, whatever they are worth.
        if moved <= least and not (moved == 0 and any(part.counts for part in some)):
            small += sum(part.amount for part in some)
        else:
            found.append(_finding(cause, source, some, moved))
    return sorted(found, key=lambda one: (-int(one.moved), one.cause, one.source)), small


def _finding(cause: Cause, source: str, some: Sequence[Part], moved: int) -> Finding:
    by_model: defaultdict[str, list[Part]] = defaultdict(list)
    for part in some:
        by_model[part.model].append(part)
    models = tuple(_affected(model, by_model[model]) for model in sorted(by_model))
    notes = tuple(sorted({part.note for part in some if part.note}))
    amount = sum(part.amount for part in some)
    return Finding(
        cause=cause,
        source=source,
        amount=NanoUSD(amount),
        moved=NanoUSD(moved),
        models=models,
        evidence=wording.evidence(cause, source, models, notes),
    )


def _affected(model: str, some: Sequence[Part]) -> Affected:
    counts: defaultdict[str, int] = defaultdict(int)
    for part in some:
        for meter, count in part.counts.items():
            counts[meter] += count
    return Affected(
        model=model,
        on=tuple(sorted({part.day for part in some})),
        counts={meter: count for meter, count in sorted(counts.items()) if count},
        amount=NanoUSD(sum(part.amount for part in some)),
    )
