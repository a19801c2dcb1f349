"""GitHub's webhooks: whether a delivery is GitHub's own, and the outcome that it tells, if any.

Titles and texts are read only for what names what a pull request reverts or copies. Of them, and of names of branches,
nothing is kept that could be read: only digests, to find what is equal.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct, field

from handlers.decoding import MAX_ID, MAX_NAME, MalformedBodyError, UnfitFieldError, instant
from handlers.outcomes import github_texts
from policy.outcomes import Merge, OutcomeReport, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCE = "github"
SIGNATURE = "sha256="

_Time = Annotated[datetime, Meta(tz=True)]
_Count = Annotated[int, Meta(ge=0, le=10**9)]
_Name = Annotated[str, Meta(max_length=MAX_NAME, pattern="^[^\x00-\x20]+$")]
_Sha = Annotated[str, Meta(max_length=MAX_NAME, pattern="^[^\x00-\x20]*$")]

_AGENTS = frozenset({"copilot", "copilot-swe-agent"})
"""Accounts of agents, under whichever type GitHub lists them."""


class Ignored(NamedTuple):
    """A delivery that tells no outcome, and why."""

    outcome_id: str
    why: str


class _Action(Struct):
    action: str = ""


class User(Struct):
    login: _Name
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        return self.type == "Bot" or self.login.endswith("[bot]") or self.login.lower() in _AGENTS


class Repository(Struct):
    full_name: _Name
    default_branch: str | None = None


class _Named(Struct):
    name: str


class _RepositoryOfBranch(Struct):
    full_name: _Name | None = None
    default_branch: str | None = None


class _Branch(Struct):
    ref: str
    label: str | None = None
    sha: _Sha | None = None
    repo: _RepositoryOfBranch | None = None

    @property
    def of(self) -> str:
        """Its repository; empty where that is gone."""
        return ((self.repo and self.repo.full_name) or "").lower()


class PullRequest(Struct):
    """A pull request, as the webhook and the REST API tell it alike."""

    number: int
    merged_at: _Time | None
    updated_at: _Time
    merged: bool | None = None
    """The REST API's lists leave it out; `merged_at` says as much."""
    title: str = ""
    user: User | None = None
    assignees: list[User] = field(default_factory=list)
    body: str | None = None
    additions: _Count = 0
    deletions: _Count = 0
    commits: int | None = None
    merge_commit_sha: _Sha | None = None
    base: _Branch | None = None
    head: _Branch | None = None


class _PullRequestEvent(Struct):
    pull_request: PullRequest
    repository: Repository


class Issue(Struct):
    """An issue, the same."""

    number: int
    updated_at: _Time
    closed_at: _Time | None = None
    state_reason: str | None = None
    assignee: User | None = None
    assignees: list[User] = field(default_factory=list)
    labels: list[_Named] = field(default_factory=list)
    type: _Named | None = None


class _IssuesEvent(Struct):
    issue: Issue
    repository: Repository
    sender: User | None = None


_action = msgspec.json.Decoder(_Action)
_pull_request = msgspec.json.Decoder(_PullRequestEvent)
_issues = msgspec.json.Decoder(_IssuesEvent)

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
            closed = _pull_request.decode(body)
            return merged(closed.pull_request, closed.repository)
        if event == "issues" and action in {"closed", "reopened"}:
            told = _issues.decode(body)
            return bug(told.issue, told.repository, bug_labels_on, is_closed=action == "closed", closer=told.sender)
    except msgspec.ValidationError as error:
        raise MalformedBodyError(f"the body is no {event} event: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBodyError("the body is not JSON; choose the content type application/json") from error
    except UnfitFieldError as error:
        raise MalformedBodyError(str(error)) from error
    return Ignored("", f"{event} {action}".strip()[:MAX_NAME] + " tells no outcome")


def merged(
    pull: PullRequest, into: Repository, former_defaults: frozenset[str] = frozenset()
) -> OutcomeReport | Ignored:
    """What a pull request tells; `former_defaults` are names that the default branch had before."""
    repository = into.full_name.lower()
    outcome_id = f"{repository}#{pull.number}"
    if pull.merged_at is None or pull.merged is False:
        return Ignored(outcome_id, "closed without being merged")
    names = github_texts.named(pull.title, pull.body or "", repository)
    author = _worker(pull)
    default = _defaults(pull, into) | former_defaults
    brings_back = pull.head is not None and pull.head.ref in default and _is_of(pull.head, repository)
    has_author = not names.reverts and not brings_back and author is not None
    return OutcomeReport(
        source=SOURCE,
        outcome_id=_fit(outcome_id),
        kind="pull_request",
        occurred_at=instant(pull.merged_at, "pull_request.merged_at"),
        user=author.login if author and has_author else "",
        project=repository,
        # What comes from the default branch has counted there.
        state="withdrawn" if brings_back else "done",
        lines=pull.additions + pull.deletions,
        reverts=names.reverts,
        as_of=instant(pull.updated_at, "pull_request.updated_at"),
        merge=_way(pull, repository, default, names),
        is_nobodys=author is None and not names.reverts,
    )


def _worker(pull: PullRequest) -> User | None:
    """Whose a pull request is: its author's or, of what a bot or agent made, the first person's who is assigned."""
    if pull.user and not pull.user.is_bot:
        return pull.user
    return next((one for one in pull.assignees if not one.is_bot), None)


def _defaults(pull: PullRequest, into: Repository) -> frozenset[str]:
    of_base = pull.base.repo if pull.base else None
    told = into.default_branch or (of_base and of_base.default_branch)
    return frozenset([told] if told else [])


def _way(pull: PullRequest, repository: str, default: frozenset[str], names: github_texts.Names) -> Merge:
    head, base = pull.head, pull.base
    # Where nobody says which branch is the default one, every branch is taken for it.
    stays_away = base is not None and default and base.ref not in default
    return Merge(
        source_branch=_branch(head, repository) if head else "",
        target_branch=digest_of(repository, base.ref) if base and stays_away else "",
        head=head.sha or "" if head else "",
        commit=pull.merge_commit_sha or "",
        is_single=pull.commits == 1,
        title=github_texts.title_digest(pull.title, repository) if pull.title else "",
        copies=names.copies,
    )


def _branch(head: _Branch, repository: str) -> str:
    of = repository if _is_of(head, repository) else head.of
    return digest_of(of, head.ref) if of else ""


def _is_of(head: _Branch, repository: str) -> bool:
    """Whether a branch is of a repository itself; where the branch's own is gone, its label says whose it was."""
    if head.of or head.label is None:
        return head.of in {repository, ""}
    return head.label.partition(":")[0].lower() == repository.partition("/")[0]


def bug(
    issue: Issue,
    of: Repository,
    bug_labels_on: Callable[[datetime], frozenset[str]],
    *,
    is_closed: bool,
    closer: User | None,
) -> OutcomeReport | Ignored:
    """What an issue tells; `closer` is who closed it."""
    repository = of.full_name.lower()
    outcome_id = f"{repository}#{issue.number}"
    at = instant((issue.closed_at if is_closed else None) or issue.updated_at, "issue.updated_at")
    said = {one.name.casefold() for one in (*issue.labels, *([issue.type] if issue.type else ()))}
    # A reopened one counts nothing whatever its labels are by now.
    if is_closed and not said & bug_labels_on(at):
        return Ignored(outcome_id, "no label or type says that it is a bug")
    solver = _solver(issue, closer)
    is_resolved = is_closed and issue.state_reason not in _NOT_RESOLVED
    if is_resolved and solver is None:
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


def _solver(issue: Issue, closer: User | None) -> User | None:
    """The first person of those who are assigned, else the one who closed it; never a bot or an agent."""
    assigned: Sequence[User] = issue.assignees or ([issue.assignee] if issue.assignee else [])
    return next((one for one in (*assigned, *([closer] if closer else ())) if not one.is_bot), None)


def _fit(outcome_id: str) -> str:
    if len(outcome_id) > MAX_ID:
        raise UnfitFieldError(f"repository.full_name: expected at most {MAX_ID} characters")
    return outcome_id
