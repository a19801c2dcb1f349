"""Closing a month: what it takes, what it comes to, and that it stays so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from policy.period import Month, first_instant
from policy.reasons import Refusal
from policy.vendors import VENDORS
from programme import anchors
from programme.finance.months import Months
from programme.reconciliation import showing
from store import audit
from store.closings import figures, records
from store.closings.records import Closing
from store.invoices import bills
from store.vendors import lines as vendor_lines
from views import codec
from views.reconciliation import UNSETTLED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from programme.moment import Moment

CLOSED = "month.close"
"""In the audit log, with the digest of what was closed."""


def close(moment: Moment, month: Month, *, actor: str) -> Closing:
    """Close a month for ever: its journal, the differences as they were decided, and a digest of both.

    A Refusal names everything that stands against it. The digest is in the audit log, whose hash is told outside.
    """
    figures.hold(moment.session)
    if problems := list(_problems(moment, month)):
        raise Refusal("not_closable", f"{month} can't be closed yet:\n" + "\n".join(problems))
    reach = figures.reach(moment.session, month)
    journal = figures.content(moment.session, reach, moment.zone)
    findings = [_decided(one) for shown in showing.of(moment, month) for one in shown.findings]
    digest = digest_of(journal, findings)
    closing = Closing(str(month), moment.now, actor, reach.last, reach.last_usd, journal, findings, digest)
    records.add(moment.session, closing)
    audit.note(moment.session, actor, CLOSED, str(month), at=moment.now, after={"digest": digest})
    anchors.owe(moment, anchors.CLOSING)
    return closing


def digest_of(journal: dict[str, Any], findings: list[dict[str, Any]]) -> str:
    """SHA-256 over both in canonical JSON."""
    content = json.dumps([journal, findings], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def _decided(found: Any) -> dict[str, Any]:  # noqa: ANN401 - a Found
    plain: dict[str, Any] = codec.plain(asdict(found))
    return json.loads(json.dumps(plain, default=str))  # type: ignore[no-any-return]  # as the database gives it back


def _problems(moment: Moment, month: Month) -> Iterator[str]:
    """What stands against closing a month."""
    closed = records.closed_months(moment.session)
    if str(month) in closed:
        yield f"It is closed already. `tokens-bot close journal {month}` has its journal."
        return
    if later := sorted(one for one in closed if one > str(month)):
        yield f"{later[0]} is closed already, and what is posted to earlier months belongs there."
    ready = first_instant(month.next().first_day + timedelta(days=moment.handbook.lots.settle_days), moment.zone)
    if moment.now < ready:
        yield f"Usage may arrive until {ready:%Y-%m-%d %H:%M} UTC (`lots.settle_days`)."
    final = Months(moment, month).settled_at(month)
    if moment.now < final and ready < final:
        yield f"Finance's file of it may change until {final:%Y-%m-%d %H:%M} UTC (`finance.settle_days`)."
    for bill in bills.under_way(moment.session):
        yield f"The import of {bill.file.name} was interrupted. Import it again (`tokens-bot invoices list`)."
    compared = {one.sums.vendor: one for one in showing.of(moment, month)}
    for vendor in VENDORS:
        if vendor in compared:
            yield from _differences(compared[vendor])
        elif vendor_lines.synced_until(moment.session, vendor):
            yield f"{vendor} was not compared. Run `tokens-bot reconcile run {vendor} --month {month}`."


def _differences(one: showing.Shown) -> Iterator[str]:
    if not one.sums.is_whole:
        pending = f"; {one.sums.vendor} has not charged {', '.join(one.sums.pending)} yet" if one.sums.pending else ""
        yield f"{one.sums.vendor} was compared up to {one.sums.last} only{pending}. Sync it, and compare again."
    for found in one.findings:
        if found.state in UNSETTLED:
            yield f"{found.id} is {found.state}. Accept it or correct it."


@dataclass(frozen=True, slots=True)
class Booked:
    """A row for the accounting system: one leg; `debit` or `credit` is empty. USD with two decimals."""

    date: str
    document: str
    account: str
    debit: str
    credit: str
    text: str
    service: str
    tokens: str
    corrects: str


SAID = {
    "grant": "Allowance granted",
    "exception": "Exceptions granted",
    "appeal": "Given back after appeals",
    "usage": "AI services consumed",
    "reversal": "Consumption undone",
    "expiry": "Ended unused",
    "lapse": "Lapsed into the pool",
    "return": "Returned to the pool",
    "netting": "Taken off grants",
    "write_off": "Debt written off",
    "revocation": "Grants taken back",
    "adjustment": "Adjusted to vendors' bills",
    "held_back": "Held back against price rises",
    "revaluation": "Outstanding tokens revalued",
}


def booked(moment: Moment, closing: Closing) -> list[Booked]:
    """A closed month's journal with the accounts of the handbook that held on its last day."""
    month = Month.parse(closing.month)
    last = max(month.days())
    rules = moment.handbooks.on(last).journal
    code_of = {
        figures.WALLETS: rules.liability,
        figures.COMPANY_PAYS: rules.company,
        "treasury": rules.expense,
        "expired": rules.expense,
        "pool": rules.pool,
        "usd:liability": rules.liability,
        "usd:buffer": rules.buffer,
        "usd:budget": rules.held_back,
    }
    rows = []
    for number, line in enumerate(closing.journal["lines"], start=1):
        if line["cents"]:
            for side in ("debit", "credit"):
                service = line[side].removeprefix(figures.SERVICE) if line[side].startswith(figures.SERVICE) else ""
                account = rules.consumed if service else code_of[line[side]]
                rows.append(_leg(f"{last}", f"{closing.month}-{number:03}", account, side, service, line))
    return rows


def _leg(day: str, document: str, account: str, side: str, service: str, line: dict[str, Any]) -> Booked:  # noqa: PLR0917 - private
    # What a reversal undoes is negative nowhere: it moves the other way.
    usd = f"{line['cents'] // 100}.{line['cents'] % 100:02}"
    tokens = f"{line['micro_tokens'] // 1_000_000}.{line['micro_tokens'] % 1_000_000:06}"
    text = SAID.get(line["kind"], line["kind"])
    debit, credit = (usd, "") if side == "debit" else ("", usd)
    return Booked(day, document, account, debit, credit, text, service, tokens, line["corrects"])
