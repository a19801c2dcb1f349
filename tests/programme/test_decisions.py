"""What every decision has in common, whatever the topic."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from policy.reasons import Refusal
from programme import decisions
from programme.appeals.appeals import APPEAL
from programme.exceptions.request import REQUEST
from programme.handbook.cards import PROPOSAL
from programme.reviews.voting import REVIEW
from store.audit import POLICY
from tests.support import cast
from tests.support.requests import TESS

if TYPE_CHECKING:
    from programme.app import App
    from programme.decisions import Topic

SAID = {
    "appeal": (APPEAL, "upheld", "This appeal was upheld by Tess Novak"),
    "proposal": (PROPOSAL, "confirmed", "This proposal was confirmed by Tess Novak"),
    "request": (REQUEST, "approved", "This request was approved by Tess Novak"),
    "review": (REVIEW, "adopted", "This review was adopted with the deciding vote of Tess Novak"),
}


@pytest.mark.parametrize(("topic", "state", "said"), SAID.values(), ids=SAID)
def test_what_is_decided_names_who_decided_it(sqlite_app: App, topic: Topic, state: str, said: str) -> None:
    """Whoever is second reads what became of it and by whom, and that nothing changed."""
    tess = cast.person_id(sqlite_app, TESS)
    with sqlite_app.reading() as moment, pytest.raises(Refusal) as refused:
        decisions.require_undecided(moment, topic, state, tess, until=None)
    assert (refused.value.code, refused.value.text) == ("decided", f"{said}, so your click changed nothing.")


@pytest.mark.parametrize("topic", [APPEAL, PROPOSAL, REQUEST, REVIEW], ids=SAID)
def test_silence_has_no_name(sqlite_app: App, topic: Topic) -> None:
    """What lapsed was decided by no one, so no one is named."""
    with sqlite_app.reading() as moment, pytest.raises(Refusal) as refused:
        decisions.require_open(moment, topic, "lapsed", POLICY)
    assert refused.value.text == f"This {topic.noun} {topic.said['lapsed']}, so your click changed nothing."


@pytest.mark.parametrize("topic", [APPEAL, PROPOSAL, REQUEST, REVIEW], ids=SAID)
def test_the_last_instant_is_the_one_before_its_end(sqlite_app: App, topic: Topic) -> None:
    """A click at the very end comes too late; one a microsecond earlier counts, as does one about what has no end."""
    state = min(topic.undecided)
    with sqlite_app.reading() as moment:
        for until in (moment.now + timedelta(microseconds=1), None):
            decisions.require_undecided(moment, topic, state, None, until=until)
        with pytest.raises(Refusal) as refused:
            decisions.require_undecided(moment, topic, state, None, until=moment.now)
    assert refused.value.code == "too_late"


def test_nobody_votes_for_two_seats() -> None:
    """Someone who voted for one seat may change that vote, and has none for another."""
    voted_for = {"tess": "tess", "ben": "omar"}
    for voter, seat in (("tess", "tess"), ("ben", "omar"), ("iris", "iris")):
        decisions.require_one_vote(voted_for, voter, seat)
    with pytest.raises(Refusal) as refused:
        decisions.require_one_vote(voted_for, "ben", "ben")
    assert refused.value.code == "voted_already"
