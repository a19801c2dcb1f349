"""What titles and texts of pull requests name: what they revert, and what they were cherry-picked from."""

from __future__ import annotations

import re
from typing import NamedTuple

from policy.outcomes import commit_name, digest_of, title_name

_OTHER = r"(?:https://[\w.:-]+/)?(?:(?P<repository>[\w.-]{1,100}/[\w.-]{1,100}))?(?:#|/pull/)(?P<number>[0-9]{1,12})"
_COMMIT = r"(?P<sha>[0-9a-f]{64}|[0-9a-f]{40})"

_REVERTS = re.compile(rf"^(?:This )?reverts? (?:PR |pull request )?{_OTHER}\.?[^\S\n]*$", re.MULTILINE | re.IGNORECASE)
"""The line that GitHub's own button writes, and people after it."""
_REVERTS_COMMIT = re.compile(rf"^This reverts commit {_COMMIT}\b", re.MULTILINE)
"""What `git revert` writes."""
_REVERT_TITLE = re.compile(r'(?P<verb>Revert|Reapply) "(?P<what>.+)"(?: \(#[0-9]+\))?')
_CONVENTIONAL_REVERT = re.compile(r'revert(?:\([^()]*\))?!?:\s+"?(?P<what>.+?)"?', re.IGNORECASE)
"""The title by which Conventional Commits name a revert."""
_NUMBER_AT_END = re.compile(r" \(#(?P<number>[0-9]{1,12})\)$")
"""What GitHub adds to the title of a squashed pull request."""
_PICKED = re.compile(rf"\(cherry picked from commit {_COMMIT}\)")
"""What `git cherry-pick -x` writes."""
_COPY = re.compile(
    rf"^(?:This is an automatic )?(?:cherry[- ]?pick|back-?port|forward-?port) of (?:pull request )?{_OTHER}\b",
    re.MULTILINE | re.IGNORECASE,
)


class Names(NamedTuple):
    """Outcomes by their ids, commits and titles."""

    reverts: tuple[str, ...]
    copies: tuple[str, ...]


def named(title: str, body: str, repository: str) -> Names:
    """What a pull request names. Of what it reverts the surest is taken: a number, else a commit, else a title."""
    text = body.replace("\r\n", "\n")
    reverts = _numbers(_REVERTS, text, repository) or _commits(_REVERTS_COMMIT, text) or _by_title(title, repository)
    copies = _commits(_PICKED, text) | _numbers(_COPY, text, repository)
    return Names(_in_order(reverts), () if reverts else _in_order(copies))


def _in_order(names: set[str]) -> tuple[str, ...]:
    # As numbers count on.
    return tuple(sorted(names, key=lambda name: (len(name), name)))


def title_digest(title: str, repository: str) -> str:
    """What pull requests of one title in one repository have in common."""
    return digest_of(repository, title.strip())


def _numbers(pattern: re.Pattern[str], text: str, repository: str) -> set[str]:
    found = pattern.finditer(text)
    return {f"{(one['repository'] or repository).lower()}#{int(one['number'])}" for one in found}


def _commits(pattern: re.Pattern[str], text: str) -> set[str]:
    return {commit_name(one["sha"]) for one in pattern.finditer(text)}


def _by_title(title: str, repository: str) -> set[str]:
    found = _REVERT_TITLE.fullmatch(title.strip()) or _CONVENTIONAL_REVERT.fullmatch(title.strip())
    if found is None:
        return set()
    if found.groupdict().get("verb") == "Reapply":
        return {title_name(title_digest(f'Revert "{found["what"]}"', repository))}
    if number := _NUMBER_AT_END.search(found["what"]):
        return {f"{repository}#{int(number['number'])}"}
    return {title_name(title_digest(found["what"], repository))}
