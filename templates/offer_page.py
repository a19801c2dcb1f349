"""An offer as a page of HTML that fetches and runs nothing and prints on A4, and as plain text to copy."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from templates import charts
from templates.review_page import data_uri

if TYPE_CHECKING:
    from templates.offers import OfferText


def page(text: OfferText) -> str:
    """The page; whatever people wrote is only text in it."""
    template = _environment(escaped=True).get_template("offer.html.j2")
    return template.render(text=text, picture=charts.packages(text), data_uri=data_uri)


def plain(text: OfferText) -> str:
    """The same without its picture and its arithmetic, to copy into a letter."""
    return _environment(escaped=False).get_template("offer.txt.j2").render(text=text).strip()


@cache
def _environment(*, escaped: bool) -> Environment:
    return Environment(
        loader=PackageLoader("templates", "pages"),
        autoescape=escaped,  # noqa: S701 - what is not escaped is plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
