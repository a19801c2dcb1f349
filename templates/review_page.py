"""A review's pack as one page of HTML for the file: it fetches nothing, runs nothing, and prints on A4."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC
from functools import cache, partial
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from policy.period import Month
from templates import charts, formats, reviews
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
    from datetime import datetime

    from templates.charts import Picture
    from views.review_figures import Money
    from views.reviews import ReviewedCase, ReviewFile


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
            request_states=formats.STATE_NAMES,
            not_counted=reviews.not_counted,
            appeals_in_words=reviews.appeals_in_words,
            sized_for=Month.parse(shown.pack.summary.month),
            peers=reviews.peers,
            group_name=partial(reviews.group_name, names=shown.pack.names),
        )
    )


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
    env.filters.update(formats.FILTERS | {"moment": moment})
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
