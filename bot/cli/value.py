"""`value propose|adopt|show`: what a token is worth, and why."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from bot.cli import common, listing
from bot.cli.listing import Listing
from policy.reasons import Refusal
from policy.units import NANO_PER_USD, MicroTokens, NanoUSD
from programme.handbook import proposing
from programme.value import valuation
from store.handbook import reference

if TYPE_CHECKING:
    from policy.period import Quarter
    from policy.value.records import Calculation
    from programme.moment import Moment
    from programme.value.valuation import Proposal

quarter_option = click.option("--quarter", type=common.QuarterType(), required=True)
PER_MILLION = 1_000_000


@click.group()
def value() -> None:
    """What a token is worth in a quarter."""


@value.command("propose")
@quarter_option
@common.dry_run_option
@common.json_option
def propose_value(quarter: Quarter, *, dry_run: bool, as_json: bool) -> None:
    """Work out a quarter's value from the market basket, and keep it for adoption."""
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        proposal = valuation.propose(moment, quarter, actor=common.actor())
    if as_json:
        old = {"version": proposal.old.version, "usd_per_token": common.usd_text(proposal.old.per_token)}
        new = {"usd_per_token": common.usd_text(proposal.new.per_token)}
        common.print_json(
            {
                "quarter": str(quarter),
                "digest": proposal.digest,
                "old": old,
                "new": new,
                "calculation": proposal.calculation,
                "dry_run": dry_run,
            }
        )
        return
    _show(proposal)
    said = f"Adopt it with `tokens-bot value adopt --quarter {quarter}`. No one's tokens change."
    common.told(f"The value of {quarter} is proposed. {said}", dry_run=dry_run)


def _show(proposal: Proposal) -> None:
    kept = proposal.calculation
    heading = ("slot", "provider", "model", "meter", "class", "share", "then", "now", "change", "adds")
    click.echo(
        f"Basket linked at {kept['linked_at']}, where the index was {kept['link_index']}; USD per million units."
    )
    common.print_table(heading, [_line(item) for item in kept["items"]])
    for note in kept["notes"]:
        click.echo(note)
    for name, label in (
        ("laspeyres", "Laspeyres (official)"),
        ("paasche", "Paasche (check)"),
        ("fisher", "Fisher (check)"),
        ("divergence", "|L/F - 1|"),
        ("mix", "mix effect, L/P - 1"),
    ):
        click.echo(f"{label:<22} {kept[name] if kept[name] is not None else 'no spend to weight by'}")
    click.echo(f"{'index':<22} {kept['link_index']} x {kept['laspeyres']} = {kept['index']}")
    if "largest_provider" in kept:
        share, change = Decimal(kept["largest_share"]), Decimal(kept["largest_change"])
        told = f"{kept['largest_provider']}, {share:.1%} of the basket; its prices alone: {change:+.2%}"
        click.echo(f"{'largest provider':<22} {told}")
    click.echo(f"{'spread seen':<22} {kept['seen']} over {kept['quarters']} quarters; with the prior {kept['sigma']}")
    click.echo(f"{'buffer':<22} {Decimal(kept['buffer_permille']) / 10} %")
    old, new = (listing.written(one.per_token) for one in (proposal.old, proposal.new))
    click.echo(f"{'value':<22} USD {old} -> USD {new} a token")
    click.echo(f"{'liability':<22} {_liability(proposal, kept)}")


def _line(item: dict[str, Any]) -> tuple[str, ...]:
    model = f"{item['model']} ({item['tier']})" if item["tier"] else item["model"]
    change = f"{Decimal(item['relative'][0]) / item['relative'][1]:.4f}{' (class)' if item['imputed'] else ''}"
    return (
        item.get("slot", "-"),
        item["provider"],
        model,
        item["meter"],
        item["class"],
        item["share"],
        _price(item["link_price"]),
        _price(item["price"]),
        change,
        item["contribution"],
    )


def _price(price: list[int] | None) -> str:
    if price is None:
        return "-"
    usd = Fraction(*price) * PER_MILLION / NANO_PER_USD
    return f"{Decimal(usd.numerator) / usd.denominator:.4f}"


def _liability(proposal: Proposal, kept: Calculation) -> str:
    tokens = MicroTokens(kept["outstanding_micro_tokens"])
    change = NanoUSD(int(proposal.new.worth(tokens)) - int(proposal.old.worth(tokens)))
    return f"{tokens.decimal:,.2f} tokens outstanding: USD {change.decimal:+,.2f}, against the buffer"


@value.command("adopt")
@quarter_option
@click.option(
    "--by", "email", metavar="EMAIL", help="Who adopts it; left out: the person whose e-mail begins with your login."
)
@common.dry_run_option
@common.json_option
def adopt_value(quarter: Quarter, *, email: str | None, dry_run: bool, as_json: bool) -> None:
    """Adopt what was proposed for a quarter.

    A large change needs a second person, here or in Slack: someone else of the programme, whatever names they go by.
    """
    with common.app() as app, common.moment_of(app, dry_run=dry_run) as moment:
        actor = _adopter(moment, email)
        adoption = valuation.adopt(moment, quarter, actor=actor, login=common.login())
    adopted = adoption.value
    if as_json:
        told = {"quarter": str(quarter), "adopted": adopted is not None}
        common.print_json(told | {"version": adopted.version if adopted else None, "dry_run": dry_run})
    elif adopted is None:
        common.told("The change is large, so a second person has to adopt it too.", dry_run=dry_run)
    else:
        again = " already" if adoption.again else ""
        said = f"Value {adopted.version} is adopted{again}: USD {listing.written(adopted.per_token)} a token."
        common.told(said, dry_run=dry_run)


def _adopter(moment: Moment, email: str | None) -> str:
    """The person who adopts, as Slack knows them too; a login that is nobody's has its own name."""
    try:
        return proposing.proposer(moment, email, common.login()).id
    except Refusal as refusal:
        if email is None and refusal.code == "proposer_unknown":
            return common.actor()
        raise


@value.command("show")
@click.option("--quarter", type=common.QuarterType(), help="Only of this quarter.")
@common.json_option
def show_values(*, quarter: Quarter | None, as_json: bool) -> None:
    """List every value that was adopted, the latest last."""
    with common.app() as app, app.database.reading() as session:
        values = reference.values_by_version(session).values()
    rows = [
        {
            "quarter": str(one.quarter),
            "version": one.version,
            "usd_per_token": listing.usd(one.per_token, as_json=as_json),
            "index": str(one.price_index),
            "buffer": f"{Decimal(one.buffer_permille) / 10} %",
        }
        for one in sorted(values, key=lambda v: (v.quarter, len(v.version), v.version))
        if quarter in {None, one.quarter}
    ]
    listing.show(rows, Listing("No value was adopted yet."), as_json=as_json)
