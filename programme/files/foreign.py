"""Tables that are not the one asked for: what they are by their columns, and what to do with them today."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_GATEWAY = "through the gateway (docs/operators/gateways.md)."
_BILL = (
    "It sums up costs and names no call, so it is no usage. `tokens-bot invoices import` reads bills in the columns of"
    f" FOCUS: ask for that export (docs/operators/finance.md), and send the calls themselves {_GATEWAY}"
)
_FOCUS = (
    "this is a FOCUS file, a provider's costs: `tokens-bot invoices import` reads it (docs/operators/finance.md)."
    f" It names no call: send those {_GATEWAY}"
)
_NO_CALLS = "It counts tokens for hours or days and names no call, so it is no usage"
_SENT = f"Send the calls themselves {_GATEWAY}"
_TOTALS = f"{_NO_CALLS}, and nothing reads it. Keep the file. {_SENT}"


def _synced(vendor: str) -> str:
    return (
        f"{_NO_CALLS}: `tokens-bot vendors sync {vendor}` fetches the same, and `reconcile show` compares it with the "
        f"calls (docs/operators/reconciliation.md). {_SENT}"
    )


_TABLES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(columns.split()), said)
    for columns, said in (
        ("billedcost chargeperiodstart chargecategory", _FOCUS),
        ("lineitem/usageamount lineitem/productcode", f"this is a Cost and Usage Report of AWS. {_BILL}"),
        ("lineitemusageamount lineitemproductcode", f"this is a Cost and Usage Report of AWS. {_BILL}"),
        ("metercategory costinbillingcurrency", f"this is a cost export of Azure. {_BILL}"),
        ("servicedescription skudescription usagestartdate", f"this is a cost table of Google Cloud. {_BILL}"),
        ("starttime endtime nummodelrequests", f"this is a usage export of OpenAI. {_synced('openai')}"),
        ("starttime endtime amountvalue", f"this is a cost export of OpenAI. {_BILL}"),
        (
            "usagedateutc apikey workspace",
            f"this is a usage or cost export of the Anthropic console. {_synced('anthropic')}",
        ),
        ("date model input(w/cachewrite) outputtokens", f"this is a usage export of Cursor. {_TOTALS}"),
        ("date sku unittype grossamount", f"this is a billing report of GitHub. {_BILL}"),
        ("timestamp user model requestsused", f"this is a premium request report of GitHub. {_TOTALS}"),
        ("outcomeid kind occurredat", "this is a file of outcomes: `tokens-bot outcomes import` reads it."),
        ("eventid occurredat provider model", "this is a file of usage: `tokens-bot usage import` reads it."),
        ("email rolefamily level", "this is a file of people: `tokens-bot people import` reads it."),
        ("project complexity", "this is a file of projects: `tokens-bot projects import` reads it."),
    )
)


def table(keys: Iterable[str]) -> str:
    """What a table with these columns (lower case, without blanks and underscores) is; empty if no one knows."""
    there = frozenset(keys)
    return next((said for columns, said in _TABLES if columns <= there), "")
