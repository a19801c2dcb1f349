"""Which cases a member of the board looks for: by name, team, level and change."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from policy import texts
from store.people import directory as people_store
from store.reviews import standings
from views.reviews import kind_of_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policy.period import Quarter
    from programme.moment import Moment
    from store.reviews.standings import CaseFigures
    from views.reviews import CaseFilter


def of(moment: Moment, quarter: Quarter, readers: Sequence[str], wanted: CaseFilter) -> set[str]:
    """Whose cases are meant. Of cases that their readers may not see, no change is one that they look for."""
    cases = standings.standings(moment.session, quarter)
    reports = people_store.reports_of(moment.session, readers)
    hidden = {one.person_id for one in cases if one.person_id in {*readers, *reports} or one.team in readers}
    ids = {id_ for one in cases for id_ in (one.person_id, one.team) if id_}
    names = {id_: name for id_, (name, _) in people_store.names(moment.session, ids).items()}
    return {
        one.person_id
        for one in cases
        if _is_who(one, wanted, names.get(one.person_id, ""), names.get(one.team, ""))
        and (not wanted.change or (one.person_id not in hidden and _changes(one) == wanted.change))
    }


def _is_who(one: CaseFigures, wanted: CaseFilter, name: str, lead: str) -> bool:
    return (
        wanted.level in {"", one.level}
        and _folded(wanted.name) in _folded(name)
        and (not wanted.team or _folded(wanted.team) in _folded(lead))
    )


def _changes(one: CaseFigures) -> str:
    return kind_of_change(one.delta_thousandths, one.decision)


def _folded(text: str) -> str:
    """Without case, width and accents, as people type what they look for."""
    apart = unicodedata.normalize("NFKD", texts.plain(text).casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
