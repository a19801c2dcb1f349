"""The token value of a quarter: worked out from the basket, adopted by people, frozen for what was debited by it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from policy.value import buffer
from policy.value.valuation import TokenValue, fixed_value
from programme.value import working
from store import audit, locks
from store.handbook import reference
from store.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from policy.handbook import Handbook
    from policy.period import Quarter
    from policy.value.records import Calculation
    from programme.handbooks import Handbooks
    from programme.moment import Moment


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was worked out for a quarter, beside the value that is in force for it."""

    quarter: Quarter
    old: TokenValue
    new: TokenValue
    digest: str
    calculation: Calculation


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption did; without a value it waits for a second person."""

    value: TokenValue | None
    again: bool = False


def value_of(moment: Moment, quarter: Quarter, handbooks: Handbooks) -> TokenValue:
    """The quarter's value; the first to ask adopts what holds until people adopt another."""
    book = handbooks.on(quarter.first_day)
    adopted = reference.value_of(moment.session, quarter)
    if adopted is None:
        value = expected(moment, quarter, handbooks)
        reference.adopt_value(moment.session, value, handbook_version=book.version, now=moment.now)
        adopted = reference.value_of(moment.session, quarter)
    assert adopted is not None  # noqa: S101 - we have just adopted it, or another session has
    return _funded(adopted, book)


def present(moment: Moment, quarter: Quarter) -> TokenValue:
    """The same, with the handbooks read beside it."""
    handbooks, adopted = moment.read_rules(quarter)
    return (
        value_of(moment, quarter, handbooks) if adopted is None else _funded(adopted, handbooks.on(quarter.first_day))
    )


def expected(moment: Moment, quarter: Quarter, handbooks: Handbooks) -> TokenValue:
    """A quarter's value: what was adopted, or what it would be."""
    if (adopted := reference.value_of(moment.session, quarter)) is not None:
        return _funded(adopted, handbooks.on(quarter.first_day))
    return not_adopted(moment, quarter, handbooks)


def not_adopted(moment: Moment, quarter: Quarter, handbooks: Handbooks) -> TokenValue:
    """What a quarter's value is while no one adopted one: the handbook's figure × the last index."""
    book = handbooks.on(quarter.first_day)
    if book.value.method == "fixed":
        return fixed_value(quarter, book)
    version = f"{quarter}.1"
    if before := reference.values_until(moment.session, quarter):
        last = before[-1]
        nano_usd = buffer.value_in_nano_usd(int(book.value.usd_per_token), last.price_index)
        return _funded(replace(last, quarter=quarter, version=version, nano_usd_per_token=nano_usd), book)
    prior = buffer.buffer([], book.value.buffer)
    return _funded(TokenValue(quarter, version, int(book.value.usd_per_token), buffer_permille=prior.permille), book)


def _funded(value: TokenValue, book: Handbook) -> TokenValue:
    return replace(value, on_top=book.value.buffer.funding == "on_top")


def propose(moment: Moment, quarter: Quarter, *, actor: str) -> Proposal:
    """Work a quarter's value out from prices at its first instant, and keep it to be adopted."""
    _require_open(moment, quarter)
    books = moment.handbooks
    book = books.on(quarter.first_day)
    if book.value.method == "fixed":
        raise Refusal("value_fixed", f"Handbook {book.version} fixes the value.", next_step="Set value.method there.")
    old = expected(moment, quarter, books)
    calculated = working.of(moment, quarter, book, old)
    digest = digest_of(calculated)
    # Anyone who adopts at this moment adopts what they have read, or reads this.
    locks.hold(moment.session, Lock.VALUES)
    reference.keep_proposal(moment.session, quarter, digest=digest, calculation=calculated, actor=actor, now=moment.now)
    return Proposal(quarter, old, _value(quarter, "proposed", calculated), digest, calculated)


def digest_of(calculation: Calculation) -> str:
    return hashlib.sha256(json.dumps(calculation, sort_keys=True).encode()).hexdigest()


def _require_open(moment: Moment, quarter: Quarter) -> None:
    if moment.now >= quarter.bounds(moment.zone)[1]:
        raise Refusal(
            "quarter_over", f"{quarter} is over, and what was debited in it stays.", next_step="Name a later one."
        )


def _value(quarter: Quarter, version: str, calculation: Calculation) -> TokenValue:
    return TokenValue(
        quarter,
        version,
        calculation["nano_usd_per_token"],
        price_index=Decimal(calculation["index"]),
        buffer_permille=calculation["buffer_permille"],
    )


def adopt(moment: Moment, quarter: Quarter, *, actor: str, digest: str | None = None, login: str = "") -> Adoption:
    """Make what was proposed a quarter's value, for all debits from now on; no count of tokens changes.

    A change that exceeds the handbook's bound needs a second person; a login alone is none, because one person may
    have a login and an account in Slack. The liability's change goes against the buffer.
    A Refusal where the proposal is no longer the one with this digest.
    """
    _require_open(moment, quarter)
    locks.hold(moment.session, Lock.VALUES)
    proposed = reference.proposal(moment.session, quarter)
    if proposed is None:
        raise Refusal("no_proposal", f"Nothing is proposed for {quarter}.", next_step="See `tokens-bot value propose`.")
    if digest not in {None, proposed.digest}:
        raise Refusal("another_proposal", f"Another value has since been proposed for {quarter}.")
    books = moment.handbooks
    for value, calculation in reference.calculations(moment.session):
        if value.quarter == quarter and calculation == proposed.calculation:
            return Adoption(value, again=True)
    old = expected(moment, quarter, books)
    book = books.on(quarter.first_day)
    typed = {"login": login} if login else {}
    first = proposed.first_adopter if proposed.first_adopter and _is_person(proposed.first_adopter) else None
    if needs_two(old, proposed.calculation, book):
        _require_person(actor, first, book)
        if first is None:
            reference.note_first_adopter(moment.session, quarter, actor)
            _note(moment, reference.ADOPTED_FIRST, quarter, actor, {"digest": proposed.digest, **typed})
            return Adoption(None)
    version = f"{quarter}.{reference.count_values(moment.session, quarter) + 1}"
    value = _value(quarter, version, proposed.calculation)
    reference.adopt_value(
        moment.session,
        value,
        handbook_version=book.version,
        now=moment.now,
        calculation=proposed.calculation,
        adopted_by=first or actor,
        confirmed_by=actor if first else None,
    )
    tokens = MicroTokens(reference.outstanding(moment.session))
    change = NanoUSD(int(value.worth(tokens)) - int(old.worth(tokens)))
    reference.revalue(moment.session, value=value, change=change, tokens=tokens, actor=actor, now=moment.now)
    _note(moment, reference.ADOPTED, quarter, actor, {"version": version, "digest": proposed.digest, **typed})
    return Adoption(value)


def _is_person(actor: str) -> bool:
    """Whether an actor is not just a login of the command line, which may be anybody's."""
    return not actor.startswith("cli:")


def _require_person(actor: str, first: str | None, book: Handbook) -> None:
    """A Refusal for whoever can't be one of two people, or was the first of them already."""
    takes_two = f"A change of more than {book.value.index.second_person_above:.0%} needs two people"
    if not _is_person(actor):
        raise Refusal(
            "adopter_unknown", f"{takes_two}, and {actor} is no one's.", next_step="Say who you are with `--by EMAIL`."
        )
    if first == actor:
        raise Refusal("second_person", f"{takes_two}.", next_step="Have someone else adopt it.")


def needs_two(old: TokenValue, calculation: Calculation, book: Handbook) -> bool:
    """Whether a change is so large that one person is not enough."""
    change = abs(calculation["nano_usd_per_token"] - old.nano_usd_per_token)
    return Fraction(change, old.nano_usd_per_token) > Fraction(book.value.index.second_person_above)


def _note(moment: Moment, action: str, quarter: Quarter, actor: str, after: Mapping[str, Any]) -> None:
    audit.note(moment.session, actor, action, str(quarter), at=moment.now, after=after)
