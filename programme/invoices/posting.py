"""What tags name, posted as usage: an event for each person or project, day, service and item of a bill.

It is priced by what the bill says, and everything that holds for usage holds for it: who pays, quarantine, caps,
reports. A bill that says something else later corrects its events as a gateway would (docs/decisions/0023).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from policy.bills import SOURCE
from policy.metering import BILLED, UsageEvent
from policy.period import first_instant
from policy.versions import Version
from programme.usage import corrections, fingerprints, intake
from store.invoices import bills as store
from store.usage import versions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from policy.bills import BillName, Place
    from policy.metering import Identities
    from programme.moment import Moment
    from programme.usage.intake import Outcome
    from store.invoices.bills import Bill, Due

AT_A_TIME = 2_000
REASON = "The vendor's bill says otherwise"
CLOSEST = timedelta(microseconds=1)


def source_of(name: BillName) -> str:
    """What the events of an account's bills are known under, together with their ids."""
    return f"{SOURCE}{name.account}"


def id_begins(name: BillName) -> str:
    """How the ids of a bill's events begin."""
    return f"{name.period:%Y-%m-%d}/"


def key_in(event_id: str) -> bytes:
    """The key of the line that an event is of."""
    return bytes.fromhex(event_id.rpartition("/")[2])


def step(moment: Moment, bill: Bill, *, actor: str) -> list[Outcome]:
    """Post some lines that are not posted as they stand; none is left where nothing comes back."""
    store.lock(moment.session, bill.id)
    due = store.due(moment.session, bill.id, AT_A_TIME)
    outcomes = post(moment, bill.name, due, actor=actor)
    store.note_posted(moment.session, bill.id, due)
    return outcomes


def post(moment: Moment, name: BillName, due: Sequence[Due], *, actor: str) -> list[Outcome]:
    """Report lines as usage, or correct what was reported of them; what became of those that are debited."""
    source = source_of(name)
    ids = {one.key: f"{id_begins(name)}{one.place.day:%d}/{one.key.hex()}" for one in due}
    standing = versions.standing(moment.session, [(source, id_) for id_ in ids.values()])
    fresh: list[UsageEvent] = []
    later: list[Version] = []
    for one in due:
        posted = standing.get((source, ids[one.key]))
        if posted is None:
            fresh.append(_event(moment, source, ids[one.key], one.place, one.owed))
        else:
            # Whose it is stays as people have put it since.
            event = _billed(posted.event, one.owed) if one.owed else None
            later.append(Version(source, ids[one.key], posted.revision + 1, event, REASON))
    return [*intake.take_in(moment, fresh), *corrections.take_in(moment, later, actor=actor)]


def _event(moment: Moment, source: str, event_id: str, place: Place, nano_usd: int) -> UsageEvent:
    provider, at = _provider(moment, place), _at(moment, place)
    empty = UsageEvent(
        source, event_id, at, identities(place.person), provider, place.model, "", {}, place.project, b""
    )
    return _billed(empty, nano_usd)


def identities(person: str) -> Identities:
    """What a tag says of a person, as gateways would say it."""
    if not person:
        return ()
    return (("email", person),) if "@" in person else (("user", person),)


def _billed(event: UsageEvent, nano_usd: int) -> UsageEvent:
    meters = {BILLED: nano_usd}
    digest = fingerprints.fingerprint(
        event.occurred_at, event.identities, event.provider, event.model, event.tier, meters, event.project
    )
    return event._replace(meters=meters, fingerprint=digest)


def _provider(moment: Moment, place: Place) -> str:
    """The name by which gateways report the service; one that is not approved by then waits in quarantine."""
    services = moment.handbooks.on(place.day).services
    return next((one.providers[0] for one in services if one.key == place.service), place.service)


def _at(moment: Moment, place: Place) -> datetime:
    """The end of the day, so that what was granted on it counts; now while it runs."""
    end = first_instant(place.day + timedelta(days=1), moment.zone) - CLOSEST
    return min(end, moment.now)
