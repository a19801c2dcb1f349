"""A repository's history, as GitHub's REST API returns it: the same outcomes as its webhooks would have told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from handlers.outcomes import github_export
from policy.reasons import Refusal
from tests.support import outcomes as work
from tests.support.outcomes import MERGED, REPOSITORY

if TYPE_CHECKING:
    from handlers.outcomes.github_export import Export

PULL = work.pull_request(1)["pull_request"]
STACKED = work.pull_request(2, into="feature", by="Copilot", kind="Bot", assignees=[("Ada-L", "User")])["pull_request"]


def issue(number: int = 7, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of the payload
    """An issue as the REST API returns it, with who closed it in itself."""
    payload = work.issue(number, **more)
    whole: dict[str, Any] = payload["issue"]
    of = f"https://api.github.com/repos/{REPOSITORY}"
    return whole | {"repository_url": of, "closed_by": payload["sender"]}


def read(text: str, *former: str) -> Export:
    return github_export.read(text, lambda _at: frozenset({"bug"}), former_defaults=frozenset(former))


def refused(text: str) -> list[str]:
    with pytest.raises(Refusal) as refusal:
        read(text)
    return refusal.value.text.splitlines()[1:]


def test_a_pull_request_is_told_as_by_the_webhook() -> None:
    """What the REST API returns of a pull request and of an issue is the same outcome as a delivery of it."""
    for exported, delivered in (
        (PULL, work.pull_request(1)),
        (STACKED, work.pull_request(2, into="feature", by="Copilot", kind="Bot", assignees=[("Ada-L", "User")])),
        (issue(), work.issue(7)),
        (issue(assignee=None), work.issue(7, assignee=None)),
        (issue(reason="not_planned"), work.issue(7, reason="not_planned")),
        (issue(action="reopened"), work.issue(7, "reopened")),
    ):
        assert read(json.dumps(exported)).reported == [work.reported(delivered)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([PULL, STACKED]),
        json.dumps(PULL) + "\n" + json.dumps(STACKED) + "\n",
        json.dumps([PULL], indent=2) + json.dumps([STACKED]),
        json.dumps([[PULL], [STACKED]]),
    ],
)
def test_arrays_and_lines_are_read(text: str) -> None:
    """One array, an object a line, the arrays of several pages one after the other or in another array."""
    assert [one.outcome_id for one in read(text).reported] == ["acme/shop#1", "acme/shop#2"]
    assert read("").reported == read("[]\n").reported == []


def test_what_tells_no_outcome_is_counted() -> None:
    """Open and unmerged work, other issues, and the pull requests that a list of issues has, are passed over."""
    open_issue = issue(action="reopened") | {"state_reason": None}
    unmerged = PULL | {"merged_at": None}
    listed = {"number": 1, "pull_request": {"url": "https://api.github.com/repos/acme/shop/pulls/1"}}
    found = read(json.dumps([open_issue, unmerged, listed, issue(labels=()), PULL]))
    assert (len(found.reported), found.ignored) == (1, 4)


def test_a_list_without_sizes_says_what_to_fetch() -> None:
    """Lists of pull requests have no sizes: a merged one is refused with the call that returns it."""
    sizes = {"additions", "deletions", "commits", "merged"}
    listed = {name: value for name, value in PULL.items() if name not in sizes}
    assert read(json.dumps([listed | {"merged_at": None}])).ignored == 1
    [problem] = refused(json.dumps([PULL]) + "\n" + json.dumps([listed]))
    assert problem.startswith("line 2: #1: additions: required, but missing: lists of pull requests have no sizes")
    assert "gh api repos/OWNER/NAME/pulls/NUMBER" in problem


def test_every_mistake_is_told_with_its_line() -> None:
    """What is neither a pull request nor an issue, a field of another type and broken JSON are told together."""
    bad = PULL | {"number": 8, "merged_at": "yesterday"}
    text = "\n".join(json.dumps(one) for one in (PULL, 17, {"zen": "x"}, bad, issue())) + "\n{"
    problems = refused(text)
    assert [problem.partition(": ")[0] for problem in problems] == ["line 2", "line 3", "line 4", "line 6"]
    assert problems[2].startswith("line 4: #8: ")
    assert problems[3].startswith("line 6: no JSON")


def test_a_default_branch_of_before_is_one_still() -> None:
    """After a renaming, what was merged into the old default branch counts where its name is given."""
    old = work.pull_request(1, into="master")["pull_request"]
    [without] = read(json.dumps(old)).reported
    [told] = read(json.dumps(old), "master").reported
    assert without.merge is not None
    assert without.merge.target_branch
    assert told.merge is not None
    assert not told.merge.target_branch
    assert told.occurred_at == MERGED
