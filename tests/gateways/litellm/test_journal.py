from __future__ import annotations

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateways.litellm.journal import CLAIM_SECONDS, Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOTS = 1_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    yield journal
    journal.close()


def _claimed(journal: Journal, now: float, most: int = 100) -> list[str]:
    return [event.event_id for event in journal.claim(now=now, most=most, most_bytes=LOTS)]


def test_an_event_is_kept_once(journal: Journal) -> None:
    """The same id is kept the first time only, whatever it says the second time."""
    assert journal.keep("a", "", "{}", now=1)
    assert not journal.keep("a", "", '{"x":1}', now=2)
    assert [event.body for event in journal.claim(now=3, most=9, most_bytes=LOTS)] == ["{}"]


def test_a_first_account_waits_for_the_whole_one(journal: Journal) -> None:
    """It is not sent for ten seconds; the whole account takes its place, and if none comes it is sent as it is."""
    journal.keep("a@1", "call_1", '"first"', now=1, provisional=True)
    journal.keep("b@1", "call_2", '"first"', now=1, provisional=True)
    assert _claimed(journal, 10) == []
    assert journal.complete("a@1", "a@2", '"whole"')
    assert [(e.event_id, e.body) for e in journal.claim(now=10, most=9, most_bytes=LOTS)] == [("a@2", '"whole"')]
    [late] = journal.claim(now=11, most=9, most_bytes=LOTS)
    assert (late.event_id, late.body) == ("b@1", '"first"')
    journal.delivered([late])
    assert not journal.complete("b@1", "b@2", '"whole"')


def test_a_first_account_that_is_on_its_way_is_not_told_twice(journal: Journal) -> None:
    """Once a worker has begun to send it, no whole account follows under another id, also if nobody knows who heard."""
    journal.keep("a@1", "call_1", '"first"', now=1, provisional=True)
    [late] = journal.claim(now=11, most=9, most_bytes=LOTS)
    assert not journal.complete("a@1", "a@2", '"whole"')
    journal.unclaim([late])
    assert not journal.complete("a@1", "a@2", '"whole"')
    assert [event.body for event in journal.claim(now=12, most=9, most_bytes=LOTS)] == ['"first"']


def test_events_leave_in_their_order_and_only_once_delivered(journal: Journal) -> None:
    """A claimed event is nobody else's for a minute; one that is not delivered by then is sent again."""
    for name in "abc":
        journal.keep(name, "", "{}", now=1)
    [first, *_] = journal.claim(now=10, most=2, most_bytes=LOTS)
    assert _claimed(journal, 10) == ["c"]
    journal.delivered([first])
    assert _claimed(journal, 10 + CLAIM_SECONDS) == ["b", "c"]


def test_events_that_are_given_back_are_sent_again_at_once(journal: Journal) -> None:
    """After a failed round nobody waits for the minute to pass."""
    journal.keep("a", "", "{}", now=1)
    journal.unclaim(journal.claim(now=10, most=9, most_bytes=LOTS))
    assert _claimed(journal, 10) == ["a"]


def test_a_request_has_its_size(journal: Journal) -> None:
    """Large events travel in several requests, and one that is too large by itself travels alone."""
    for name in "abc":
        journal.keep(name, "", "x" * 600, now=1)
    assert [e.event_id for e in journal.claim(now=10, most=9, most_bytes=1_300)] == ["a", "b"]
    assert [e.event_id for e in journal.claim(now=10, most=9, most_bytes=10)] == ["c"]


def test_a_hold_is_given_back_behind_its_events(journal: Journal) -> None:
    """As long as an event that it pays for is under way, the rest of a hold stays; others go."""
    journal.keep("a", "lease_1", "{}", now=1)
    journal.release("lease_1", now=2)
    journal.release("lease_2", now=2)
    assert journal.claim_releases(now=10, most=9) == [("lease_2", 2)]
    journal.delivered(journal.claim(now=10, most=9, most_bytes=LOTS))
    assert journal.claim_releases(now=10, most=9) == [("lease_1", 2)]
    journal.released(["lease_1", "lease_2"])
    assert journal.standing().releases == 0


def test_a_refused_event_stays_for_somebody_to_look_at(journal: Journal) -> None:
    """It is not sent by itself any more, does not keep back its hold, and can be sent again by hand."""
    journal.keep("a", "call_1", "{}", now=1)
    journal.release("call_1", now=1)
    [event] = journal.claim(now=2, most=9, most_bytes=LOTS)
    journal.refuse(event, "endTime: expected seconds")
    assert _claimed(journal, 1_000) == []
    assert journal.claim_releases(now=1_000, most=9) == [("call_1", 1)]
    assert journal.refused() == [("a", "endTime: expected seconds")]
    assert (journal.retry_refused(), journal.retry_refused()) == (1, 0)
    assert _claimed(journal, 1_000) == ["a"]


def test_what_is_known_of_a_wallet_is_spent_to_the_last(journal: Journal) -> None:
    """What does not fit is not counted; what a call did not use comes back; news from the bot begin anew."""
    assert (journal.known("ada"), journal.spend("ada", 1)) == (None, False)
    journal.know("ada", 100, now=1)
    assert (journal.spend("ada", 60), journal.spend("ada", 41), journal.known("ada")) == (True, False, 40)
    journal.respend("ada", -50)
    assert journal.known("ada") == 90
    journal.know("ada", 70, now=2)
    assert journal.known("ada") == 70


def test_workers_spend_what_is_known_together(tmp_path: Path) -> None:
    """Eight workers that spend from one wallet at once spend it once."""
    workers = [Journal(tmp_path / "journal.db") for _ in range(8)]
    workers[0].know("ada", 100, now=1)
    with ThreadPoolExecutor(8) as pool:
        spent = list(pool.map(lambda worker: sum(worker.spend("ada", 1) for _ in range(25)), workers))
    assert sum(spent) == 100
    assert workers[0].known("ada") == 0
    for worker in workers:
        worker.close()


def test_workers_send_each_event_once(tmp_path: Path) -> None:
    """Four workers that send at once never have the same event."""
    workers = [Journal(tmp_path / "journal.db") for _ in range(4)]
    for number in range(400):
        workers[0].keep(str(number), "", "{}", now=1)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda worker: [e for _ in range(20) for e in _claimed(worker, 10, 7)], workers))
    everything = [event for batch in claimed for event in batch]
    assert sorted(map(int, everything)) == list(range(400))
    for worker in workers:
        worker.close()


def test_contact_is_the_latest_of_all_workers(journal: Journal) -> None:
    """A worker whose clock is a little behind does not take contact back."""
    assert journal.contact() is None
    journal.touch(now=20)
    journal.touch(now=10)
    assert journal.contact() == 20


def test_an_outage_begins_when_the_first_worker_notices(journal: Journal) -> None:
    """However long nobody called before: it lasts from then until any worker has an answer."""
    assert (journal.miss(now=100), journal.miss(now=130)) == (100, 100)
    journal.touch(now=140)
    assert journal.miss(now=150) == 150
    assert journal.contact() == 140


def kill_writers(folder: Path, times: int, writers: int = 2) -> None:
    """Kill processes in the middle of keeping, at a random moment each; compare what they said with what is there."""
    path, chance = folder / "journal.db", random.Random(7)  # noqa: S311 - moments, not secrets
    Journal(path).close()
    said: set[str] = set()
    for run in range(times):
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.gateways.litellm.writer", path, f"{run}.{one}"], stdout=subprocess.PIPE
            )
            for one in range(writers)
        ]
        for process in started:
            # Only once it writes: the moment of the kill is then one of writing.
            assert process.stdout is not None
            said.add(process.stdout.readline().decode().strip())
        time.sleep(chance.uniform(0, 0.05))
        for process in started:
            process.kill()
            rest, _ = process.communicate()
            # The last line may be half: then its event was kept, but nobody was told.
            said.update(line for line in rest.decode().split("\n")[:-1] if line)
        # As a sender's connection does: without, each next start would read a longer log.
        Journal(path).close()
    journal = Journal(path)
    kept = [e.event_id for e in journal.claim(now=time.time() + LOTS, most=LOTS, most_bytes=LOTS * LOTS)]
    journal.close()
    assert len(said) > times * writers
    assert said <= set(kept)
    assert len(kept) == len(set(kept)) <= len(said) + times * writers


def test_a_killed_worker_loses_nothing_that_it_kept(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: every event that was kept is there, once, beside those of other workers."""
    kill_writers(tmp_path, 3)


@pytest.mark.deep
def test_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    """The same at a hundred random moments."""
    kill_writers(tmp_path, 100)
