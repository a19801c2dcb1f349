"""What finance gets, and how bills are divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, OneOf

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_USE, EVENLY, POOL = "by_use", "evenly", "pool"
ALLOCATIONS = (BY_USE, EVENLY, POOL)
"""By what each cost centre used of the month, by its people, or to nobody: the programme bears it."""
COST_CENTRE, PERSON = "cost_centre", "person"
ANY = "*"


@dataclass(frozen=True, slots=True)
class BillRule:
    """What becomes of one service on a vendor's bill; `*` as `service` is all of the vendor's.

    `vendor` and `service` are the bill's own names. Charges that a tag gives to a person are usage of `provider`, which
    an approved service must have; where it is left out, they are costs of the person's cost centre. `allocate` is the
    key for everything that no tag gives to anyone.
    """

    vendor: str
    service: str
    allocate: Annotated[str, OneOf(ALLOCATIONS)]
    provider: str = ""


@dataclass(frozen=True, slots=True)
class FinanceRules:
    """How charges are told to finance, and how bills are read.

    `rows` says whether a row of the export is of a cost centre or of a person under their id. A month's figures are
    final `settle_days` days after its last: what is posted later is an adjustment in the month in which it is posted.
    The tags name a person by e-mail, a project, or a cost centre.
    """

    rows: Annotated[str, OneOf((COST_CENTRE, PERSON))]
    billing_account: str
    settle_days: Annotated[int, Between(0, 25)]
    allocate: Annotated[str, OneOf(ALLOCATIONS)]
    person_tags: tuple[str, ...]
    project_tags: tuple[str, ...]
    cost_centre_tags: tuple[str, ...]
    bills: tuple[BillRule, ...] = ()

    def rule_of(self, vendor: str, service: str) -> BillRule | None:
        """The first rule for a service on a vendor's bill; one that names the service wins."""
        of_vendor = [rule for rule in self.bills if rule.vendor == vendor]
        exact = [rule for rule in of_vendor if rule.service == service]
        covering = exact or [rule for rule in of_vendor if rule.service == ANY]
        return covering[0] if covering else None

    def key_of(self, vendor: str, service: str) -> str:
        """By what such a charge is divided that no tag gives to anyone."""
        rule = self.rule_of(vendor, service)
        return rule.allocate if rule else self.allocate


def finance_contradictions(rules: FinanceRules) -> Iterator[str]:
    """What each key allows alone, and together they do not."""
    seen: set[tuple[str, str]] = set()
    for rule in rules.bills:
        if (rule.vendor, rule.service) in seen:
            yield f"finance.bills: {rule.vendor!r} with {rule.service!r} is listed twice"
        seen.add((rule.vendor, rule.service))
    tags = [*rules.person_tags, *rules.project_tags, *rules.cost_centre_tags]
    yield from (f"finance: the tag {tag!r} names two things" for tag in sorted({t for t in tags if tags.count(t) > 1}))
