"""The token's value: carried over until people adopt one, worked out from prices, revalued against the buffer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from policy.period import Quarter
from policy.reasons import Refusal
from policy.units import MicroTokens, NanoUSD
from programme import handbooks
from programme.handbook import applying
from programme.value import valuation
from store.handbook import reference
from store.tables.value import token_values, usd_entries
from tests.support import books, cast
from tests.support.books import ADA

if TYPE_CHECKING:
    from policy.value.valuation import TokenValue
    from programme.app import App
    from programme.value.valuation import Adoption, Proposal

Q4, Q1, Q2 = (Quarter.parse(text) for text in ("2026-Q4", "2027-Q1", "2027-Q2"))
NOW = datetime(2027, 1, 4, 9, tzinfo=UTC)
ONE_ITEM = """
[[value.basket]]
provider = "gpu-cluster"
model = "H100"
meter = "gpu_seconds"
class = "gpu"
share = 0.5

[[value.basket]]
provider = "anthropic"
model = "claude-sonnet-4-5"
meter = "output"
class = "frontier"
share = 0.5

[sizing]"""


PRICE = """
[[prices]]
provider = "gpu-cluster"
model = "H100"
per = "hour"
usd = {{ gpu_seconds = {usd} }}
from = 2027-01-01
"""


CAP = ("reweight_divergence =", "provider_cap = 0.5\nreweight_divergence =")


def own_basket(app: App, *, gpu_from_january: str = "", version: str = "2026.basket", capped: bool = True) -> None:
    """An earlier edition's handbook: half GPU hours, at USD 2.35 until the year ends, and half output tokens."""
    text = books.handbook_text(version, date(2026, 10, 1))
    begin, end = text.index("[[value.slots]]"), text.index("[sizing]")
    text = text[:begin] + ONE_ITEM.strip() + text[end + len("[sizing]") :]
    if capped:
        text = text.replace(*CAP)
    if gpu_from_january:
        text += PRICE.format(usd=gpu_from_january)
    with app.transaction() as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)


def propose(app: App, quarter: Quarter = Q1, now: datetime = NOW) -> Proposal:
    with app.transaction(now) as moment:
        return valuation.propose(moment, quarter, actor="iris")


def adopt(app: App, actor: str = "iris", quarter: Quarter = Q1, now: datetime = NOW) -> Adoption:
    with app.transaction(now) as moment:
        return valuation.adopt(moment, quarter, actor=actor)


def value_of(app: App, quarter: Quarter) -> TokenValue:
    with app.transaction(NOW) as moment:
        return valuation.value_of(moment, quarter, moment.handbooks)


def test_until_somebody_adopts_a_value_the_last_one_holds(app: App) -> None:
    """The first quarter has the handbook's figure and the prior's buffer; later ones carry both over."""
    first, second = value_of(app, Q4), value_of(app, Q1)
    assert (first.per_token, first.buffer_permille) == (NanoUSD.parse("0.01"), 141)
    assert (second.version, second.nano_usd_per_token, second.buffer_permille) == ("2027-Q1.1", 10_000_000, 141)


def test_a_price_that_rises_raises_the_value(app: App) -> None:
    """Half of the basket becomes a fifth dearer: I = 1.1, V = USD 0.011, with every line of the calculation."""
    own_basket(app, gpu_from_january="2.82")
    value_of(app, Q4)
    proposal = propose(app)
    assert proposal.new.nano_usd_per_token == 11_000_000
    calculation = proposal.calculation
    assert (calculation["index"], calculation["laspeyres"]) == ("1.100000000", "1.100000000")
    assert [(line["model"], line["contribution"]) for line in calculation["items"]] == [
        ("H100", "0.600000000"),
        ("claude-sonnet-4-5", "0.500000000"),
    ]
    assert propose(app).digest == proposal.digest
    assert value_of(app, Q1).nano_usd_per_token == 10_000_000


def test_adopting_revalues_the_liability_and_counts_no_token(app: App) -> None:
    """1,000 outstanding tokens × USD 0.001 go from the buffer to the liability; wallets stay as they are."""
    own_basket(app, gpu_from_january="2.82")
    cast.give(app, ADA, "1000")
    value_of(app, Q1)
    propose(app)
    adopted = adopt(app).value
    assert adopted is not None
    assert (adopted.version, adopted.nano_usd_per_token) == ("2027-Q1.2", 11_000_000)
    assert value_of(app, Q1).version == "2027-Q1.2"
    assert books.wallet(app, ADA) == MicroTokens.parse("1000")
    u = usd_entries.c
    query = sa.select(u.kind, u.debit_account, u.credit_account, u.amount_nano_usd)
    assert books.rows(app, query) == [("revaluation", "buffer", "liability", 10**9)]
    assert adopt(app).again
    assert books.count(app, usd_entries) == 1
    assert books.findings(app) == {}


def test_a_large_change_needs_a_second_person(app: App) -> None:
    """Above 15 % the first adoption only asks for a second; the same person is refused, another one completes it."""
    own_basket(app, gpu_from_january="3.29")
    value_of(app, Q4)
    propose(app)
    assert adopt(app, "iris").value is None
    with pytest.raises(Refusal, match="needs two people") as refused:
        adopt(app, "iris")
    assert refused.value.code == "second_person"
    adopted = adopt(app, "omar").value
    assert adopted is not None
    assert adopted.nano_usd_per_token == 12_000_000
    people = sa.select(token_values.c.adopted_by, token_values.c.confirmed_by)
    assert books.rows(app, people.where(token_values.c.version == adopted.version)) == [("iris", "omar")]
    assert [row["action"] for row in books.audited(app, "value.adopt_first")] == ["value.adopt_first"]


def test_a_login_is_not_a_second_person(app: App) -> None:
    """Whoever has an account in Slack and a login is one: a login alone adopts no large change, first or second."""
    own_basket(app, gpu_from_january="3.29")
    value_of(app, Q4)
    propose(app)
    for first in ("cli:iris", "per_iris", "cli:omar"):
        if first == "per_iris":
            assert adopt(app, first).value is None
            continue
        with pytest.raises(Refusal, match="is no one's") as refused:
            adopt(app, first)
        assert refused.value.code == "adopter_unknown"
    assert adopt(app, "per_omar").value is not None
    assert books.findings(app) == {}


def test_a_login_that_was_the_first_does_not_count(app: App) -> None:
    """A first adoption from a version that took a login's word for it has to be made again by a person."""
    own_basket(app, gpu_from_january="3.29")
    value_of(app, Q4)
    propose(app)
    with app.transaction() as moment:
        reference.note_first_adopter(moment.session, Q1, "cli:iris")
    assert adopt(app, "per_iris").value is None
    assert adopt(app, "per_omar").value is not None


def test_what_has_changed_must_be_looked_at_again(app: App) -> None:
    """A first adopter of a proposal that was replaced has adopted nothing."""
    own_basket(app, gpu_from_january="3.29")
    value_of(app, Q4)
    propose(app)
    assert adopt(app, "iris").value is None
    own_basket(app, gpu_from_january="4.70", version="2026.later")
    propose(app)
    assert adopt(app, "omar").value is None


def test_debits_keep_the_value_they_were_made_at(app: App) -> None:
    """Usage before an adoption keeps its version, usage after it has the new one; a late one that of its quarter."""
    own_basket(app, gpu_from_january="2.82")
    hour = {"gpu_seconds": 3_600}
    job = ("gpu-cluster", "H100")
    at = datetime(2027, 1, 2, tzinfo=UTC)
    assert books.take_in(app, cast.event("1", at=at, model=job, meters=hour)) == ["accepted"]  # type: ignore[arg-type]
    propose(app)
    adopt(app)
    assert books.take_in(app, cast.event("2", at=at, model=job, meters=hour)) == ["accepted"]  # type: ignore[arg-type]
    late = datetime(2026, 12, 30, tzinfo=UTC)
    assert books.take_in(app, cast.event("3", at=late, model=job, meters=hour)) == ["accepted"]  # type: ignore[arg-type]
    # USD 2.82 at 0.01, at 0.011, and USD 2.35 at the 0.01 of the old quarter.
    spent = 282_000_000 + 256_363_636 + 235_000_000
    assert books.wallet(app, ADA) == MicroTokens(-spent)
    assert books.findings(app) == {}


def test_the_next_quarter_goes_on_from_the_adopted_basket(app: App) -> None:
    """The basket stays linked where it was; the buffer learns from the levels that were adopted."""
    own_basket(app, gpu_from_january="2.82")
    value_of(app, Q4)
    propose(app)
    adopt(app)
    proposal = propose(app, Q2, datetime(2027, 4, 2, tzinfo=UTC))
    calculation = proposal.calculation
    assert (calculation["linked_at"], calculation["link_index"]) == ("2026-Q4", "1")
    assert calculation["levels"] == ["1", "1.100000000"]
    assert calculation["quarters"] == 2
    assert Decimal(calculation["seen"]) > 0


def test_spend_checks_the_basket_and_renews_it_after_a_year(app: App) -> None:
    """With spend there is a Paasche; after four quarters the shares are the company's own, linked at the old level."""
    own_basket(app, gpu_from_january="2.82")
    value_of(app, Q4)
    quarter = Q4
    for number in range(5):
        begins = datetime(quarter.first_day.year, quarter.first_day.month, 2, tzinfo=UTC)
        gpu = cast.event(f"g{number}", at=begins, model=("gpu-cluster", "H100"), meters={"gpu_seconds": 3_600})
        calls = cast.event(f"c{number}", at=begins, meters={"output": 100_000})
        assert books.take_in(app, gpu, calls) == ["accepted", "accepted"]
        quarter = quarter.next()
        propose(app, quarter)
        adopt(app, quarter=quarter)
        with app.database.reading() as session:
            calculation = reference.calculations(session)[-1][1]
        assert calculation["paasche"] is not None
        assert calculation["index"] == "1.100000000"
    # The fourth quarter after the link is the first with a year of own spend behind it.
    assert calculation["linked_at"] == "2027-Q4"
    assert calculation["link_index"] == "1.100000000"
    shares = {item["model"]: Decimal(item["share"]) for item in calculation["items"]}
    assert sum(shares.values()) == 1
    assert shares == {"H100": Decimal("0.5"), "claude-sonnet-4-5": Decimal("0.5")}
    assert books.findings(app) == {}


def test_a_fixed_value_is_not_proposed(app: App) -> None:
    """Where the handbook fixes the value there is nothing to work out; and nothing is adopted unseen."""
    text = books.handbook_text("2026.fixed", date(2026, 10, 1)).replace('method = "basket"', 'method = "fixed"')
    with app.transaction(NOW) as moment:
        applying.apply(moment, text, actor=handbooks.SYSTEM)
    with pytest.raises(Refusal, match="fixes the value"):
        propose(app)
    with pytest.raises(Refusal, match="Nothing is proposed"):
        adopt(app)
    assert value_of(app, Q1).buffer_permille == 0


def test_a_quarter_that_is_over_stays_as_it_was(app: App) -> None:
    """Nothing is proposed or adopted for a quarter whose last day has passed."""
    own_basket(app)
    with pytest.raises(Refusal, match="2026-Q4 is over"):
        propose(app, Q4)
    with pytest.raises(Refusal, match="2026-Q4 is over"):
        adopt(app, quarter=Q4)
