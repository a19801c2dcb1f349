"""A month beside a vendor's figures: compared, kept, and every difference made what it is by now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from policy.reasons import Refusal
from policy.reconciliation import comparing
from policy.reconciliation.books import Tolerance
from policy.units import NanoUSD
from policy.vendors import VENDORS
from programme.reconciliation import gathering, notices
from store import locks
from store.reconciliation import findings as store
from store.vendors import lines as vendor_lines
from store.vendors.lines import Window
from views import codec
from views.reconciliation import ACCEPTED, CORRECTED, CORRECTING, GONE, OPEN, UNDECIDED, WAITING, Found, Sums

if TYPE_CHECKING:
    from policy.period import Month
    from policy.reconciliation.books import Finding, Reconciled
    from programme.moment import Moment
    from store.engine import Session


def reconcile(moment: Moment, vendor: str, month: Month) -> list[Found]:
    """Compare a month as far as the vendor was asked for it, and tell finance what is new; the differences.

    The month is the vendor's, in UTC. Comparing it again changes nothing that was decided, unless the figures moved.
    """
    window = _window(moment, vendor, month)
    locks.hold_sources(moment.session, "usage", [f"reconciliation:{vendor}:{month}"])
    book = moment.handbooks.on(window.last)
    rules = book.reconciliation
    found = comparing.compare(
        gathering.books(moment, window, book),
        gathering.worth(moment, vendor, book),
        Tolerance(share=rules.tolerance_share, usd=rules.tolerance_usd),
    )
    sums = _sums(moment, window, month, found)
    store.keep(moment.session, vendor, str(month), codec.plain(sums), now=moment.now)
    changed = _note(moment, vendor, month, found, int(rules.tolerance_usd))
    notices.tell(moment, changed)
    return store.of_month(moment.session, str(month), vendor)


def _window(moment: Moment, vendor: str, month: Month) -> Window:
    until = vendor_lines.synced_until(moment.session, vendor)
    last = month.next().first_day.toordinal() - 1
    if until is None or until < month.first_day:
        raise Refusal(
            "not_synced",
            f"{vendor} was not asked for {month} yet.",
            next_step=f"Run `tokens-bot vendors sync {vendor} --from {month.first_day} --until …`.",
        )
    return Window(vendor, month.first_day, min(until, type(until).fromordinal(last)))


def _sums(moment: Moment, window: Window, month: Month, found: Reconciled) -> Sums:
    whole = window.last == max(month.days()) and not found.pending
    return Sums(
        vendor=window.vendor,
        month=str(month),
        first=str(window.first),
        last=str(window.last),
        is_whole=whole and vendor_lines.synced_within(moment.session, window),
        charged=found.charged,
        posted=found.posted,
        uncharged=found.uncharged,
        small=found.small,
        pending=tuple(map(str, found.pending)),
        pending_usd=found.pending_usd,
    )


def _note(moment: Moment, vendor: str, month: Month, found: Reconciled, least: int) -> list[Found]:
    """Make kept differences what they are now; those whose cards have to change."""
    known = {one.id: one for one in store.of_month(moment.session, str(month), vendor)}
    changed: list[Found] = []
    for finding in found.findings:
        id_ = f"{vendor}:{month}:{finding.cause}:{finding.source}"
        before = known.pop(id_, None)
        if before is None:
            changed.append(_begun(moment, id_, vendor, month, finding))
            store.add(moment.session, changed[-1])
        elif (now := _renewed(moment, before, finding, least)) != before:
            store.put(moment.session, now)
            if (now.state, now.revision, now.amount) != (before.state, before.revision, before.amount):
                changed.append(now)
    for before in known.values():
        if (now := _vanished(moment, before)) != before:
            store.put(moment.session, now)
            changed.append(now)
    return changed


def _begun(moment: Moment, id_: str, vendor: str, month: Month, finding: Finding) -> Found:
    return Found(
        id=id_,
        vendor=vendor,
        month=str(month),
        cause=finding.cause,
        source=finding.source,
        revision=1,
        state=OPEN,
        amount=finding.amount,
        moved=finding.moved,
        settled=NanoUSD(0),
        content=_content(finding),
        found_at=moment.now,
    )


def _content(finding: Finding) -> dict[str, Any]:
    plain = codec.plain(finding)
    return {"models": plain["models"], "evidence": plain["evidence"]}


def _renewed(moment: Moment, before: Found, finding: Finding, least: int) -> Found:
    """A difference with today's figures. What was decided stays decided, until the figures are others."""
    now = replace(before, amount=finding.amount, moved=finding.moved, content=_content(finding))
    if before.state == OPEN:
        return now
    if before.state == CORRECTING:
        return before
    other = abs(int(finding.moved) - int(before.moved)) > least or abs(int(finding.amount - before.amount)) > least
    if before.state == CORRECTED and before.settled:
        other = abs(int(now.open_amount)) > least
    elif before.state in {CORRECTED, GONE}:
        other = True
    if not other:
        return before if before.state in {ACCEPTED, WAITING} else replace(now, state=before.state)
    return replace(
        now,
        state=OPEN,
        revision=before.revision + 1,
        found_at=moment.now,
        decision=None,
        chosen_by=None,
        confirmed_by=None,
        decided_at=None,
    )


def _vanished(moment: Moment, before: Found) -> Found:
    """A difference that is not there any more: lost calls may have come, or a vendor may have put its report right."""
    if before.state not in UNDECIDED:
        return before
    return replace(before, state=GONE, decided_at=moment.now)


def due_months(session: Session, today: Month, closed: set[str]) -> list[tuple[str, Month]]:
    """(vendor, month) of what a night compares: this month and the last one, as far as they are asked for and open."""
    reached = {vendor: vendor_lines.synced_until(session, vendor) for vendor in VENDORS}
    return [
        (vendor, month)
        for vendor, until in reached.items()
        for month in (today.previous(), today)
        if until is not None and until >= month.first_day and str(month) not in closed
    ]
