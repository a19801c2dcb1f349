"""Caps on what may be spent, and how much is held for a call before it runs."""

# ruff: noqa: TC001 - the types of fields are read at run time

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from policy.declared import Between, Factor, OneOf, Share
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

PERSON, PERSON_SERVICE, PROGRAMME = "person", "person_service", "programme"
SCOPES = (PERSON, PERSON_SERVICE, "team", "project", "service", PROGRAMME)
"""Whose spend a cap is about, from the narrowest to the widest."""
WINDOWS = ("day", "week", "month")
WARN, SLOW, STOP = ACTIONS = ("warn", "slow", "stop")
WALLET = "wallet"
"""The name of the cap that everyone has by themselves: what is on their wallet, and a little more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRule:
    """So many USD in each day, week or month for each of a scope, or for one that is named; and what happens then.

    `slow` lets only models pass that cost no more than those of the class `slow_to`.
    """

    name: str
    scope: Annotated[str, OneOf(SCOPES)]
    window: Annotated[str, OneOf(WINDOWS)]
    usd: NanoUSD
    action: Annotated[str, OneOf(ACTIONS)]
    service: str = ""
    project: str = ""
    team: str = ""
    """The e-mail address of its manager."""
    slow_to: str = ""
    services: tuple[str, ...] = ()
    """Of one of the whole programme that stops: the only services that it stops; others it warns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRules:
    """What is held for a call or a job before it runs, for how long, and what a wallet may go below zero by."""

    overdraft_share: Share
    overdraft_least_usd: NanoUSD
    stops_from_phase: Annotated[int, Between(0, 4)]
    call_minutes: Annotated[int, Between(1, 1_440)]
    job_minutes: Annotated[int, Between(1, 1_440)]
    bytes_per_token: Factor
    output_tokens: Annotated[int, Between(1, 10_000_000)]
    usual_quantile: Share
    usual_days: Annotated[int, Between(1, 366)]
    false_stop_factor: Factor
    job_factor: Factor
    lease_seconds: Annotated[int, Between(1, 3_600)]
    lease_share: Share
    lease_least_usd: NanoUSD
    near_share: Share
    cash_percent: Annotated[tuple[int, ...], Between(1, 99)] = (70, 85, 95)
    """Optional for handbooks that were applied before it was there."""


NAMES_OF = {"service": ("person_service", "service"), "project": ("project",), "team": ("team",)}
"""Which scopes can be narrowed to one that is named."""


def cap_contradictions(
    caps: Sequence[CapRule], rules: HoldRules, services: Collection[str], classes: Collection[str]
) -> Iterator[str]:
    """What is wrong with caps of a handbook with these services, and these classes of models."""
    for name, times in Counter(cap.name for cap in caps).items():
        if times > 1:
            yield f"caps.name = {name!r}: listed {'twice' if times == 2 else f'{times} times'}"  # noqa: PLR2004 - twice
    for cap in caps:
        yield from _cap_problems(cap, services, classes)
    for name in ("bytes_per_token", "false_stop_factor", "job_factor"):
        if getattr(rules, name) < 1:
            yield f"holds.{name} = {getattr(rules, name)}: expected at least 1"


def _cap_problems(cap: CapRule, services: Collection[str], classes: Collection[str]) -> Iterator[str]:
    path = f"caps.{cap.name}"
    if cap.name == WALLET:
        yield f"caps.name = {WALLET!r}: the cap that everyone has by themselves is called that; choose another name"
    for key, scopes in NAMES_OF.items():
        value = getattr(cap, key)
        if value and cap.scope not in scopes:
            yield f"{path}.{key} = {value!r}: only a cap of scope {' or '.join(scopes)} names one"
    if cap.service and cap.service not in services:
        yield f"{path}.service = {cap.service!r}: expected one of the services, {', '.join(sorted(services))}"
    if cap.action == SLOW and not cap.slow_to:
        yield f"{path}.slow_to: missing; expected the class of models that still pass, one of {_listed(classes)}"
    elif cap.action == SLOW and cap.slow_to not in classes:
        yield f"{path}.slow_to = {cap.slow_to!r}: expected a class of the basket, one of {_listed(classes)}"
    elif cap.action != SLOW and cap.slow_to:
        yield f"{path}.slow_to = {cap.slow_to!r}: only a cap whose action is 'slow' has one"
    yield from _unfit_services(cap, path, services)


def _unfit_services(cap: CapRule, path: str, services: Collection[str]) -> Iterator[str]:
    if cap.services and (cap.scope, cap.action) != (PROGRAMME, STOP):
        yield f"{path}.services: only a cap of the whole programme that stops says which services it stops"
    for name in cap.services:
        if name not in services:
            yield f"{path}.services = {name!r}: expected one of the services, {', '.join(sorted(services))}"


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
