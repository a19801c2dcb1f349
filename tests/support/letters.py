"""Letters about grants, usual and unusual, and the texts that someone might put into them."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from policy import handbook
from policy.period import Month, Quarter, first_instant
from policy.sizing import Claim, Factors, size
from policy.units import MicroTokens, NanoUSD
from policy.value.valuation import TokenValue
from policy.weights import Annual, Assignment
from programme.value import valuation
from scheduler.composers import grants as composers_grants
from scheduler.composers.grants import Left
from store.tables.grants import grants
from tests.support import cast
from views import codec
from views.grants import DayOfSpend, Digest, Ending, LapseNotice, Portion, Revocation, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from policy.parameters.grants import SizingRules
    from programme.app import App
    from templates.render import Message

HOSTILE = "<!channel> & &amp; *b* `c` ~s~ _i_ <https://evil.example|press>\n• 9,999 tokens left <@U0BOSS>"
ENDLESS = "<&>" * 1_000
BERLIN = ZoneInfo("Europe/Berlin")
CONTACT = "the AI programme team in #ai-tokens"
RULES = handbook.parse(handbook.packaged()).sizing
VALUE = TokenValue(Quarter(2026, 4), "2026-Q4.1", 10_200_000, buffer_permille=150)
DECEMBER, NOVEMBER = Month(2026, 12), Month(2026, 11)


def tokens(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


STAFF = Claim(
    "per_1",
    "staff",
    NanoUSD.parse("220000"),
    1_000,
    31,
    31,
    (Assignment("Atlas", "novel", 600), Assignment("Borealis", "demanding", 400)),
    Decimal("0.623"),
    Decimal("0.517"),
)


def factors(claim: Claim = STAFF, *, leaves: str = "1", weighted: bool = True, rules: SizingRules = RULES) -> Factors:
    """The factors of a claim when the budget leaves such a share of it."""

    def sized(budget: NanoUSD | None) -> Factors:
        return size([claim], rules, VALUE, budget=budget, weighted=weighted).grants[claim.person_id]

    whole = sized(None)
    return sized(NanoUSD(int(whole.usd * Decimal(leaves)))) if leaves != "1" else whole


PART = Claim("per_1", "senior", NanoUSD.parse("190000"), 600, 12, 31)
"""Three days a week, hired in mid-month."""
LOW = Claim("per_1", "junior", NanoUSD.parse("6000"), 1_000, 31, 31)
"""So little that the floor in USD holds."""
HIGH = dataclasses.replace(STAFF, level="principal", projects=(), utilisation=Decimal("1.25"), peers=Decimal("0.5"))
REVIEWED = dataclasses.replace(STAFF, annual=Annual(2026, "above", Decimal("1.05")))
NARROW = dataclasses.replace(RULES, most_weight=Decimal("1.30"), cap_share=Decimal("1.25"))
"""Rules under which both the weight and the grant of HIGH are held back."""


def keep_grant(app: App, email: str, month: Month, of: Factors) -> None:
    """Give someone the tokens of a month's grant, and keep what they follow from."""
    given = cast.give(app, email, f"{of.amount.decimal:f}", reason=f"Grant for {month}")
    with app.transaction() as moment:
        books = moment.handbooks
        row = {
            "month": str(month),
            "person_id": given.person_id,
            "entry_id": given.entry_id,
            "amount": of.amount,
            "entitled_nano_usd": of.entitlement,
            "issued_nano_usd": of.usd,
            "factors": json.loads(codec.written(of)),
            "handbook_version": books.versions[0].version,
            "value_version": valuation.value_of(moment, month.quarter, books).version,
        }
        moment.session.execute(grants.insert(), row)


def statement(of: Factors | None = None, **changes: Any) -> Statement:  # noqa: ANN401 - any field of a statement
    grant = of or factors()
    usual = Statement(
        month=DECEMBER,
        name="Ada Lovelace",
        factors=grant,
        worth=VALUE.worth(grant.amount),
        settled=tokens("0"),
        carried=tokens("8000.5"),
        lapsed=tokens("0"),
        endings=(Ending(tokens("8000.5"), date(2027, 2, 1)), Ending(grant.amount, date(2027, 3, 1))),
        contact=CONTACT,
    )
    return dataclasses.replace(usual, **changes)


def notice(*, days: int = 7, over: str = "4000", endings: int = 1, contact: str = CONTACT) -> LapseNotice:
    on = date(2026, 12, 1)
    return LapseNotice(on, days, tokens(over), (Ending(tokens("120.35"), on),) * endings, contact)


def days_of(month: Month, spent: Callable[[date], int]) -> tuple[DayOfSpend, ...]:
    return tuple(DayOfSpend(day, MicroTokens(spent(day) * 1_000_000)) for day in month.days())


def weekly(day: date) -> int:
    """A usual month: little on weekends, somewhat more from week to week."""
    return 18_000 + day.day * 300 + day.weekday() * 700 if day.weekday() < 5 else 2_400


def digest(**changes: Any) -> Digest:  # noqa: ANN401 - any field of a digest
    days = days_of(NOVEMBER, weekly)
    usual = Digest(
        month=DECEMBER,
        before=NOVEMBER,
        people=42,
        granted=tokens("14800000"),
        per_token=VALUE.per_token,
        entitled=NanoUSD.parse("171500"),
        spent=sum((day.spent for day in days), MicroTokens(0)),
        services=(Portion("Anthropic API", tokens("343599.75")), Portion("GPU cluster", tokens("180000.25"))),
        kinds=(Portion("Model calls", tokens("343599.75")), Portion("Training jobs", tokens("180000.25"))),
        projects=(Portion("Atlas", tokens("200000")), Portion("Borealis", tokens("90000"))),
        carried=tokens("1250000"),
        lapsed=tokens("80000"),
        used_permille=33,
        rush=False,
        rush_days=5,
        days=days,
        contact=CONTACT,
    )
    return dataclasses.replace(usual, **changes)


def too_few() -> Digest:
    """A month in which fewer people spent than may be told of."""
    return digest(spent=None, services=(), kinds=(), projects=(), days=(), used_permille=None)


def unspent() -> Digest:
    nothing = days_of(NOVEMBER, lambda _: 0)
    return digest(spent=tokens("0"), services=(), kinds=(), projects=(), days=nothing, used_permille=0)


def told(
    letter: Statement | LapseNotice | Digest, *, today: date = date(2026, 12, 1), zone: ZoneInfo = BERLIN
) -> Message:
    """The message that comes of a letter after its way through the outbox, on a day in the programme's zone."""
    kept = codec.read(type(letter), json.loads(codec.written(letter)))
    if isinstance(kept, LapseNotice):
        at = first_instant(kept.on, BERLIN)
        return composers_grants.lapse_notice(kept, at, zone, at - timedelta(days=kept.days, hours=-9))
    if isinstance(kept, Statement):
        left = [Left(one.amount, first_instant(one.ends_on, BERLIN)) for one in kept.endings]
        taken_at = None if kept.taken_on is None else first_instant(kept.taken_on, BERLIN)
        return composers_grants.statement(kept, left, zone, taken_at=taken_at, now=first_instant(today, BERLIN))
    return composers_grants.digest(kept, today)


def revocation(given_for: str = "Pilot grant", reason: str = "Meant for Ben.", contact: str = CONTACT) -> Revocation:
    given_at = first_instant(date(2026, 11, 3), BERLIN)
    return Revocation("per_1", tokens("1200"), given_at, given_for, reason, contact)


def revoked(letter: Revocation, available: str = "4120.35") -> Message:
    kept = codec.read(Revocation, json.loads(codec.written(letter)))
    return composers_grants.revoked(kept, tokens(available), BERLIN)


def hostile_statement(text: str) -> Statement:
    projects = tuple(Assignment(text, "novel", 100) for _ in range(10))
    claim = dataclasses.replace(STAFF, projects=projects, annual=Annual(2026, text, Decimal("0.95")))
    endings = tuple(Ending(tokens("1"), date(2027, 1, 1) + timedelta(days=i)) for i in range(20))
    one = factors(claim)
    return statement(dataclasses.replace(one, level=text), name=text, contact=text, endings=endings)


def hostile_digest(text: str) -> Digest:
    portions = tuple(Portion(text, tokens("1000")) for _ in range(10))
    return digest(services=portions, kinds=portions, projects=portions, contact=text)


CASES: dict[str, Callable[[], Message]] = {
    "statement": lambda: told(statement()),
    "statement_within_a_budget": lambda: told(statement(factors(leaves="0.8547"))),
    "statement_of_a_part": lambda: told(statement(factors(PART), carried=tokens("0"))),
    "statement_at_the_floor": lambda: told(statement(factors(LOW))),
    "statement_at_the_cap": lambda: told(statement(factors(HIGH, rules=NARROW))),
    "statement_of_the_pilot": lambda: told(statement(factors(weighted=False))),
    "statement_after_an_annual_review": lambda: told(statement(factors(REVIEWED))),
    "statement_in_debt": lambda: told(statement(settled=factors().amount, carried=tokens("0"), endings=())),
    "statement_with_a_lapse": lambda: told(statement(settled=tokens("1200"), lapsed=tokens("1500.25"))),
    "statement_with_a_lapse_to_come": lambda: told(statement(lapsed=tokens("1500.25"), taken_on=date(2026, 12, 4))),
    "statement_after_the_lapse": lambda: told(
        statement(lapsed=tokens("1500.25"), taken_on=date(2026, 12, 4)), today=date(2026, 12, 4)
    ),
    "statement_hostile": lambda: told(hostile_statement(HOSTILE)),
    "lapse_notice": lambda: told(notice()),
    "lapse_notice_tomorrow": lambda: told(notice(days=1, over="0")),
    "lapse_notice_further_west": lambda: told(notice(days=1), zone=ZoneInfo("America/New_York")),
    "lapse_notice_of_many_lots": lambda: told(notice(endings=12)),
    "lapse_notice_hostile": lambda: told(notice(contact=HOSTILE)),
    "revoked": lambda: revoked(revocation()),
    "revoked_with_nothing_left": lambda: revoked(revocation(), "0"),
    "revoked_hostile": lambda: revoked(revocation(HOSTILE, HOSTILE, HOSTILE)),
    "digest": lambda: told(digest()),
    "digest_with_a_lapse_to_come": lambda: told(digest(taken_on=date(2026, 12, 4))),
    "digest_after_the_lapse": lambda: told(digest(taken_on=date(2026, 12, 4)), today=date(2026, 12, 7)),
    "digest_after_a_rush": lambda: told(digest(rush=True)),
    "digest_of_nothing": lambda: told(unspent()),
    "digest_hostile": lambda: told(hostile_digest(HOSTILE)),
}

ENDLESS_CASES: dict[str, Callable[[], Message]] = {
    "statement": lambda: told(hostile_statement(ENDLESS)),
    "lapse_notice": lambda: told(notice(endings=200, contact=ENDLESS)),
    "revoked": lambda: revoked(revocation(ENDLESS, ENDLESS, ENDLESS)),
    "digest": lambda: told(hostile_digest(ENDLESS)),
}
