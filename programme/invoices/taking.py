"""Taking in a bill: what stands is from the file that was issued last, and is then posted line by line."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from policy import bills as policy
from policy.parameters.invoices import TO_THE_POOL
from policy.period import Month
from policy.reasons import Refusal
from programme.finance import seconded
from programme.finance.months import Months
from programme.finance.seconded import Correction, Speaker
from programme.invoices import sharing, told
from programme.invoices.told import SUPERSEDED, TAKEN, WAITS
from programme.value import valuation
from store import audit
from store.invoices import bills as store
from store.invoices import shares
from store.invoices.bills import Due, NewFile
from store.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from programme.invoices.told import Change, Told
    from programme.moment import Moment
    from store.invoices.bills import File

IMPORTED = "invoices.import"
"""In the audit log: a file of a bill was taken in, with its digest and how many rows and lines it had."""


class Import(NamedTuple):
    """What is said of files beside their content."""

    issued_at: datetime | None = None
    is_whole: bool = False
    """Somebody says that they are the whole bill, although they lack much of what stands."""
    actor: str = "import"
    speaker: Speaker = Speaker("import")
    """Whose word it is where two are needed."""


def planned(moment: Moment, files: Told, by: Import) -> list[Change]:
    """What files change, if they may; a Refusal where they may not. Nothing is written."""
    if not moment.handbook.invoices.rules and not any(one.invoices.rules for one in moment.handbooks.versions):
        raise Refusal(
            "no_invoice_rules",
            "The handbook does not say whose the rows of a bill are.",
            next_step="Add [[invoices.rules]] to it; its comments have an example.",
        )
    changes = told.changes(moment, files, by.issued_at)
    for change in changes:
        if change.becomes == TAKEN:
            if not by.is_whole:
                told.require_whole(change)
            _require_pool(moment, change)
    return changes


def _require_pool(moment: Moment, change: Change) -> None:
    wanted = 0
    for place, cost in change.told.items():
        if place.bears == TO_THE_POOL:
            value = valuation.expected(moment, Month.containing(place.day).quarter, moment.handbooks)
            wanted += value.micro_tokens(cost.nano_usd)
    if not wanted:
        return
    if change.stood is not None:
        stand = shares.standing(moment.session, change.stood.id)
        wanted -= sum(one.share.micro_tokens for of, one in stand.items() if of.bears == TO_THE_POOL)
    pool = ledger.find_account(moment.session, ledger.POOL)
    sharing.require_pool(wanted, ledger.balance(moment.session, pool) if pool else 0)


def keep(moment: Moment, files: Told, by: Import) -> list[Change]:
    """Let files stand for each of their bills that they are the last of; what is due is then posted in steps."""
    for name in sorted(files.bills):
        if (stood := store.find(moment.session, name)) is not None:
            store.lock(moment.session, stood.id)
    changes = [_agreed(moment, files, one, by) for one in planned(moment, files, by)]
    taken = [change for change in changes if change.becomes == TAKEN]
    if not taken:
        return changes
    known = store.file_of(moment.session, files.digest)
    issued_at = by.issued_at or (known.issued_at if known else moment.now)
    file = store.keep_file(moment.session, NewFile(files.digest, files.name, issued_at, moment.now, by.actor))
    for change in taken:
        _stand(moment, change, file)
    audit.append(moment.session, *(_told(moment, files, change, by) for change in taken))
    return changes


def _agreed(moment: Moment, files: Told, change: Change, by: Import) -> Change:
    """A bill of a settled month that comes to much more or less than what stood is a large correction."""
    month = Month.containing(change.name.period)
    if change.becomes != TAKEN or change.stood is None or not Months(moment, month).is_final:
        return change
    what = f"{IMPORTED} {change.name.account} {month}"
    digest = hashlib.sha256(f"{what} {files.digest}".encode()).hexdigest()
    if seconded.is_agreed(moment, Correction(what, digest, change.moved), by.speaker):
        return change
    return replace(change, becomes=WAITS)


def _stand(moment: Moment, change: Change, file: File) -> None:
    bill = store.open_(moment.session, change.name, file)
    if change.stood is None and bill.rows:
        raise Refusal("bill_under_way", "Another import of this bill has just begun.", next_step="Try again.")
    store.add(moment.session, bill.id, change.added)
    store.change(moment.session, bill.id, [*change.changed, *change.gone])
    store.stand(moment.session, bill.id, file, change.whole)


def _told(moment: Moment, files: Told, change: Change, by: Import) -> audit.Record:
    lines = {"added": len(change.added), "changed": len(change.changed), "gone": len(change.gone)}
    return audit.Record(
        at=moment.now,
        actor=by.actor,
        action=IMPORTED,
        subject=f"{change.name.account} {change.name.period:%Y-%m}",
        after={"digest": files.digest, "becomes": change.becomes, "rows": change.whole.rows, **lines},
    )


def to_post(change: Change) -> Iterator[Due]:
    """What a change would post as usage: of a dry run, which keeps nothing."""
    if change.becomes == SUPERSEDED:
        return
    for one in (*change.added, *change.changed, *change.gone):
        owed = policy.owed(one.place, one.cost)
        stood = change.before.get(one.key)
        if owed != (policy.owed(stood.place, stood.cost) if stood else 0):
            yield Due(one.key, one.place, owed)
