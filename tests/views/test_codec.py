"""What the outbox and the tables keep is read again as it was written, by this version and by later ones."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from policy.reasons import Reason
from policy.units import MicroTokens, NanoUSD
from policy.value.currencies import PAR
from views import codec
from views.exceptions import Situation
from views.grants import Digest, Ending, LapseNotice, Statement
from views.warnings import SpendWarning

FACTORS = (
    '{"level":"junior","entitlement":1125000000000,"fte_permille":600,"days_active":30,"days_in_month":30,'
    '"seniority":"0.95","complexity":"1","history":"1","weight":"0.9500","budget_share":"1","bound":"",'
    '"usd":1069117000000,"per_token":10000000,"buffer_permille":141,"amount":93700000000,'
    '"projects":[{"name":"Atlas","complexity":"novel","share_permille":600}],"utilisation":"0.3790","peers":null,'
    '"adjustment":"1.0000","rate":{"currency":"USD","per_unit":1000000000},"band":null,'
    '"annual":null}'
)
KEPT: dict[type, str] = {
    Statement: (
        '{"month":{"year":2026,"month":11},"name":"Ben Okafor","factors":' + FACTORS + ',"worth":937000000000,'
        '"settled":0,"carried":1500000,"lapsed":0,"endings":[{"amount":93700000000,"ends_on":"2027-02-01"}],'
        '"contact":"#ai-tokens","netted":0,"taken_on":null,"person_id":""}'
    ),
    LapseNotice: (
        '{"on":"2027-01-01","days":7,"over_limit":87450000000,"endings":[{"amount":1500000,"ends_on":"2027-01-01"}],'
        '"contact":"#ai-tokens","person_id":""}'
    ),
    Digest: (
        '{"month":{"year":2026,"month":12},"before":{"year":2026,"month":11},"people":8,"granted":2492800000000,'
        '"per_token":10000000,"entitled":25708333333333,"spent":null,"services":[{"name":"OpenAI API","spent":1}],'
        '"kinds":[],"projects":[],"carried":2246950000000,"lapsed":0,"used_permille":null,"rush":false,"rush_days":5,'
        '"days":[{"day":"2026-11-01","spent":0,"evened":false}],"contact":"#ai-tokens",'
        '"taken_on":null,"weekday_before":null}'
    ),
    SpendWarning: (
        '{"percent":50,"month":{"year":2026,"month":11},"spent":243000000000,"left":118500000000,"debt":0,'
        '"per_token":10000000,"can_tell":true,"earliest":"2026-11-28","lasts_until":null,"next_grant_on":"2026-12-01",'
        '"contact":"#ai-tokens","debt_grants":null,"has_grant":true,"person_id":""}'
    ),
    Situation: (
        '{"monthly_grant":93700000000,"available":156500000000,"runs_out":"2027-03-01","earlier":3000000000,'
        '"pool":null,"value_version":"2026-Q4.1","per_token":10000000,"manager":"per_1","sponsor":null,'
        '"because":[{"code":"fast","text":"at most 1 × the monthly grant","figures":{"times":"1"}}],'
        '"is_small_group":false}'
    ),
}
"""Rows as version 0.1.0 wrote them: they wait for months, and those who asked may read them in a year."""


@pytest.mark.parametrize("kind", KEPT, ids=lambda kind: str(kind.__name__))
def test_rows_of_earlier_versions_are_read_and_would_be_written_the_same(kind: type) -> None:
    """No field of a kept view is renamed, retyped or left out, so a row survives an update of the bot."""
    view: object = codec.read(kind, json.loads(KEPT[kind]))
    assert isinstance(view, kind)
    assert codec.written(view) == KEPT[kind]


def test_a_statement_from_before_break_glasses_were_taken_off_is_read() -> None:
    """A row without the youngest field has nothing taken off."""
    kept = json.loads(KEPT[Statement])
    del kept["netted"]
    assert codec.read(Statement, kept).netted == MicroTokens(0)


def test_a_grant_from_before_currencies_was_made_in_usd() -> None:
    """Factors without a rate followed from a midpoint in USD."""
    kept = json.loads(KEPT[Statement])
    del kept["factors"]["rate"]
    assert codec.read(Statement, kept).factors.rate == PAR


def test_a_grant_from_before_annual_reviews_has_no_factor_of_one() -> None:
    """Factors without a group count as the average one."""
    kept = json.loads(KEPT[Statement])
    del kept["factors"]["annual"]
    assert codec.read(Statement, kept).factors.annual is None


def test_rows_from_before_bands_had_to_be_near_are_read() -> None:
    """A grant without its band, and a request without the size of its group, say nothing of either."""
    statement, situation = json.loads(KEPT[Statement]), json.loads(KEPT[Situation])
    del statement["factors"]["band"], situation["is_small_group"]
    assert not codec.read(Statement, statement).factors.is_small_group
    assert not codec.read(Situation, situation).is_small_group


@pytest.mark.parametrize(
    ("kind", "youngest"),
    [
        (Statement, "person_id"),
        (Digest, "taken_on"),
        (Digest, "weekday_before"),
        (LapseNotice, "person_id"),
        (SpendWarning, "person_id"),
    ],
)
def test_rows_from_before_a_field_was_added_are_read(kind: type, youngest: str) -> None:
    """A row without the youngest field is read as one that says nothing of it."""
    kept = json.loads(KEPT[kind])
    del kept[youngest]
    assert not getattr(codec.read(kind, kept), youngest)


def test_values_come_back_with_their_types() -> None:
    """Amounts are units again, dates dates, shares decimals, lists tuples."""
    statement = codec.read(Statement, json.loads(KEPT[Statement]))
    assert (type(statement.carried), type(statement.worth)) == (MicroTokens, NanoUSD)
    assert statement.endings == (Ending(MicroTokens(93_700_000_000), date(2027, 2, 1)),)
    assert statement.factors.utilisation == Decimal("0.3790")
    assert codec.read(Situation, json.loads(KEPT[Situation])).because == (
        Reason("fast", "at most 1 × the monthly grant", {"times": "1"}),
    )


def test_plain_values_are_what_the_text_says() -> None:
    """A column of JSON holds the same values as a text of the outbox."""
    view = codec.read(LapseNotice, json.loads(KEPT[LapseNotice]))
    assert json.loads(json.dumps(codec.plain(view))) == json.loads(codec.written(view))


@pytest.mark.parametrize("amount", ["1500000", 1.5, None])
def test_an_amount_that_is_no_whole_number_is_refused(amount: object) -> None:
    """A figure is never guessed: not from text, not from a fraction, not from nothing."""
    with pytest.raises((msgspec.ValidationError, NotImplementedError)):
        codec.read(Ending, {"amount": amount, "ends_on": "2027-01-01"})


def test_what_has_no_plain_form_is_refused() -> None:
    """A value that JSON cannot say is an error when it is written, not a surprise when it is read."""
    with pytest.raises(NotImplementedError, match="complex"):
        codec.written({"figure": 1j})
