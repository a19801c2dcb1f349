"""GitHub's webhooks: whether a delivery is GitHub's own, and the outcome that it tells, if any.

Titles and texts are read only for the line that names what a pull request reverts; nothing of them is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct, field

from handlers.decoding import MAX_ID, MAX_NAME, MalformedBodyError, UnfitFieldError, instant
from policy.outcomes import OutcomeReport

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = "github"
SIGNATURE = "sha256="

_Time = Annotated[datetime, Meta(tz=True)]
_Count = Annotated[int, Meta(ge=0, le=10**9)]
_Name = Annotated[str, Meta(max_length=MAX_NAME, pattern="^[^\x00-\x20]+$")]


class Ignored(NamedTuple):
    """A delivery that tells no outcome, and why."""

    outcome_id: str
    why: str


class _Action(Struct):
    action: str = ""


class _User(Struct):
    login: _Name
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        return self.type == "Bot" or self.login.endswith("[bot]")


class _Repository(Struct):
    full_name: _Name


class _Label(Struct):
    name: str


class _PullRequest(Struct):
    number: int
    merged: bool
    merged_at: _Time | None
    updated_at: _Time
    user: _User | None = None
    body: str | None = None
    additions: _Count = 0
    deletions: _Count = 0


class _PullRequestEvent(Struct):
    pull_request: _PullRequest
    repository: _Repository


class _Issue(Struct):
    number: int
    updated_at: _Time
    closed_at: _Time | None = None
    state_reason: str | None = None
    assignee: _User | None = None
    labels: list[_Label] = field(default_factory=list)


class _IssuesEvent(Struct):
    issue: _Issue
    repository: _Repository
    sender: _User | None = None


_action = msgspec.json.Decoder(_Action)
_pull_request = msgspec.json.Decoder(_PullRequestEvent)
_issues = msgspec.json.Decoder(_IssuesEvent)

_REVERTS = re.compile(r"^Reverts (?:(?P<repository>[\w.-]+/[\w.-]+))?#(?P<number>[0-9]{1,12})\.?\s*$", re.MULTILINE)
"""The line that GitHub's own button writes."""

_NOT_RESOLVED = frozenset({"not_planned", "duplicate"})


def is_signed(secret: str, body: bytes, signature: str) -> bool:
    """Whether `X-Hub-Signature-256` is that of the body, compared in constant time."""
    expected = SIGNATURE + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # As bytes: headers may hold what is not ASCII, which the comparison of texts refuses.
    return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))


def parse(event: str, body: bytes, bug_labels_on: Callable[[datetime], frozenset[str]]) -> OutcomeReport | Ignored:
    """What a delivery tells; `event` is its `X-GitHub-Event`. A body of another shape is a MalformedBodyError."""
    try:
        action = _action.decode(body).action
        if event == "pull_request" and action == "closed":
            return _merged(_pull_request.decode(body))
        if event == "issues" and action in {"closed", "reopened"}:
            return _bug(_issues.decode(body), bug_labels_on, is_closed=action == "closed")
    except msgspec.ValidationError as error:
        raise MalformedBodyError(f"the body is no {event} event: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBodyError("the body is not JSON; choose the content type application/json") from error
    except UnfitFieldError as error:
        raise MalformedBodyError(str(error)) from error
    return Ignored("", f"{event} {action}".strip()[:MAX_NAME] + " tells no outcome")


def _merged(event: _PullRequestEvent) -> OutcomeReport | Ignored:
    pull, repository = event.pull_request, event.repository.full_name.lower()
    outcome_id = f"{repository}#{pull.number}"
    if not pull.merged or pull.merged_at is None:
        return Ignored(outcome_id, "closed without being merged")
    reverts = _reverted(pull.body or "", repository)
    # A revert by a bot undoes as much as anyone's.
    if (pull.user is None or pull.user.is_bot) and not reverts:
        return Ignored(outcome_id, "its author is no person")
    return OutcomeReport(
        source=SOURCE,
        outcome_id=_fit(outcome_id),
        kind="pull_request",
        occurred_at=instant(pull.merged_at, "pull_request.merged_at"),
        user="" if reverts or pull.user is None else pull.user.login,
        project=repository,
        lines=pull.additions + pull.deletions,
        reverts=reverts,
        as_of=instant(pull.updated_at, "pull_request.updated_at"),
    )


def _reverted(text: str, repository: str) -> tuple[str, ...]:
    """The pull requests of the same repository that a text says it reverts."""
    found = _REVERTS.finditer(text.replace("\r\n", "\n"))
    numbers = {int(one["number"]) for one in found if (one["repository"] or repository).lower() == repository}
    return tuple(f"{repository}#{number}" for number in sorted(numbers))


def _bug(
    event: _IssuesEvent, bug_labels_on: Callable[[datetime], frozenset[str]], *, is_closed: bool
) -> OutcomeReport | Ignored:
    issue, repository = event.issue, event.repository.full_name.lower()
    outcome_id = f"{repository}#{issue.number}"
    at = instant((issue.closed_at if is_closed else None) or issue.updated_at, "issue.updated_at")
    # A reopened one counts nothing whatever its labels are by now.
    if is_closed and not {label.name.casefold() for label in issue.labels} & bug_labels_on(at):
        return Ignored(outcome_id, "no label says that it is a bug")
    solver = issue.assignee or event.sender
    is_resolved = is_closed and issue.state_reason not in _NOT_RESOLVED
    if is_resolved and (solver is None or solver.is_bot):
        return Ignored(outcome_id, "no person resolved it")
    return OutcomeReport(
        source=SOURCE,
        outcome_id=_fit(outcome_id),
        kind="bug",
        occurred_at=at,
        user=solver.login if is_resolved and solver else "",
        project=repository,
        state="done" if is_resolved else "withdrawn" if is_closed else "reopened",
        as_of=instant(issue.updated_at, "issue.updated_at"),
    )


def _fit(outcome_id: str) -> str:
    if len(outcome_id) > MAX_ID:
        raise UnfitFieldError(f"repository.full_name: expected at most {MAX_ID} characters")
    return outcome_id
