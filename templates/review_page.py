"""A review's pack as one page of HTML for the file: it fetches nothing, and prints on A4.

With cases it runs one script, which filters them; the page's own policy names it by its digest, so no other can run.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from policy.parameters.grants import LEVELS
from policy.period import Month
from templates import charts, formats, labels, reviews
from templates.documents import Document

ADOPTION = {
    "waits": "not yet",
    "first": "waiting for a second person",
    "adopted": "adopted",
    "another": "not with this package, because another value has since been proposed",
    "over": "not with this package, because the quarter was over",
    "fixed": "not with this package, because the handbook now fixes the value",
}
"""What became of the value that was proposed (programme/reviews/token_value)."""

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from templates.charts import Picture
    from views.review_figures import Money
    from views.reviews import CaseRow, ReviewedCase, ReviewFile


def document(shown: ReviewFile) -> Document:
    """The page as a file."""
    quarter = str(shown.pack.review.quarter)
    name, title = ("-cases", ", with cases") if shown.cases else ("", "")
    html = page(shown, shown.pack.summary.figures.money)
    return Document(f"review-{quarter}{name}.html", f"Review of {quarter}{title}", html.encode())


def page(shown: ReviewFile, funds: Money) -> str:
    """The page; whatever people wrote is only text in it."""
    quarter = str(shown.pack.review.quarter)
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            pack=shown.pack,
            cases=shown.cases,
            levels=_levels(shown.cases.rows) if shown.cases else (),
            kinds_of_change=reviews.KINDS_OF_CHANGE,
            kind_of_change=kind_of_change,
            script=Markup(_script()),  # noqa: S704 - our own
            script_digest=b64encode(sha256(_script().encode()).digest()).decode(),
            at=shown.at,
            funds=charts.funds(funds, quarter),
            use=charts.utilisation(shown.use),
            data_uri=data_uri,
            decision=decision,
            change=reviews.change,
            counts=reviews.counts,
            kinds=reviews.KINDS,
            states=reviews.STATES,
            missing_names=reviews.MISSING_NAMES,
            duration=reviews.duration,
            limits=reviews.LIMITS,
            mean=reviews.mean,
            share=reviews.share,
            adoption=ADOPTION,
            request_states=labels.STATE_NAMES,
            not_counted=reviews.not_counted,
            appeals_in_words=reviews.appeals_in_words,
            sized_for=Month.parse(shown.pack.summary.month),
            peers=reviews.peers,
            group_name=partial(reviews.group_name, names=shown.pack.names),
            **reviews.brings(shown.pack),
        )
    )


@cache
def _script() -> str:
    """What filters the cases, word for word: its digest is in the page."""
    return (Path(__file__).parent / "pages" / "_filter.js").read_text("utf-8")


def _levels(rows: Iterable[CaseRow]) -> list[str]:
    """The levels that there are, junior ones first."""
    found = {row.level for row in rows}
    return [level for level in LEVELS if level in found] + sorted(found.difference(LEVELS))


def kind_of_change(row: CaseRow) -> str:
    """By which choice a case is found; one that its reader may not see, by none."""
    return "hidden" if row.case is None else reviews.kind_of(row.case)


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("templates", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(formats.FILTERS | labels.FILTERS | {"moment": moment})
    return env


def moment(instant: datetime) -> Markup:
    """An instant in words that mean the same to every reader."""
    at = instant.astimezone(UTC)
    return Markup('<time datetime="{}">{} {} UTC</time>').format(
        at.isoformat(timespec="minutes"), formats.day(at.date()), f"{at:%H:%M}"
    )


def data_uri(picture: Picture) -> str:
    """A picture within the page."""
    return f"data:image/png;base64,{b64encode(picture.png).decode()}"


def decision(decided: ReviewedCase, by: str) -> str:
    """What the board made of a case: `as proposed`, `held by Tess Vance on 12 Jan 2027 (−10 % was proposed)`."""
    if decided.decision == "proposed":
        return "as proposed"
    on = "" if decided.decided_at is None else f" on {formats.day(decided.decided_at.date())}"
    who = f" by {by}" if by else ""
    return f"{decided.decision}{who}{on} ({reviews.change(decided.case.delta_thousandths)} was proposed)"
