"""Two records of one person become one: by entries of the ledger, on record, and with nothing lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from policy.kinds import EntryKind
from policy.reasons import Refusal
from policy.units import MicroTokens
from programme.balance import warnings
from programme.people import directory, records
from programme.people.directory_file import Line
from programme.people.records import ANY_EMAIL
from store import audit, locks
from store.ledger import ledger
from store.ledger.drafts import Draft, NewLot
from store.locks import Lock
from store.people import board, merging, provisioned
from store.people import directory as people_store
from store.proof.merges import MERGED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from programme.moment import Moment
    from store.people.directory import Person
    from store.people.merging import Heir, OpenLot


@dataclass(frozen=True, slots=True)
class Merged:
    """What became one: what came over from the second wallet, the debt that did, and requests that changed hands."""

    first: Person
    second: Person
    tokens: MicroTokens
    debt: MicroTokens
    requests: tuple[str, ...]


def merge(moment: Moment, second: str, into: str, *, actor: str) -> Merged:
    """Make a second record of somebody part of the first: what is left in its wallet, what it owes, and its names.

    Each lot is opened again in the first wallet, with its kind, its end and its reason; what was used stays where it
    was posted. Refused while calls run, something waits for a decision that cannot change hands, or the second has
    roles.
    """
    locks.hold(moment.session, Lock.PEOPLE)
    extra, first = directory.require(moment, second), directory.require(moment, into)
    _require_mergeable(moment, extra, first)
    requests = merging.hand_over_requests(moment.session, extra.id, first.id)
    merging.hand_over_account(moment.session, extra.id, first.id)
    merging.hand_over(moment.session, extra.id, first.id)
    _join_records(moment, extra, first, actor)
    tokens, debt, entry_ids = _join_wallets(moment, extra, first, actor)
    after = {"into": first.id, "entries": entry_ids, "requests": requests}
    audit.note(moment.session, actor, MERGED, extra.id, at=moment.now, before={"email": extra.email}, after=after)
    return Merged(first, extra, tokens, debt, tuple(requests))


def _require_mergeable(moment: Moment, extra: Person, first: Person) -> None:
    if extra.id == first.id:
        raise Refusal("same_person", f"{extra.email} and {first.email} are one record already.")
    if roles := people_store.roles_of(moment.session, extra.id):
        said = f"{extra.email} has roles ({', '.join(sorted(roles))}), which are not handed over by the way."
        raise Refusal("second_has_roles", said, next_step="Clear them with `people import` (`-`), then merge.")
    if waiting := merging.undecided(moment.session, extra.id):
        said = f"{extra.email} still has {', '.join(waiting)} to be decided."
        raise Refusal("undecided", said, next_step="Merge when that is over.")


def _join_records(moment: Moment, extra: Person, first: Person, actor: str) -> None:
    """The second's e-mail is a name of the first, its ids are the first's where that has none, its reports too."""
    rows = provisioned.rows(moment.session, [extra.id, first.id, *merging.reports(moment.session, extra.id)])
    kept, gone = rows[first.email], rows[extra.email]
    ids = {name: gone[name] for name in ("external_id", "slack_user_id") if gone[name] and not kept[name]}
    left = max(gone["hired_on"], moment.today - timedelta(days=1))
    nobody = {"external_id": None, "slack_user_id": None, "former_slack_user_id": None, "manager_id": None}
    people_store.update(moment.session, extra.id, {name: nobody[name] for name in ("external_id", "slack_user_id")})
    board.end_delegation(moment.session, extra.id, now=moment.now)
    lines = [
        Line(0, row["email"], {"manager_email": first.email}) for row in rows.values() if _reports(row, extra, first)
    ]
    fields: dict[str, Any] = {**ids, "hired_on": min(kept["hired_on"], gone["hired_on"])}
    if kept["manager_id"] == extra.id:
        fields["manager_email"] = None
    lines += [Line(0, first.email, fields), Line(0, extra.email, {"left_on": left, "manager_email": None})]
    records.store(moment, lines, rows, actor=actor)
    out = {"email": f"{extra.id}@merged.invalid", "merged_into": first.id, "former_slack_user_id": None}
    people_store.update(moment.session, extra.id, out)
    for kind in ANY_EMAIL:
        records.map_name(moment, (people_store.ANY_SOURCE, kind, extra.email), first.id, actor)


def _reports(row: Mapping[str, Any], extra: Person, first: Person) -> bool:
    return bool(row["manager_id"] == extra.id and row["id"] != first.id)


def _join_wallets(
    moment: Moment, extra: Person, first: Person, actor: str
) -> tuple[MicroTokens, MicroTokens, list[int]]:
    """Post what is left and what is owed from one wallet to the other; how much that is, and the entries."""
    codes = [ledger.wallet_code(extra.id), ledger.wallet_code(first.id)]
    held = ledger.hold(moment.session, codes)
    out, into = (held[code].id for code in codes)
    if merging.wallet(moment.session, out).held:
        said = f"Calls of {extra.email} are running, for which tokens are held."
        raise Refusal("calls_running", said, next_step="Merge again in a few minutes.")
    return _bring_over(moment, (out, into), actor, "")


def heirs(moment: Moment, wallets: Collection[int]) -> list[Heir]:
    """Those of some wallets that are of second records, and their heirs', each before those of its first."""
    found: list[Heir] = []
    while some := merging.heirs(moment.session, wallets):
        found += some
        wallets = {heir.into for heir in some}
    return found


def follow(moment: Moment, wallets: Sequence[Heir], *, entry_id: int, actor: str) -> None:
    """Bring over what an entry has left in wallets of second records, or has made them owe; all of them are held."""
    for heir in wallets:
        *_, entry_ids = _bring_over(moment, (heir.out, heir.into), actor, f":{entry_id}")
        if entry_ids:
            after = {"into": heir.first_id, "entries": entry_ids, "requests": []}
            audit.note(moment.session, actor, MERGED, heir.second_id, at=moment.now, after=after)


def _bring_over(
    moment: Moment, accounts: tuple[int, int], actor: str, because: str
) -> tuple[MicroTokens, MicroTokens, list[int]]:
    """Post what is left in one wallet, lot by lot, or what it owes, to another; `because` tells times apart."""
    out, into = accounts
    lots = merging.open_lots(moment.session, out, moment.now)
    drafts = [_of_lot(lot, accounts, moment, actor, because) for lot in lots]
    debt = max(0, -merging.wallet(moment.session, out).balance)
    if debt:
        drafts.append(_of_debt(debt, accounts, moment, actor, because))
    entry_ids = ledger.post(moment.session, drafts, now=moment.now) if drafts else []
    warnings.credited(moment, [into])
    return MicroTokens(sum(lot.remaining for lot in lots)), MicroTokens(debt), list(entry_ids)


def _of_lot(lot: OpenLot, accounts: tuple[int, int], moment: Moment, actor: str, because: str) -> Draft:
    out, into = accounts
    return Draft(
        kind=EntryKind.MERGE,
        idempotency_key=f"merge:lot:{lot.id}{because}",
        fingerprint=ledger.fingerprint("merge", lot.id, lot.remaining),
        effective_at=moment.now,
        memo="Two records of one person were merged",
        actor=actor,
        amounts=((out, -lot.remaining), (into, lot.remaining)),
        lot=NewLot(lot.kind, lot.priority, lot.starts_at, lot.expires_at, lot.reason, lot.granted_by),
        takes=((lot.id, lot.remaining),),
    )


def _of_debt(debt: int, accounts: tuple[int, int], moment: Moment, actor: str, because: str) -> Draft:
    out, into = accounts
    return Draft(
        kind=EntryKind.MERGE,
        idempotency_key=f"merge:debt:{out}{because}",
        fingerprint=ledger.fingerprint("merge", out, into, debt),
        effective_at=moment.now,
        memo="Two records of one person were merged: what was owed",
        actor=actor,
        amounts=((into, -debt), (out, debt)),
    )
