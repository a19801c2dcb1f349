"""What of a vendor's bill is whose: the tags that name people and projects, and keys for what no tag names."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from policy.declared import OneOf

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

BY_USE, EVENLY, TO_THE_POOL, TO_THE_COMPANY = "by use", "evenly", "to the pool", "to the company"
KEYS = (BY_USE, EVENLY, TO_THE_POOL, TO_THE_COMPANY)
"""Who bears what no tag names: those who used the service, all who take part, the shared pool, or the company."""
BY_BILL, BY_GATEWAYS = "bill", "gateways"
"""What tells the ledger of a service's use: its bill, or gateways, whose reports the bill would only repeat."""
ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRule:
    """Which rows of bills are for an approved service: `provider` and `name` may have `*` in them."""

    service: str
    rest: Annotated[str, OneOf(KEYS)]
    provider: str = ANY
    name: str = ANY
    metered: Annotated[str, OneOf((BY_BILL, BY_GATEWAYS))] = BY_BILL

    def means(self, provider: str, name: str) -> bool:
        """Whether a row of a provider's service is one of these, whatever its capitals."""
        return fnmatchcase(provider.casefold(), self.provider.casefold()) and fnmatchcase(
            name.casefold(), self.name.casefold()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRules:
    """How rows of bills are read: the first of `persons` and of `projects` that a row has names whose it is."""

    persons: tuple[str, ...]
    projects: tuple[str, ...]
    rules: tuple[BillRule, ...] = ()

    def rule_of(self, provider: str, name: str) -> BillRule | None:
        """The first rule that means a service; None for what is outside of the programme."""
        return next((rule for rule in self.rules if rule.means(provider, name)), None)


def invoice_contradictions(rules: InvoiceRules, services: Collection[str]) -> Iterator[str]:
    """Rules for services that are not listed."""
    for number, rule in enumerate(rules.rules, start=1):
        if rule.service not in services:
            yield f"invoices.rules[{number}].service = {rule.service!r}: no service has this key"
