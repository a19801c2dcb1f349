"""`offer`, `offers list|words`, `listing`: what offers and job listings say of the allowance."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import common
from bot.cli import listing as lists
from handlers.offers import offer_file
from programme.offers import listing as programme_listing
from programme.offers import making
from templates import listings, offer_page, words
from templates import offers as shown

if TYPE_CHECKING:
    from datetime import date

    from templates.offers import OfferText
    from templates.words import Words
    from views.offers import Offer, OfferedPackage

HEADING = ("id", "made_at", "label", "made_by", "handbook", "value", "others")
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--from", "given", type=file_type, required=True, help="A TOML file that says what is offered.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page that prints on A4.")
@click.option("--words", "own", type=file_type, help="A file of words in another language than those it comes with.")
@common.dry_run_option
@common.json_option
def offer(*, given: Path, html: Path | None, own: Path | None, dry_run: bool, as_json: bool) -> None:
    """Work out an offer: its allowance at cost and as cash, beside other offers, like for like.

    The file has `label` (no name of a person), `base` or `band`, `level`, `currency`, `bonus`, `equity`, `start`,
    `language`, and up to three tables [[rivals]] with `label`, `base`, `bonus`, `equity`, `credits`,
    `million_tokens_a_month` and [[rivals.seats]] (`count`, `a_month`). The same file makes an offer once a day.
    """
    content = common.text_of(given)
    said = None if own is None else words.read(shown.FOLDER, common.text_of(own))
    asked = offer_file.parse(content, shown.languages())
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        key = f"offer:{moment.today}:{hashlib.sha256(content.encode()).hexdigest()}"
        made = making.make(moment, asked, actor=common.actor(), key=key)
    if html is not None:
        html.write_text(offer_page.page(shown.text_of(made, said)), encoding="utf-8")
    if as_json:
        common.print_json(_plain(made) | {"dry_run": dry_run})
        return
    _show(made, said)
    common.told(f"The offer is on record as {made.content.given.label!r}.", dry_run=dry_run)


def _show(made: Offer, said: Words | None) -> None:
    text: OfferText = shown.text_of(made, said)
    click.echo(f"{text.title} ({made.id})")
    rows = text.table()
    common.print_table(rows[0], rows[1:])
    for line in (*text.results, *text.working):
        click.echo(line)


def _plain(made: Offer) -> dict[str, object]:
    """For programs: amounts in USD as decimal texts, shares as decimals."""
    content = made.content
    return {
        "id": made.id,
        "label": content.given.label,
        "made_at": made.made_at.isoformat(),
        "handbook": content.basis.handbook,
        "value": content.basis.value,
        "currency": content.basis.rate.currency,
        "usd_per_unit": common.usd_text(content.basis.rate.per_unit),
        "offer": _package(content.ours),
        "others": [
            {
                **_package(one.package),
                "better": one.better.value,
                "share": None if one.share is None else f"{one.share}",
            }
            for one in content.rivals
        ],
    }


def _package(one: OfferedPackage) -> dict[str, object]:
    return {
        "label": one.label,
        **common.plain(one.pay),
        "use_cost_usd": common.usd_text(one.use.cost),
        "use_issued_usd": common.usd_text(one.use.issued),
        "use_as_cash": common.plain(one.use_as_cash),
        "as_cash": common.plain(one.cash),
        "at_cost_usd": common.usd_text(one.headline),
    }


@click.command()
@click.option("--level", default="", help="Such as senior; every level when left out.")
@click.option("--band", default="", help="A pay band; every post when left out.")
@click.option("--format", "form", type=click.Choice(listings.FORMATS), default=listings.TEXT, show_default=True)
@click.option("--lang", default=words.ENGLISH, show_default=True, help="Such as en or de.")
def listing(*, level: str, band: str, form: str, lang: str) -> None:
    """Print what a job listing may say of the allowance, by the policy in force.

    Recruiters are told when what was printed no longer holds.
    """
    with common.app() as app, app.transaction() as moment:
        facts = programme_listing.of(moment, level=level, band=band)
        text = listings.written(facts, lang, form)
        programme_listing.hand_out(moment, facts, lang, actor=common.actor())
    click.echo(text)


@click.group()
def offers() -> None:
    """Offers on record: figures under a label, deleted after the handbook's keep_days."""


@offers.command("words")
@click.argument("language", default=words.ENGLISH)
def print_words(language: str) -> None:
    """Print the words of a language, to be copied for another one (see `offer --words`)."""
    if language not in shown.languages():
        raise click.BadParameter(f"there are {', '.join(shown.languages())}", param_hint="language")
    click.echo(words.source(shown.FOLDER, language), nl=False)


@offers.command("list")
@lists.since_option
@lists.limit_option
@common.json_option
def list_offers(*, since: date | None, limit: int, as_json: bool) -> None:
    """List the offers that were worked out, the latest first."""
    with common.app() as app, app.reading() as moment:
        found = making.latest(moment, limit=limit, since=lists.instant_of(since, app))
    rows = [_row(one) for one in found]
    if as_json:
        common.print_json([dict(zip(HEADING, row, strict=True)) for row in rows])
    else:
        common.print_table(HEADING, rows)


def _row(one: Offer) -> tuple[object, ...]:
    content = one.content
    made_at = f"{one.made_at:%Y-%m-%dT%H:%MZ}"
    rivals = len(content.rivals)
    return one.id, made_at, content.given.label, one.made_by, content.basis.handbook, content.basis.value, rivals
