"""How amounts, dates and names read in a message."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.kinds import EntryKind
from policy.period import Month
from policy.units import MicroTokens, NanoUSD
from templates import formats, labels, render


def tokens_of(text: str) -> MicroTokens:
    return MicroTokens.parse(text)


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("0", "0"),
        ("500", "500"),
        ("4120.35", "4,120"),
        ("1234567.891", "1,234,568"),
        ("0.5", "under 1"),
        ("0.51", "1"),
        ("1.5", "2"),
        ("0.000001", "under 1"),
        ("-0.000001", "under 1"),
        ("-12.5", "−12"),
        ("9223372036854.775807", "9,223,372,036,855"),
    ],
)
def test_tokens_read_whole(amount: str, read: str) -> None:
    """Thousands are set apart, halves go to the even digit, and what is there never reads as nothing."""
    assert formats.tokens(tokens_of(amount)) == read


@pytest.mark.parametrize(
    ("amount", "read"),
    [("0", "0 tokens"), ("0.2", "under 1 token"), ("1", "1 token"), ("1.5", "2 tokens"), ("4120.35", "4,120 tokens")],
)
def test_tokens_with_their_unit(amount: str, read: str) -> None:
    """One is one, and everything else is several."""
    assert formats.in_tokens(tokens_of(amount)) == read


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("0", "0"),
        ("100", "100"),
        ("3323.529412", "3,323.529412"),
        ("0.1", "0.1"),
        ("-0.000001", "-0.000001"),
    ],
)
def test_exact_tokens_keep_every_decimal(amount: str, read: str) -> None:
    """Nothing is rounded, and no zeros are added behind."""
    assert formats.exact_tokens(tokens_of(amount)) == read


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("0", "USD 0.00"),
        ("41.2", "USD 41.20"),
        ("1234.565", "USD 1,234.56"),
        ("0.0054", "USD 0.0054"),
        ("0.00547", "USD 0.0055"),
        ("0.000000001", "USD 0.000000001"),
        ("-0.5", "USD −0.50"),
    ],
)
def test_usd_reads_to_the_cent(amount: str, read: str) -> None:
    """An amount below a cent keeps its first digits instead of reading as nothing, and never as 1E-9."""
    assert formats.usd(NanoUSD.parse(amount)) == read


@given(st.integers(-(10**15), 10**15))
def test_exact_amounts_read_back_as_themselves(number: int) -> None:
    """What `why` shows is the amount, to its last unit."""
    assert MicroTokens.parse(formats.exact_tokens(MicroTokens(number)).replace(",", "")) == number
    assert NanoUSD.parse(formats.exact_usd(NanoUSD(number)).removeprefix("USD ").replace(",", "")) == number


@pytest.mark.parametrize(
    ("number", "read"),
    [(0, "0"), (950, "950"), (1_000, "1 k"), (12_345, "12.3 k"), (4_600_000, "4.6 M"), (7_000_000_000, "7 B")],
)
def test_short_counts_are_read_at_a_glance(number: int, read: str) -> None:
    """Large counts lose their small digits, small ones do not."""
    assert formats.short_count(number) == read


@pytest.mark.parametrize(("number", "read"), [(999_950, "1 M"), (999_999, "1 M"), (999_949, "999.9 k")])
def test_short_counts_round_into_the_next_unit(number: int, read: str) -> None:
    """A count that rounds up to a thousand of its unit is one of the next."""
    assert formats.short_count(number) == read


def test_days_months_meters_and_units_have_names() -> None:
    """Dates are unambiguous everywhere, and what has no name of its own is shown as it is."""
    assert formats.day(date(2026, 3, 4)) == "4 Mar 2026"
    assert formats.month(Month(2026, 11)) == "November 2026"
    assert formats.count(1_234_567) == "1,234,567"
    assert labels.meter("cache_read") == "cached input tokens"
    assert labels.meter("brand_new") == "brand_new"
    assert (formats.per(1_000_000), formats.per(3_600), formats.per(12_345)) == ("million", "hour", "12,345")


def test_instants_are_shown_in_the_readers_zone() -> None:
    """Slack gets the instant and our words for where it cannot show it, whatever zone the instant came in."""
    at = datetime(2026, 11, 20, 14, 5, tzinfo=timezone(timedelta(hours=2)))
    seconds = int(datetime(2026, 11, 20, 12, 5, tzinfo=UTC).timestamp())
    assert formats.moment(at) == f"<!date^{seconds}^{{date_short}} at {{time}}|2026-11-20 12:05 UTC>"


@pytest.mark.parametrize(
    ("zone", "ends", "begins"),
    [
        ("Europe/Berlin", "the end of 31 Dec 2026", "1 Jan 2027"),
        ("Pacific/Auckland", "1 Jan 2027 at 12:00", "1 Jan 2027 at 12:00"),
        ("America/Los_Angeles", "31 Dec 2026 at 15:00", "31 Dec 2026 at 15:00"),
    ],
)
def test_ends_are_told_as_their_reader_lives_through_them(zone: str, ends: str, begins: str) -> None:
    """What ends with a day where its reader lives ends at its end; elsewhere the hour is told."""
    midnight = datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert formats.until(midnight, ZoneInfo(zone)) == ends
    assert formats.from_when(midnight, ZoneInfo(zone)) == begins


def test_every_kind_of_entry_has_its_own_words() -> None:
    """No two kinds are called the same, so that `why` never says of an exception that it was corrected."""
    words = [labels.what_it_did(kind) for kind in EntryKind]
    assert len(set(words)) == len(EntryKind)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Pilot grant", "Pilot grant"),
        ("two\n• 9,999 tokens\tleft", "two • 9,999 tokens left"),
        ("x" * 80, "x" * 80),
        ("x" * 81, f"{'x' * 79}…"),
        ("&" * 16, "&" * 16),
        ("&" * 17, f"{'&' * 15}…"),
        ("word " * 20, f"{'word ' * 15}word…"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_foreign_texts_take_one_line_and_little_room(text: str, read: str) -> None:
    """A reason or a name is cut with a sign, so that no text from outside makes a message too long or fakes a line."""
    assert formats.short(text) == read


@given(st.text(), st.integers(2, 40))
def test_a_short_text_never_takes_more_room(text: str, longest: int) -> None:
    """Counted as Slack counts, with entities, a text is never longer than it may be, and a short one stays whole."""
    cut = formats.short(text, longest)
    assert len(render.escape(cut)) <= longest
    words = " ".join(text.split())
    assert cut == words or cut.endswith("…")
    assert len(render.escape(words)) > longest or cut == words


def test_typed_words_stay_within_their_backticks() -> None:
    """What is quoted as code cannot end the quotation."""
    assert formats.code("`; *bold*") == "'; *bold*"
    assert len(formats.code("`" * 4_000)) == 80


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("1", "1.00"),
        ("1.1", "1.10"),
        ("1.1600", "1.16"),
        ("1.0318", "1.0318"),
        ("0.854712", "0.854712"),
        ("1E+1", "10.00"),
    ],
)
def test_factors_have_two_decimals_or_all_of_theirs(value: str, read: str) -> None:
    """Nothing of a factor is rounded, and two factors below each other look alike."""
    assert formats.factor(Decimal(value)) == read


@pytest.mark.parametrize(
    ("share", "read"), [(1_000, "100 %"), (600, "60 %"), (345, "34.5 %"), (3, "0.3 %"), (0, "0 %")]
)
def test_thousandths_read_as_percent(share: int, read: str) -> None:
    """A tenth of a percent is shown where there is one."""
    assert formats.permille(share) == read
    assert formats.percent(Decimal(share) / 1_000) == read


@pytest.mark.parametrize(
    ("amount", "read"),
    [
        ("4583.333333333", "USD 4,583.3333"),
        ("6050", "USD 6,050.00"),
        ("118.755", "USD 118.755"),
        ("0.00005", "USD 0.00"),
    ],
)
def test_fine_amounts_have_up_to_four_decimals(amount: str, read: str) -> None:
    """A figure on the way keeps a hundredth of a cent, and at least its cents."""
    assert formats.fine_usd(NanoUSD.parse(amount)) == read


def test_what_ends_on_the_first_lasts_until_the_day_before() -> None:
    """The last day of a lot is named, also across months and years."""
    assert formats.day_before(date(2027, 3, 1)) == "28 Feb 2027"
    assert formats.day_before(date(2027, 1, 1)) == "31 Dec 2026"


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("0.0153", "raised it by 1.5 %"),
        ("-0.2", "lowered it by 20 %"),
        ("0.0004", "left it as it was"),
        ("0", "left it as it was"),
    ],
)
def test_what_prices_did_to_the_index_is_said_in_words(change: str, read: str) -> None:
    """To a tenth of a percent; what rounds to nothing is nothing."""
    assert formats.moved(Decimal(change)) == read
