"""What finance posted of differences with vendors' bills, as charges of a month."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from policy.period import Month, day_of
from policy.units import MICRO_PER_TOKEN, divide_half_even
from programme.finance.charges import ADJUSTMENT, Charge, Costs, Product
from programme.finance.months import EARLIEST
from store.finance import charges as store
from store.handbook import reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from programme.finance.charges import Bearer, Ledger
    from programme.finance.months import Months
    from store.finance.charges import Adjusted

DIFFERENCE = "Difference with the vendor's bill"


class _Of(NamedTuple):
    """What differences are told apart by."""

    day: date
    service_key: str
    vendor: str
    cause: str
    bearer: Bearer
    value_version: str
    is_late: bool


def of(told: Months, ledger: Ledger) -> Iterator[Charge]:
    """A row for each day, service, cause and cost centre; what is of a month that was settled by then is a correction.

    Tokens were posted, so the cost is theirs at the value of the month.
    """
    session = told.moment.session
    values = {version: value.nano_usd_per_token for version, value in reference.values_by_version(session).items()}
    services, payers = store.service_kinds(session), store.payers(session)
    sums: defaultdict[_Of, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one, is_late in _posted(told):
        day = day_of(one.effective_at, told.moment.zone)
        vendor, _, cause = one.difference[:3]
        bearer = ledger.bearer(payers.get(one.account_id), "", day)
        key = _Of(day, one.service_key, vendor, cause, bearer, one.value_version, is_late)
        usd, tokens = sums[key]
        worth = divide_half_even(one.micro_tokens * values[one.value_version], MICRO_PER_TOKEN)
        sums[key] = (usd + worth, tokens + one.micro_tokens)
    for key, (usd, tokens) in sorted(sums.items()):
        if usd or tokens:
            name, kind = services.get(key.service_key, (key.service_key, "model_api"))
            said = f"{DIFFERENCE} ({key.cause.replace('_', ' ')})"
            product = Product(key.vendor, name, kind == "training", said)
            costs = Costs(usd, usd, tokens, values[key.value_version])
            after = key.day.fromordinal(key.day.toordinal() + 1)
            yield Charge(ADJUSTMENT, key.day, after, key.bearer, product, costs, is_correction=key.is_late)


def _posted(told: Months) -> Iterator[tuple[Adjusted, bool]]:
    """What was posted of the month before it was settled, and in it of months that were settled; whether it is that."""
    session = told.moment.session
    begin, end = told.month.bounds(told.moment.zone)
    for one in store.differences(session, (begin, end), (EARLIEST, told.settled_at(told.month))):
        yield one, False
    for one in store.differences(session, (EARLIEST, begin), (begin, end)):
        if one.posted_at >= told.settled_at(Month.containing(day_of(one.effective_at, told.moment.zone))):
            yield one, True
