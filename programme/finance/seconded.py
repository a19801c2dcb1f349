"""A large correction takes two people from finance: it is done when the second says the same as the first.

Differences with vendors' bills have cards for that (programme/reconciliation/deciding). This is for what is corrected
on the command line, where the same command, given by somebody else, is the second word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from policy.reasons import Refusal
from programme.people import directory
from store import audit
from store.finance import corrections as store
from store.finance.corrections import Asked
from store.people import directory as people_store

if TYPE_CHECKING:
    from policy.units import NanoUSD
    from programme.moment import Moment

ROLE = "finance"


class Correction(NamedTuple):
    """What would be corrected, a digest of all that says how, and what it comes to."""

    what: str
    digest: str
    amount: NanoUSD


class Speaker(NamedTuple):
    """Who gives a command: a login, and the e-mail that was named with it."""

    login: str
    email: str | None = None


def is_agreed(moment: Moment, one: Correction, speaker: Speaker) -> bool:
    """Whether a correction may be done now; a large one that nobody else has asked for yet is kept as asked for.

    What comes to more by now than the first person was told is asked for anew.
    """
    limit = moment.handbook.reconciliation.second_person_above_usd
    if abs(one.amount) <= limit:
        return True
    person_id = _require_finance(moment, one, speaker, f"USD {limit.decimal:,.2f}")
    asked = store.get(moment.session, one.digest, lock=True)
    if asked is not None and asked.asked_by != person_id and abs(one.amount) <= asked.amount_nano_usd:
        store.forget(moment.session, one.digest)
        _note(moment, "correction.confirm", one, person_id, speaker)
        return True
    store.keep(moment.session, Asked(one.digest, one.what, abs(int(one.amount)), person_id, moment.now))
    _note(moment, "correction.ask", one, person_id, speaker)
    return False


def _require_finance(moment: Moment, one: Correction, speaker: Speaker, limit: str) -> str:
    """Whose word it is; a Refusal where it is nobody's from finance."""
    takes_two = f"It comes to USD {abs(one.amount.decimal):,.2f}; more than {limit} takes two people from finance"
    if speaker.email is None:
        raise Refusal("second_person", f"{takes_two}.", next_step="Say who you are with `--by EMAIL`.")
    person = directory.require(moment, speaker.email)
    if ROLE not in people_store.roles_of(moment.session, person.id):
        raise Refusal(
            "not_finance",
            f"{takes_two}, and {speaker.email} is not.",
            next_step=f"Have somebody with the role `{ROLE}` give the command.",
        )
    return person.id


def _note(moment: Moment, action: str, one: Correction, person_id: str, speaker: Speaker) -> None:
    after = {"digest": one.digest, "amount_nano_usd": int(one.amount), "login": speaker.login}
    audit.note(moment.session, person_id, action, one.what, at=moment.now, after=after)
