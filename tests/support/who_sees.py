"""Who reads what of whom, found in everything that everyone can read: the tables in the guide to privacy.

Figures and words of the walk's company belong to one person each. Where a reader meets one, it is noted what it is,
whose it is, what the reader is to them, and in what it stood.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from store.tables.outbox import outbox
from store.tables.people import people
from tests.support import books, whose
from tests.support.books import ADA, BEN
from tests.support.privacy_walk import (
    ALTERNATES,
    ANSWER,
    BOARD,
    QUESTION,
    REJECTION,
    ROLES,
    SAM,
    TIA,
    amendment,
    numbers,
    plea,
    purpose,
    verdict,
)
from tests.support.teams import KIM, LOU, MARA, OLA, PIA, TEAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from programme.app import App
    from tests.support.privacy_walk import Read

GUIDE = Path(__file__).parents[2] / "docs" / "operators" / "privacy.md"
BEGIN = "<!-- Found by `pytest tests/journeys/test_privacy.py`; with --snapshot-update it is written anew. -->\n"
END = "<!-- So far. -->\n"

THEMSELVES, MANAGER, ABOVE, COLLEAGUE, MEMBER, ALTERNATE = (
    "themselves",
    "their manager",
    "the manager's manager",
    "a colleague",
    "the board",
    "an alternate",
)
READERS = (THEMSELVES, MANAGER, ABOVE, COLLEAGUE, MEMBER, ALTERNATE, *ROLES.values())
CASE, PURPOSE, ASKING, REJECTED, AMENDED, PLEA, VERDICT = (
    "their case in a review: use, state, change",
    "what they asked for it for",
    "questions about it, and their answers",
    "why it was rejected",
    "why the board changed their case",
    "why they appeal",
    "why their appeal was decided so",
)
WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **{(PURPOSE, who): (purpose(who),) for who in (ADA, BEN, KIM, LOU)},
    (ASKING, KIM): (QUESTION, ANSWER),
    (REJECTED, BEN): (REJECTION,),
    **{(AMENDED, who): (amendment(who),) for who in (ADA, OLA, LOU)},
    **{(PLEA, who): (plea(who),) for who in (ADA, OLA, LOU)},
    **{(VERDICT, who): (verdict(who),) for who in (ADA, OLA)},
}
"""By what it is and whose it is."""
KINDS = (
    *(whose.LEFT, whose.GRANT, whose.USED, whose.LAPSE, whose.YEAR),
    *(whose.ASKED, PURPOSE, ASKING, REJECTED, CASE, AMENDED, PLEA, VERDICT),
)
FIRST_OF = (whose.ASKED, whose.GRANT, whose.USED, whose.LEFT, whose.LAPSE, whose.YEAR)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "what a team of five or more used": TEAM,
    "what a smaller team used": (SAM, TIA),
    "what everyone used": (*TEAM, MARA, PIA, SAM, TIA),
}
MANAGER_OF = {"what a team of five or more used": MARA, "what a smaller team used": PIA}
PLACES = {
    "exceptions/card": "the request's card",
    "exceptions/face": "the request's card",
    "exceptions/question": "the card's thread",
    "reviews/pack": "the review's pack",
    "reviews/face": "the review's pack",
    "press_cases": "the review's cases",
    "press_page": "the review's cases",
    "press_why": "the review's cases",
    "press_hold": "the review's cases",
    "press_amend": "the review's cases",
    "press_send": "the review's page",
    "appeals/card": "the appeal's card",
    "appeals/face": "the appeal's card",
    "press_uphold": "the appeal's card",
    "press_reject": "the appeal's card",
    "reports/weekly": "the Monday report",
    "grants/digest": "the month's digest",
}
"""What places are called in the guide, by a message's template or the button that opens them."""


class Seen(NamedTuple):
    """That a reader met something, in what."""

    what: str
    relation: str
    place: str


def seen(app: App, read: Read) -> set[Seen]:
    """Everything of others and their own that anyone reads, as long as it says whose it is."""
    about = _People(app)
    owners = _owners(app)
    found: set[Seen] = set()
    for reader, contents in read.items():
        for where, content in contents:
            place = about.place(where)
            texts = list(_texts(content))
            met = {owners[figure] for figure in set(numbers(content)) & owners.keys()}
            met |= {key for key, words in WORDS.items() if any(word in text for word in words for text in texts)}
            met |= {(CASE, who) for who in about.cases_opened(where, content)}
            found |= {Seen(what, about.relation(reader, owner), place) for what, owner in met}
    return found


def _owners(app: App) -> dict[Decimal, tuple[str, str]]:
    """What a figure is, and whose: of figures that are one person's or one group's alone.

    What is several things of one person at once, such as an untouched grant that is all they have left, is the first.
    """
    found: dict[Decimal, list[tuple[str, str]]] = defaultdict(list)
    kinds = whose.by_kind(app)
    for kind in FIRST_OF:
        for who, theirs in kinds[kind].items():
            for figure in theirs:
                found[figure].append((kind, who))
    for (group, _), (cost, debit) in whose.sums_of_use(app, GROUPS).items():
        for figure in whose.told([cost], 10**9) | whose.told([debit], 10**6):
            found[figure].append((group, group))
    return {figure: owners[0] for figure, owners in found.items() if len({owner for _, owner in owners}) == 1}


def _texts(content: Any) -> Iterator[str]:  # noqa: ANN401 - a message, a view, or any part of them
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        content = [getattr(content, field.name) for field in dataclasses.fields(content)]
    if isinstance(content, dict):
        content = list(content.values())
    if isinstance(content, list | tuple):
        for part in content:
            yield from _texts(part)
    elif isinstance(content, str):
        yield content


class _People:
    """What readers are to those of whom they read, and what places are called."""

    def __init__(self, app: App) -> None:
        c = people.c
        rows = books.rows(app, sa.select(c.id, c.email, c.manager_id))
        self._email = {person_id: email for person_id, email, _ in rows}
        self._manager = {email: self._email.get(manager) for _, email, manager in rows}
        self._template = dict(books.rows(app, sa.select(outbox.c.key, outbox.c.template)))

    def relation(self, reader: str, owner: str) -> str:
        members, manager = GROUPS.get(owner, (owner,)), MANAGER_OF.get(owner) or self._manager.get(owner)
        if reader in ROLES:
            return ROLES[reader]
        if reader in members:
            return THEMSELVES
        if reader in BOARD:
            return MEMBER
        if reader in ALTERNATES:
            return ALTERNATE
        if reader == manager:
            return MANAGER
        return ABOVE if manager and reader == self._manager.get(manager) else COLLEAGUE

    def place(self, where: str) -> str:
        if where.startswith("/tokens ") or where == "Home":
            return where if where == "Home" else f"`{where}`"
        name = self._template.get(where) or where.partition(" ")[0]
        return PLACES.get(name, name)

    def cases_opened(self, where: str, content: object) -> Iterator[str]:
        """Whose case of a review something is."""
        button, _, value = where.partition(" ")
        if button == "press_why" and isinstance(content, dict):
            yield self._email[value.split(":")[1]]
        elif self._template.get(where) == "reviews/notice":
            yield self._email[where.rpartition(":")[2]]


# --- As the guide tells it -------------------------------------------------------------------------------------------


def tables(found: set[Seen]) -> str:
    """What people's own is, and what is of several."""
    by_role = [f"role `{one}`" for one in ROLES.values()]
    own = ("of a person", *READERS[: -len(by_role)], *by_role)
    of_several = ("of several", "whoever is in it", "its manager", *own[3:])
    return "\n".join((*_table(own, KINDS, found), "", *_table(of_several, tuple(GROUPS), found), ""))


def _table(heading: tuple[str, ...], kinds: tuple[str, ...], found: set[Seen]) -> Iterator[str]:
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for what in kinds:
        cells = [_cell({one.place for one in found if one[:2] == (what, reader)}, reader) for reader in READERS]
        yield f"| {' | '.join((what, *cells))} |"


def _cell(places: set[str], reader: str) -> str:
    if not places:
        return "–"
    return "yes" if reader == THEMSELVES else ", ".join(sorted(places))


def in_the_guide() -> str:
    """What the guide says."""
    return GUIDE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def write(text: str) -> None:
    before, begin, rest = GUIDE.read_text("utf-8").partition(BEGIN)
    GUIDE.write_text(f"{before}{begin}{text}{END}{rest.partition(END)[2]}", "utf-8")
