"""What finance wants to know of a difference goes to the administrators, who know the gateways."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from policy.reasons import Refusal
from programme.reconciliation import deciding
from store import audit
from store.outbox import messages
from store.outbox.messages import NewMessage
from store.people import directory as people_store

if TYPE_CHECKING:
    from programme.moment import Moment
    from store.people.directory import Person

QUESTION = "reconciliation/question"
READERS = "admin"


def ask(moment: Moment, person: Person, finding_id: str, revision: int, text: str) -> int:
    """Owe a question to every administrator; how many there are. A Refusal where there is none."""
    found = deciding.require_open(moment, person, finding_id, revision)
    readers = [one for one in people_store.with_role(moment.session, READERS, moment.today) if one != person.id]
    if not readers:
        raise Refusal(
            "no_admin", "Nobody else has the role `admin`.", next_step="Give it to whoever runs the gateways."
        )
    view = json.dumps({"finding_id": found.id, "asked_by": person.id, "text": text})
    stamp = int(moment.now.timestamp() * 1_000)
    letters = [
        NewMessage(f"question:{found.id}:{stamp}:{reader}", QUESTION, view, reader, None, moment.now, at_once=True)
        for reader in readers
    ]
    messages.owe(moment.session, letters, now=moment.now)
    after = {"revision": found.revision, "question": text}
    audit.note(moment.session, person.id, "finding.ask", found.id, at=moment.now, after=after)
    return len(readers)
