"""What GitHub delivers, in the shape of its documentation, and short ways to take it in and add it up."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from handlers.outcomes import github
from policy.outcomes import OutcomeReport
from programme.outcomes import intake
from programme.people import directory
from tests.support.books import ADA, BEN, MARA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from policy.outcomes import WeekOutput
    from programme.app import App
    from programme.moment import Moment

SECRET = "It's a Secret to Everybody"
REPOSITORY = "Acme/Shop"
MERGED = datetime(2026, 10, 7, 9, 30, tzinfo=UTC)
"""A Wednesday."""
LOGINS = {"Ada-L": ADA, "ben-o": BEN, "maraq": MARA}


def user(login: str, kind: str = "User") -> dict[str, Any]:
    return {
        "login": login,
        "id": 583231,
        "node_id": "MDQ6VXNlcjU4MzIzMQ==",
        "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4",
        "html_url": f"https://github.com/{login}",
        "type": kind,
        "site_admin": False,
    }


def _repository(full_name: str) -> dict[str, Any]:
    owner, _, name = full_name.partition("/")
    return {
        "id": 1296269,
        "name": name,
        "full_name": full_name,
        "private": True,
        "owner": user(owner, "Organization"),
        "default_branch": "main",
    }


def sha(*parts: object) -> str:
    """A commit of its own for everything that has one."""
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pull_request(
    number: int,
    *,
    at: datetime = MERGED,
    by: str = "Ada-L",
    kind: str = "User",
    lines: tuple[int, int] = (150, 50),
    body: str | None = "Baskets remember their currency.",
    merged: bool = True,
    updated_at: datetime | None = None,
    repository: str = REPOSITORY,
    title: str = "Baskets remember their currency",
    assignees: Sequence[tuple[str, str]] = (),
    into: str = "main",
    out_of: str | None = None,
    head: str | None = None,
    commit: str | None = None,
    commits: int = 3,
) -> dict[str, Any]:
    """A `pull_request` event with action `closed`; 200 changed lines, which count 2."""
    branch = out_of or f"baskets-{number}"
    owner = repository.partition("/")[0]
    return {
        "action": "closed",
        "number": number,
        "pull_request": {
            "url": f"https://api.github.com/repos/{repository}/pulls/{number}",
            "id": 279147437 + number,
            "number": number,
            "state": "closed",
            "locked": False,
            "title": title,
            "user": user(by, kind) if by else None,
            "body": body,
            "created_at": _stamp(at - timedelta(days=2)),
            "updated_at": _stamp(updated_at or at),
            "closed_at": _stamp(at),
            "merged_at": _stamp(at) if merged else None,
            "merge_commit_sha": commit or sha(repository, number, "merge") if merged else None,
            "assignee": user(*assignees[0]) if assignees else None,
            "assignees": [user(*one) for one in assignees],
            "labels": [],
            "draft": False,
            "head": {
                "label": f"{owner}:{branch}",
                "ref": branch,
                "sha": head or sha(repository, number, "head"),
                "repo": _repository(repository),
            },
            "base": {
                "label": f"{owner}:{into}",
                "ref": into,
                "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
                "repo": _repository(repository),
            },
            "merged": merged,
            "merged_by": user("maraq") if merged else None,
            "comments": 1,
            "commits": commits,
            "additions": lines[0],
            "deletions": lines[1],
            "changed_files": 5,
        },
        "repository": _repository(repository),
        "sender": user("maraq"),
    }


def revert(number: int, of: int, *, at: datetime, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of pull_request
    """What GitHub's Revert button makes, merged."""
    return pull_request(number, at=at, body=f"Reverts {REPOSITORY}#{of}", **more)


def issue(
    number: int,
    action: str = "closed",
    *,
    at: datetime = MERGED,
    labels: Sequence[str] = ("bug",),
    assignee: str | None = "Ada-L",
    sender: str = "maraq",
    sender_kind: str = "User",
    reason: str | None = "completed",
    repository: str = REPOSITORY,
    assignees: Sequence[tuple[str, str]] | None = None,
    issue_type: str | None = None,
) -> dict[str, Any]:
    """An `issues` event."""
    assigned = [(assignee, "User")] if assignees is None and assignee else assignees or ()
    closed = action == "closed"
    return {
        "action": action,
        "issue": {
            "url": f"https://api.github.com/repos/{repository}/issues/{number}",
            "id": 73464126 + number,
            "number": number,
            "title": "Spelling error in the README file",
            "user": user("ben-o"),
            "labels": [
                {"id": 208045946, "name": label, "color": "fc2929", "default": True, "description": None}
                for label in labels
            ],
            "state": "closed" if closed else "open",
            "locked": False,
            "assignee": user(*assigned[0]) if assigned else None,
            "assignees": [user(*one) for one in assigned],
            "milestone": None,
            "comments": 0,
            "created_at": _stamp(at - timedelta(days=9)),
            "updated_at": _stamp(at),
            "closed_at": _stamp(at) if closed else None,
            "author_association": "MEMBER",
            "state_reason": reason if closed else "reopened",
            "type": {"id": 410, "node_id": "IT_1", "name": issue_type, "description": ""} if issue_type else None,
            "body": "It looks like you accidentally spelled 'commit' with two 't's.",
        },
        "repository": _repository(repository),
        "sender": user(sender, sender_kind),
    }


def event_of(payload: dict[str, Any]) -> str:
    return "pull_request" if "pull_request" in payload else "issues"


def encoded(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload).encode()


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def read(payload: dict[str, Any]) -> OutcomeReport | github.Ignored:
    return github.parse(event_of(payload), encoded(payload), lambda _at: frozenset({"bug"}))


def reported(payload: dict[str, Any]) -> OutcomeReport:
    told = read(payload)
    assert isinstance(told, OutcomeReport), told
    return told


def map_logins(app: App, *logins: str) -> None:
    """Say who is who at GitHub; everyone of the cast when no one is named."""
    with app.transaction() as moment:
        map_logins_in(moment, logins or LOGINS)


def map_logins_in(moment: Moment, logins: Iterable[str]) -> None:
    for login in logins:
        directory.map_identity(moment, source="github", kind="user", value=login, email=LOGINS[login], actor="test")


def take_in(app: App, *told: OutcomeReport) -> list[intake.Status]:
    """Take in one batch in a transaction of its own, once all of it has happened; what became of each outcome."""
    with app.transaction(max([app.clock(), *(max(one.occurred_at, one.as_of or MERGED) for one in told)])) as moment:
        answers = intake.take_in(moment, told)
    return [answer.status for answer in answers]


def weekly(app: App) -> list[WeekOutput]:
    with app.reading() as moment:
        return year(moment)


def year(moment: Moment) -> list[WeekOutput]:
    return intake.weekly(moment, datetime(2026, 1, 1, tzinfo=UTC).date(), datetime(2027, 3, 1, tzinfo=UTC).date())


def outputs(app: App) -> dict[str, int]:
    """Thousandths by kind, over everything."""
    sums: dict[str, int] = {}
    for row in weekly(app):
        sums[row.kind] = sums.get(row.kind, 0) + row.output
    return sums
