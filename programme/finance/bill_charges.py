"""What is shared of vendors' bills, as charges of a month; what tags name is usage, and stands with all usage."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from policy.metering import BILLED, UnitPrice
from policy.period import Month
from policy.units import NANO_PER_USD
from programme.finance.charges import ADJUSTMENT, CREDIT, USAGE, Charge, Costs, Product, Quantity
from store.finance import bill_postings
from store.finance import charges as store
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from programme.finance.charges import Bearer, Ledger
    from programme.finance.months import Months
    from store.finance.bill_postings import Borne

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_BY_BILL = UnitPrice(NANO_PER_USD, NANO_PER_USD)


class _Of(NamedTuple):
    """What shares are told apart by."""

    month: str
    service_key: str
    bears: str
    bearer: Bearer
    value_version: str
    is_late: bool


def of(told: Months, ledger: Ledger) -> Iterator[Charge]:
    """A row for each month, service, key and cost centre: of this month, and corrections of earlier ones.

    A share of a month that was settled when it was posted is a correction of the month in which it was posted.
    """
    session, month = told.moment.session, told.month
    begin, end = month.bounds(told.moment.zone)
    own = bill_postings.of(session, (begin, end), (_EARLIEST, told.settled_at(month)))
    earlier = bill_postings.of(session, (_EARLIEST, begin), (begin, end))
    late = [one for one in earlier if one.posted_at >= told.settled_at(Month.parse(one.month))]
    services = store.service_kinds(session)
    values = reference.values_by_version(session)
    for of, (usd, tokens) in sorted(_added_up(told, ledger, own, late).items()):
        if usd or tokens:
            name, kind = services.get(of.service_key, (of.service_key, "model_api"))
            costs = Costs(usd, usd, tokens, values[of.value_version].nano_usd_per_token)
            yield _charge(of, Product(of.service_key, name, kind == "training", f"Shared {of.bears}"), costs)


def _added_up(told: Months, ledger: Ledger, own: Iterable[Borne], late: Iterable[Borne]) -> dict[_Of, tuple[int, int]]:
    payers = store.payers(told.moment.session)
    sums: defaultdict[_Of, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for some, is_late in ((own, False), (late, True)):
        for one in some:
            last = max(Month.parse(one.month).days())
            bearer = ledger.bearer(payers.get(one.account_id), one.project, last)
            of = _Of(one.month, one.service_key, one.bears, bearer, one.value_version, is_late)
            usd, tokens = sums[of]
            sums[of] = (usd + one.nano_usd, tokens + one.micro_tokens)
    return dict(sums)


def _charge(of: _Of, product: Product, costs: Costs) -> Charge:
    """Usage at what the bill says; less than nothing is a credit of the vendor's, what is late a correction."""
    month = Month.parse(of.month)
    days = (month.first_day, month.next().first_day)
    if of.is_late:
        return Charge(ADJUSTMENT, *days, of.bearer, product, costs, is_correction=True)
    priced = product._replace(meter=BILLED, price_id=of.bears)
    if costs.billed < 0:
        return Charge(CREDIT, *days, of.bearer, priced, costs)
    return Charge(USAGE, *days, of.bearer, priced, costs, Quantity(costs.billed, _BY_BILL))
