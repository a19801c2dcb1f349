"""A handbook says exactly what it says, or says everything that is wrong with it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy import handbook
from policy.handbook import Handbook, HandbookError, Service
from policy.metering import METERS, Meter
from policy.toml_table import LARGEST_NUMBER
from policy.units import NANO_PER_USD, NanoUSD
from tests.support import depth

on_any_machine = settings(max_examples=depth.examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])

SMALL = """
version = "2026.1"
effective_from = 2026-01-01
contact = "the programme team"

[value]
method = "fixed"
usd_per_token = 0.01

[[services]]
key = "anthropic"
name = "Anthropic API"
kind = "model_api"
providers = ["anthropic"]
approved_from = 2026-02-01
approved_until = 2026-05-01

[[services]]
key = "gpus"
name = "GPU cluster"
kind = "training"
providers = ["gpus", "old-gpus"]
approved_from = 2026-01-01

[[prices]]
provider = "gpus"
model = "H100"
per = "hour"
usd = { gpu_seconds = 2.35, requests = 1 }
from = 2026-01-01
until = 2026-07-01
"""


def edited(*edits: tuple[str, str]) -> str:
    """The small handbook with some of its text replaced."""
    text = SMALL
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def problems(text: str) -> list[str]:
    with pytest.raises(HandbookError) as refused:
        handbook.parse(text)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return list(refused.value.problems)


def with_prices(*prices: tuple[str, str, str]) -> Handbook:
    """The small handbook with prices of gpus in place of its own: model, USD of a GPU hour, dates."""
    listed = (
        f'[[prices]]\nprovider = "gpus"\nmodel = "{model}"\nper = "hour"\nusd = {{ gpu_seconds = {usd} }}\n{dates}\n'
        for model, usd, dates in prices
    )
    return handbook.parse(SMALL[: SMALL.index("[[prices]]")] + "\n".join(listed))


def hourly(book: Handbook, model: str, day: date) -> Fraction | None:
    """USD of a GPU hour, where the book has a price of its own."""
    price = book.negotiated_price("gpus", model, day)
    if price is None:
        return None
    unit = price.meters["gpu_seconds"]
    return Fraction(unit.nano_usd * 3600, unit.per * 10**9)


def test_the_packaged_handbook_holds() -> None:
    """The handbook that comes with the bot parses, and is what a company starts with."""
    book = handbook.parse(handbook.packaged())
    assert book.value.method == "basket"
    assert book.value.usd_per_token == NanoUSD.parse("0.01")
    assert {service.kind for service in book.services} == {"model_api", "training"}
    assert len({service.key for service in book.services}) == len(book.services) == 7
    assert hourly_of_packaged(book) == Fraction(235, 100)


def hourly_of_packaged(book: Handbook) -> Fraction:
    price = book.negotiated_price("gpu-cluster", "H100", book.effective_from)
    assert price is not None
    assert price.source == "handbook"
    return Fraction(price.meters["gpu_seconds"].nano_usd * 3600, price.meters["gpu_seconds"].per * 10**9)


def test_everything_in_the_text_is_in_the_book() -> None:
    """Each entry of a handbook arrives under its own name."""
    book = handbook.parse(SMALL)
    assert (book.version, book.effective_from, book.contact) == ("2026.1", date(2026, 1, 1), "the programme team")
    assert book.services == (
        Service("anthropic", "Anthropic API", "model_api", ("anthropic",), date(2026, 2, 1), date(2026, 5, 1)),
        Service("gpus", "GPU cluster", "training", ("gpus", "old-gpus"), date(2026, 1, 1), None),
    )
    (negotiated,) = book.prices
    assert (negotiated.holds_from, negotiated.holds_until) == (date(2026, 1, 1), date(2026, 7, 1))
    assert (negotiated.price.provider, negotiated.price.model) == ("gpus", "H100")
    assert set(negotiated.price.meters) == {"gpu_seconds", "requests"}


def test_services_and_prices_may_be_absent() -> None:
    """A handbook without approved services or own prices holds: then nothing is approved."""
    book = handbook.parse(SMALL[: SMALL.index("[[services]]")])
    assert (book.services, book.prices) == ((), ())
    assert book.service_of("anthropic", date(2026, 3, 1)) is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('version = "2026.1"\n', "", "version: missing; expected a text"),
        ('version = "2026.1"', "version = 2026.1", "version = 2026.1: expected a text"),
        ('version = "2026.1"', 'version = "  "', "version = '  ': expected a text"),
        (
            "effective_from = 2026-01-01",
            'effective_from = "2026-01-01"',
            "effective_from = '2026-01-01': expected a date such as 2026-11-01, without quotes",
        ),
        (
            "effective_from = 2026-01-01",
            "effective_from = 2026-01-01T00:00:00Z",
            "effective_from = 2026-01-01 00:00:00+00:00: expected a date such as 2026-11-01, without quotes",
        ),
        (
            "effective_from = 2026-01-01\n",
            "",
            "effective_from: missing; expected a date such as 2026-11-01",
        ),
        ('method = "fixed"', 'method = "market"', "value.method = 'market': expected one of fixed, basket"),
        ("usd_per_token = 0.01\n", "", "value.usd_per_token: missing; expected a number"),
        ("usd_per_token = 0.01", "usd_per_token = 0", "value.usd_per_token = 0: expected an amount above zero"),
        (
            "usd_per_token = 0.01",
            'usd_per_token = "0.01"',
            "value.usd_per_token = '0.01': expected a number from 0 to 9223372036",
        ),
        (
            "usd_per_token = 0.01",
            "usd_per_token = -0.01",
            "value.usd_per_token = -0.01: expected a number from 0 to 9223372036",
        ),
        (
            "usd_per_token = 0.01",
            "usd_per_token = true",
            "value.usd_per_token = True: expected a number from 0 to 9223372036",
        ),
        (
            "usd_per_token = 0.01",
            "usd_per_token = nan",
            "value.usd_per_token = NaN: expected a number from 0 to 9223372036",
        ),
        (
            "usd_per_token = 0.01",
            "usd_per_token = inf",
            "value.usd_per_token = Infinity: expected a number from 0 to 9223372036",
        ),
        (
            "usd_per_token = 0.01",
            "usd_per_token = 0.0000000001",
            (
                "value.usd_per_token = 1E-10: expected USD with at most nine decimals "
                "(Decimal('1E-10') has more decimals than the NanoUSD unit holds)"
            ),
        ),
        ('kind = "training"', 'kind = "chat"', "services[2].kind = 'chat': expected one of model_api, training"),
        ('["anthropic"]', "[]", "services[1].providers = []: expected a list of texts, not empty"),
        ('["anthropic"]', '"anthropic"', "services[1].providers = 'anthropic': expected a list of texts, not empty"),
        ('["anthropic"]', "[1]", "services[1].providers = [1]: expected a list of texts, not empty"),
        ('per = "hour"', 'per = "day"', "prices[1].per = 'day': expected one of unit, thousand, million, hour"),
        (
            "gpu_seconds = 2.35",
            "gpu_seconds = -1",
            "prices[1].usd.gpu_seconds = -1: expected a number from 0 to 9223372036",
        ),
        (
            "gpu_seconds = 2.35",
            "gpu_seconds = nan",
            "prices[1].usd.gpu_seconds = NaN: expected a number from 0 to 9223372036",
        ),
        (
            "gpu_seconds = 2.35",
            "gpu_seconds = 1e999999",
            "prices[1].usd.gpu_seconds = 1E+999999: expected a number from 0 to 9223372036",
        ),
        (
            "usd = { gpu_seconds = 2.35, requests = 1 }",
            "usd = {}",
            "prices[1].usd = {}: expected at least one meter with its price",
        ),
        ("usd = { gpu_seconds = 2.35, requests = 1 }\n", "", "prices[1].usd: missing; expected a table"),
        ("{ gpu_seconds = 2.35, requests = 1 }", "2.35", "prices[1].usd = 2.35: expected a table"),
        ("from = 2026-01-01\nuntil", "until", "prices[1].from: missing; expected a date such as 2026-11-01"),
    ],
)
def test_each_mistake_is_named_once(old: str, new: str, problem: str) -> None:
    """One mistake gives one problem: the key, the value that stands there, and what was expected."""
    assert problems(edited((old, new))) == [problem]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('key = "gpus"', 'key = "anthropic"', "services.key = 'anthropic': listed twice"),
        ('"old-gpus"', '"anthropic"', "services.gpus.providers: 'anthropic' already belongs to 'anthropic'"),
        (
            "approved_until = 2026-05-01",
            "approved_until = 2026-02-01",
            "services.anthropic.approved_until = 2026-02-01: not after approved_from",
        ),
        ("until = 2026-07-01", "until = 2025-12-31", "prices[1].until = 2025-12-31: not after from"),
    ],
)
def test_what_contradicts_itself_is_refused(old: str, new: str, problem: str) -> None:
    """Entries that are well formed each, and impossible together, are a problem too."""
    assert problems(edited((old, new))) == [problem]


def test_all_mistakes_are_reported_at_once() -> None:
    """Whoever edits a handbook learns of every mistake in it from one attempt."""
    text = edited(
        ('contact = "the programme team"', "contact = 7\ncolour = 'red'"),
        ("usd_per_token = 0.01", "usd_per_token = -1"),
        ('kind = "model_api"', 'kind = "model"'),
        ("approved_until = 2026-05-01", "approved_until = 'never'"),
        ('per = "hour"', 'per = "day"'),
    )
    assert sorted(line.split(" = ")[0] for line in problems(text)) == [
        "colour",
        "contact",
        "prices[1].per",
        "services[1].approved_until",
        "services[1].kind",
        "value.usd_per_token",
    ]


def test_several_contradictions_are_reported_at_once() -> None:
    """All contradictions between entries come in one report as well."""
    text = edited(
        ('key = "gpus"', 'key = "anthropic"'),
        ('"old-gpus"', '"anthropic"'),
        ("approved_until = 2026-05-01", "approved_until = 2026-01-01"),
        ("until = 2026-07-01", "until = 2026-01-01"),
    )
    assert len(problems(text)) == 4


def test_an_empty_text_lists_all_that_is_missing() -> None:
    """Nothing at all is reported key by key."""
    assert [line.split(":")[0] for line in problems("")] == [
        "version",
        "effective_from",
        "contact",
        "value",
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "nearest"),
    [
        ("contact =", 'contcat = "x"\ncontact =', "contcat", "contact"),
        ('method = "fixed"', 'method = "fixed"\nusd_per_tokens = 1', "value.usd_per_tokens", "usd_per_token"),
        ('kind = "training"', 'kind = "training"\nprovider = 1', "services[2].provider", "providers"),
        ("approved_until", "aproved_until", "services[1].aproved_until", "approved_until"),
        ("gpu_seconds = 2.35", "gpu_second = 2.35", "prices[1].usd.gpu_second", "gpu_seconds"),
        ("requests = 1", "cache_write_5 = 1", "prices[1].usd.cache_write_5", "cache_write_5m"),
        ("from = 2026-01-01\nuntil", "from = 2026-01-01\nuntill", "prices[1].untill", "until"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(old: str, new: str, key: str, nearest: str) -> None:
    """A misspelt key is shown with its value and with the key that was probably meant."""
    (problem,) = problems(edited((old, new)))
    assert problem.startswith(f"{key} = ")
    assert problem.endswith(f"there is no such key; did you mean {nearest!r}?")


def test_an_unknown_key_that_resembles_nothing_is_refused_without_advice() -> None:
    """No suggestion is better than a wild one."""
    assert problems('zzz = "?"' + SMALL) == ["zzz = '?': there is no such key"]


@pytest.mark.parametrize("key", ["services", "prices"])
def test_lists_of_tables_have_their_heading(key: str) -> None:
    """Something else under the name of a list of tables is refused, with the heading to write."""
    text = f"{key} = 3\n" + SMALL[: SMALL.index("[[services]]")]
    assert problems(text) == [f"{key} = 3: expected tables, each headed [[{key}]]"]


def test_a_text_that_is_not_toml_says_where() -> None:
    """A syntax error is one problem, with its line and column."""
    (problem,) = problems(SMALL + "\n[[prices]\n")
    assert problem.startswith("not TOML: ")
    assert "line" in problem


@on_any_machine
@given(st.integers(1, LARGEST_NUMBER * NANO_PER_USD))
def test_the_value_of_a_token_is_exact(nano_usd: int) -> None:
    """Every amount of nano-USD can be written as the value of a token, and arrives unchanged."""
    book = handbook.parse(edited(("usd_per_token = 0.01", f"usd_per_token = {NanoUSD(nano_usd).decimal:f}")))
    assert book.value.usd_per_token == NanoUSD(nano_usd)


@on_any_machine
@given(
    st.decimals(0, 10**6, places=14),
    st.sampled_from(METERS),
    st.sampled_from([("unit", 1), ("thousand", 1_000), ("million", 1_000_000), ("hour", 3_600)]),
)
def test_a_price_is_exact(usd: Decimal, meter: Meter, per: tuple[str, int]) -> None:
    """A price has no float in it: the figure in the text, whatever its decimals, over what it is for."""
    text = edited(("gpu_seconds = 2.35, requests = 1", f"{meter} = {usd:f}"), ('"hour"', f'"{per[0]}"'))
    unit = handbook.parse(text).prices[0].price.meters[meter]
    assert Fraction(unit.nano_usd, unit.per) == Fraction(usd) * 10**9 / per[1]
    assert (type(unit.nano_usd), type(unit.per)) == (int, int)


def test_a_tenth_is_a_tenth() -> None:
    """0.1 is a tenth, which no binary float is, also as 0.1 of a US dollar per unit and per million."""
    book = handbook.parse(edited(("usd_per_token = 0.01", "usd_per_token = 0.1"), ("2.35", "0.1"), ("hour", "million")))
    assert book.value.usd_per_token == NanoUSD(100_000_000)
    unit = book.prices[0].price.meters["gpu_seconds"]
    assert (unit.nano_usd, unit.per) == (100_000_000, 1_000_000)


def test_a_price_in_whole_numbers_is_a_price() -> None:
    """TOML's integers are as good as its decimals, and zero is a price: the company gives it away."""
    book = handbook.parse(edited(("gpu_seconds = 2.35", "gpu_seconds = 0")))
    assert book.prices[0].price.meters["gpu_seconds"].nano_usd == 0
    assert book.prices[0].price.meters["requests"].nano_usd == 10**9


@pytest.mark.parametrize(
    ("day", "approved"),
    [
        (date(2026, 1, 31), False),
        (date(2026, 2, 1), True),
        (date(2026, 4, 30), True),
        (date(2026, 5, 1), False),
    ],
)
def test_a_service_is_approved_between_its_dates(day: date, approved: bool) -> None:  # noqa: FBT001 - an expectation
    """Approval includes its first day and excludes the day on which it ends."""
    service = handbook.parse(SMALL).service_of("anthropic", day)
    assert (service is not None) is approved


def test_a_service_without_an_end_stays_approved() -> None:
    """Each provider of a service leads to it from its first day on; an unknown provider leads nowhere."""
    book = handbook.parse(SMALL)
    for provider in ("gpus", "old-gpus"):
        service = book.service_of(provider, date.max)
        assert service is not None
        assert service.key == "gpus"
        assert book.service_of(provider, date(2025, 12, 31)) is None
    assert book.service_of("openai", date(2026, 3, 1)) is None


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
    ],
)
def test_a_price_holds_between_its_dates(day: date, holds: bool) -> None:  # noqa: FBT001 - an expectation
    """A price includes its first day and excludes the day on which it ends."""
    assert (hourly(handbook.parse(SMALL), "H100", day) == Fraction(235, 100)) is holds


def test_a_price_of_the_model_beats_the_star() -> None:
    """`*` covers every model of the provider that has no price of its own that day, wherever it is listed."""
    book = with_prices(
        ("H100", "2", "from = 2026-03-01\nuntil = 2026-05-01"),
        ("*", "1", "from = 2026-01-01"),
    )
    assert hourly(book, "A100", date(2026, 4, 1)) == 1
    assert hourly(book, "H100", date(2026, 2, 28)) == 1
    assert hourly(book, "H100", date(2026, 3, 1)) == 2
    assert hourly(book, "H100", date(2026, 5, 1)) == 1
    assert book.negotiated_price("other", "H100", date(2026, 4, 1)) is None


def test_the_later_listing_wins() -> None:
    """Of two prices that hold on a day, the one further down the handbook does."""
    book = with_prices(
        ("H100", "2", "from = 2026-01-01"),
        ("H100", "3", "from = 2026-04-01\nuntil = 2026-06-01"),
        ("*", "5", "from = 2026-01-01"),
        ("*", "7", "from = 2026-02-01"),
    )
    assert hourly(book, "H100", date(2026, 3, 31)) == 2
    assert hourly(book, "H100", date(2026, 4, 1)) == 3
    assert hourly(book, "H100", date(2026, 6, 1)) == 2
    assert hourly(book, "B200", date(2026, 1, 31)) == 5
    assert hourly(book, "B200", date(2026, 2, 1)) == 7


listings = st.lists(
    st.tuples(st.sampled_from(["H100", "A100", "*"]), st.integers(0, 40), st.one_of(st.none(), st.integers(1, 30))),
    max_size=6,
)


@on_any_machine
@given(listings, st.sampled_from(["H100", "A100", "B200"]), st.integers(0, 80))
def test_a_price_is_found_by_reading_the_list_upwards(
    listed: list[tuple[str, int, int | None]], model: str, offset: int
) -> None:
    """The price of a day is the last that holds for the model by name, or else the last for every model."""
    begin = date(2026, 1, 1)
    entries = []
    for number, (name, start, length) in enumerate(listed):
        first = begin + timedelta(days=start)
        until = f"\nuntil = {first + timedelta(days=length)}" if length else ""
        entries.append((name, str(number), f"from = {first}{until}"))
    book = with_prices(*entries)

    def last(name: str) -> int | None:
        holding = (
            number
            for number, (listed_name, start, length) in reversed(list(enumerate(listed)))
            if listed_name == name and start <= offset and (length is None or offset < start + length)
        )
        return next(holding, None)

    expected = last(model) if last(model) is not None else last("*")
    assert hourly(book, model, begin + timedelta(days=offset)) == expected


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("appeal_days = 15", "appeal_days = 0", "appeals.appeal_days = 0: expected"),
        ("appeal_days = 15", 'appeal_days = "15"', "appeals.appeal_days = '15': expected"),
        ("decide_days = 10", "decide_days = 61", "appeals.decide_days = 61: expected"),
        ("remind_days = 5", "remind_days = 2.5", "appeals.remind_days = 2.5: expected"),
        ("remind_days = 5", "remind_days = 10", "appeals.remind_days = 10: expected fewer than decide_days, 10"),
        ("remind_days = 5\n", "", "appeals.remind_days: missing"),
        ("remind_days = 5", "remind_days = 5\nreminds = 2", "appeals.reminds"),
    ],
)
def test_appeals_that_cannot_be_are_refused(old: str, new: str, problem: str) -> None:
    """Whole working days, the reminder before the end; what is wrong is named with its value."""
    text = handbook.packaged()
    assert text.count(old) == 1
    with pytest.raises(HandbookError) as refused:
        handbook.parse(text.replace(old, new))
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'remind = "4 business hours"',
            'remind = "4 hrs"',
            (
                "exceptions.fast.remind = '4 hrs': expected a length of time such as '4 business hours', "
                "'2 business days' or '2 days'"
            ),
        ),
        (
            'remind = "4 business hours"',
            'remind = "9 business hours"',
            "exceptions.fast: remind, escalate and lapse must follow one another",
        ),
        (
            'remind = "4 business hours"',
            'remind = "4 hours"',
            "exceptions.fast: business time and other time are mixed",
        ),
        ("grants = 3\n", "grants = 0.5\n", "exceptions.standard.grants = 0.5: below exceptions.fast.grants"),
        (
            "grants = 1\nusd = 5000\nmembers = 1",
            "grants = 1\nusd = 5000\nmembers = 3",
            "exceptions.standard.members = 2: below exceptions.fast.members",
        ),
        ("until_hour = 17", "until_hour = 9", "exceptions.until_hour = 9: not after exceptions.from_hour"),
        (
            "pool_share = 0.01",
            "pool_share = 2",
            "exceptions.major.pool_share = 2: expected a number from 0 to 1 with at most four decimals",
        ),
    ],
)
def test_exceptions_that_cannot_be_are_refused(old: str, new: str, problem: str) -> None:
    """A larger class never asks for less, steps follow one another, and lengths of time are written in words."""
    text = handbook.packaged()
    assert old in text
    [found] = problems(text.replace(old, new, 1))
    assert found == problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("jump_weeks = 6", "jump_weeks = 2", "reports.jump_weeks = 2: expected a whole number from 3 to 11"),
        (
            "jump_share = 0.5",
            "jump_share = 11",
            "reports.jump_share = 11: expected a number from 0 to 10 with at most four decimals",
        ),
    ],
)
def test_reports_that_cannot_be_are_refused(old: str, new: str, problem: str) -> None:
    """A report has twelve weeks: no more than eleven of them can come before its last."""
    [found] = problems(handbook.packaged().replace(old, new, 1))
    assert found == problem


def test_a_handbook_of_before_the_reports_goes_on() -> None:
    """What it leaves out holds as in the packaged one."""
    text = handbook.packaged()
    begin, end = text.index("[reports]"), text.index("[digest]")
    assert handbook.parse(text[:begin] + text[end:]).reports == handbook.parse(text).reports


def test_the_name_of_the_smallest_group_in_earlier_handbooks_goes_on() -> None:
    """What `[digest]` said of the smallest group is the rule of `[disclosure]`; both at once is a mistake."""
    digest = "\n[digest]\nrush_days = 5\nrush_factor = 1.5\n"
    earlier = SMALL + digest + "least_people = 7\n"
    assert handbook.parse(earlier).disclosure.least_people == 7
    assert handbook.document(earlier)["disclosure"] == {"least_people": 7}
    assert handbook.parse(SMALL + digest).disclosure.least_people == 5
    assert problems(SMALL + digest + "least_people = 0\n") == [
        "disclosure.least_people = 0: expected a whole number from 1 to 1000"
    ]
    assert problems(earlier + "\n[disclosure]\nleast_people = 7\n") == ["digest.least_people = 7: there is no such key"]


FIRST_EDITION = (Path(__file__).parents[1] / "data" / "value" / "first_edition.toml").read_text(encoding="utf-8")


def with_value(tables: str) -> str:
    """The packaged handbook with other `[value]` tables."""
    text = handbook.packaged()
    return text[: text.index("[value]\n")] + tables + text[text.index("[sizing]\n") :]


def test_the_packaged_slots_are_the_basket_of_before() -> None:
    """The same models, meters and shares, so that values of today stay; and no cap."""
    before, now = handbook.parse(with_value(FIRST_EDITION)).value, handbook.parse(handbook.packaged()).value
    assert [(one.provider, one.model, one.meter, one.share) for one in before.basket] == [
        (one.models[0].provider, one.models[0].model, one.meter, one.share) for one in now.slots
    ]
    assert (before.slots, now.basket, now.index.provider_cap) == ((), (), None)
    assert before.lines == now.lines == 11


def test_a_basket_without_an_index_keeps_its_cap() -> None:
    """A handbook that lists models and leaves out `[value.index]` was judged by the cap of then."""
    begin, end = FIRST_EDITION.index("[value.index]"), FIRST_EDITION.index("[value.buffer]")
    found = handbook.parse(with_value(FIRST_EDITION[:begin] + FIRST_EDITION[end:])).value
    assert (found.index.provider_cap, found.slots) == (Decimal("0.50"), ())


def test_a_handbook_without_a_basket_has_the_packaged_slots() -> None:
    """Handbooks of before there was a basket hold the packaged one's, as for all that they leave out."""
    begin = FIRST_EDITION.index("# The starting basket")
    assert (
        handbook.parse(with_value(FIRST_EDITION[:begin])).value.slots == handbook.parse(handbook.packaged()).value.slots
    )


SECOND = '{ from = 2027-01-01, provider = "anthropic", model = "claude-opus-4-6" }'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("share = 0.05", "share = 0.06", "value.slots: the shares add up to 1.01, not to 1"),
        (
            'name = "small-openai-output"',
            'name = "gpu-hour"',
            "value.slots.gpu-hour: listed twice",
        ),
        (
            'model = "claude-opus-4-5" }]',
            'model = "claude-opus-4-5" }, { from = 2022-01-01, provider = "anthropic", model = "claude-opus-4-6" }]',
            "value.slots.frontier-anthropic-input.models: each must begin after the one before",
        ),
        (
            'model = "claude-opus-4-5" }]',
            'model = "claude-opus-4-5" }, { from = 2027-01-01, provider = "openai", model = "gpt-5" }]',
            "value.slots.frontier-openai-input.models: openai/gpt-5 already fills 'frontier-anthropic-input'",
        ),
        (
            'models = [{ from = 2023-01-01, provider = "gpu-cluster", model = "H100" }]',
            "models = []",
            "value.slots.gpu-hour.models: name at least one",
        ),
        (
            'model = "claude-opus-4-5" }]',
            f'model = "claude-opus-4-5" }}, {SECOND[:-2]}, compare = "mean" }}]',
            "value.slots[4].models[2].compare = 'mean': expected one of price, overlap",
        ),
    ],
)
def test_slots_that_cannot_be_are_refused(old: str, new: str, problem: str) -> None:
    """Each contradiction between slots is named with the slot."""
    assert problems(handbook.packaged().replace(old, new, 1)) == [problem]


def test_slots_beside_a_basket_are_refused() -> None:
    """A handbook has one starting basket."""
    slots = handbook.packaged()
    slots = slots[slots.index("[[value.slots]]") : slots.index("[sizing]\n")]
    assert problems(with_value(FIRST_EDITION + slots)) == ["value.basket: stands beside value.slots; keep those"]


@pytest.mark.parametrize(
    ("key", "days", "problem"),
    [
        ("messages", 29, "retention.messages_days = 29: expected 0 (kept) or at least 30"),
        ("names", 91, "retention.names_days = 91: expected 0 (kept) or at least 92"),
        ("texts", 1, "retention.texts_days = 1: expected 0 (kept) or at least 183"),
        ("leavers", 3_651, "retention.leavers_days = 3651: expected a whole number from 0 to 3650"),
    ],
)
def test_what_is_still_needed_cannot_go(key: str, days: int, problem: str) -> None:
    """Each kind is kept until what it is needed for is over, or for ever."""
    assert problems(f"{SMALL}\n[retention]\n{key}_days = {days}\n") == [problem]
    assert handbook.parse(f"{SMALL}\n[retention]\n{key}_days = 0\n").retention.shortest == 0


def test_a_handbook_of_before_lets_nothing_go() -> None:
    """What goes does not come back: that takes a handbook that says so, unlike other tables that may be left out."""
    assert handbook.parse(SMALL).retention.shortest == 0
    assert handbook.parse(handbook.packaged()).retention.shortest == 30
