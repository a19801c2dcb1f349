"""What GitHub's REST API returns of a repository's pull requests and issues, saved to a file: its history.

It may hold objects or arrays, one after the other, one a line or over several, as `gh api --paginate` prints them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from handlers.decoding import UnfitFieldError
from handlers.outcomes import github
from handlers.outcomes.github import Ignored, Issue, PullRequest, Repository
from programme.table_file import Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from policy.outcomes import OutcomeReport

    Told = OutcomeReport | Ignored

NO_SIZE = (
    "additions: required, but missing: lists of pull requests have no sizes; "
    "fetch each by its number: gh api repos/OWNER/NAME/pulls/NUMBER"
)


class Export(NamedTuple):
    """What a file tells, and how much in it tells no outcome."""

    reported: list[OutcomeReport]
    ignored: int


class _Exported(Struct):
    """What an object of a list that is neither a pull request nor an issue lacks."""

    number: int


class _Base(Struct):
    repo: Repository


class _PullRequestOf(Struct):
    base: _Base


class _IssueOf(Struct):
    state: str
    repository_url: str
    closed_by: github.User | None = None


def read(
    text: str,
    bug_labels_on: Callable[[datetime], frozenset[str]],
    *,
    former_defaults: frozenset[str] = frozenset(),
) -> Export:
    """The outcomes of a file; the Refusal lists everything that cannot be read, with the line where it begins."""
    problems = Problems()
    told: list[Told] = []
    for line, item in _objects(text, problems):
        try:
            told.append(_told(item, bug_labels_on, former_defaults))
        except (UnfitFieldError, msgspec.ValidationError) as error:
            problems.append((line, f"{_name_of(item)}: {error}"))
    problems.refuse("outcomes_file_invalid")
    reported = [one for one in told if not isinstance(one, Ignored)]
    return Export(reported, len(told) - len(reported))


def _objects(text: str, problems: Problems) -> Iterator[tuple[int, Any]]:
    """(line number, object) of each; of arrays, what is in them."""
    decoder = json.JSONDecoder()
    at, line, counted = 0, 1, 0
    while at < len(text):
        if text[at].isspace() or text[at] == ",":
            at += 1
            continue
        line, counted = line + text.count("\n", counted, at), at
        try:
            found, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            problems.append((line, f"no JSON: {error}"))
            return
        yield from ((line, one) for one in _flat(found))


def _flat(found: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    if isinstance(found, list):
        for one in found:
            yield from _flat(one)
    else:
        yield found


def _told(item: Any, bug_labels_on: Callable[[datetime], frozenset[str]], former: frozenset[str]) -> Told:  # noqa: ANN401 - any JSON
    number = msgspec.convert(item, _Exported).number
    if "base" in item:
        into = msgspec.convert(item, _PullRequestOf).base.repo
        pull = msgspec.convert(item, PullRequest)
        if pull.merged_at is not None and "additions" not in item:
            raise UnfitFieldError(NO_SIZE)
        return github.merged(pull, into, former)
    if "pull_request" in item:
        return Ignored(f"#{number}", "a pull request in a list of issues, which says nothing of its size")
    of = msgspec.convert(item, _IssueOf)
    repository = Repository("/".join(of.repository_url.rsplit("/", 2)[-2:]))
    issue = msgspec.convert(item, Issue)
    if of.state == "open" and issue.state_reason != "reopened":
        return Ignored(f"{repository.full_name}#{number}", "it is open")
    return github.bug(issue, repository, bug_labels_on, is_closed=of.state == "closed", closer=of.closed_by)


def _name_of(item: Any) -> str:  # noqa: ANN401 - any JSON
    number = item.get("number") if isinstance(item, dict) else None
    return f"#{number}" if isinstance(number, int) else "an object"
