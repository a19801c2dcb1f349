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
    from datetime import date, datetime

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
    where = _Where(moment)
    for one in due:
        posted = standing.get((source, ids[one.key]))
        if posted is None:
            fresh.append(_event(where, source, ids[one.key], one))
        else:
            # Whose it is stays as people have put it since.
            event = _billed(posted.event, one.owed) if one.owed else None
            later.append(Version(source, ids[one.key], posted.revision + 1, event, REASON))
    return [*intake.take_in(moment, fresh), *corrections.take_in(moment, later, actor=actor)]


class _Where:
    """When and of which provider lines are reported; looked up once for each day."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._known: dict[tuple[date, str], tuple[datetime, str]] = {}

    def of(self, place: Place) -> tuple[datetime, str]:
        """The end of the day, so that what was granted on it counts, and now while it runs; the provider."""
        key = (place.day, place.service)
        if key not in self._known:
            end = first_instant(place.day + timedelta(days=1), self._moment.zone) - CLOSEST
            self._known[key] = (min(end, self._moment.now), self._provider(place))
        return self._known[key]

    def _provider(self, place: Place) -> str:
        """The name by which gateways report the service; one that is not approved by then waits in quarantine."""
        services = self._moment.handbooks.on(place.day).services
        return next((one.providers[0] for one in services if one.key == place.service), place.service)


def _event(where: _Where, source: str, event_id: str, one: Due) -> UsageEvent:
    place, (at, provider) = one.place, where.of(one.place)
    names = identities(place.person)
    return _billed(UsageEvent(source, event_id, at, names, provider, place.model, "", {}, place.project, b""), one.owed)


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
