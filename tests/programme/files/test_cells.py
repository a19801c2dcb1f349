"""What people and spreadsheets write into cells has one meaning, or is told with what is wrong."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programme.files import cells
from programme.files.cells import WrongCellError


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("ada@example.com\u200b", "U+200B ZERO WIDTH SPACE is in it: type it again"),
        ("ada\u00a0@example.com", "U+00A0 NO-BREAK SPACE is in it: type it again"),
        ("\u0430da@example.com", "U+0430 CYRILLIC SMALL LETTER A is in it: type it again"),
        ("ada@ex\uff41mple.com", "U+FF41 FULLWIDTH LATIN SMALL LETTER A is in it: type it again"),
        ("ada\u202e@example.com", "U+202E RIGHT-TO-LEFT OVERRIDE is in it: type it again"),
        ("ada\n@example.com", "U+000A CONTROL CHARACTER is in it: type it again"),
        ("mailto:ada@example.com", "without 'mailto:'"),
        ("MailTo:ada@example.com", "without 'MailTo:'"),
        ("<ada@example.com>", "without '<'"),
        ("Ada <ada@example.com>", "without blanks"),
        ("ada@example.com;", "without ';'"),
        ("ada@example.com,ben@example.com", "without ','"),
        ("'ada@example.com'", 'without "\'"'),
        ("ada@example.com.", "a dot too many after the @"),
        ("ada@example..com", "a dot too many after the @"),
        ("ada@example", "'example' has no dot, as example.com has"),
        ("=cmd@example.com", "it begins with '=', like a formula"),
        ("-ada@example.com", "it begins with '-', like a formula"),
    ],
)
def test_an_address_that_only_looks_right_is_told_what_is_wrong_with_it(cell: str, said: str) -> None:
    """Nothing is mended: an address of other characters would be a second person, whom usage never reaches."""
    with pytest.raises(WrongCellError) as refusal:
        cells.email(cell)
    assert str(refusal.value) == said


@pytest.mark.parametrize("cell", ["nobody", "a@b@c.org", "@example.com"])
def test_what_is_no_address_is_refused(cell: str) -> None:
    """A name, two @ and an empty name are no addresses."""
    with pytest.raises(ValueError, match=r".*"):
        cells.email(cell)


def test_an_address_is_the_same_in_any_case() -> None:
    """Addresses are kept in lower case, with all that mail systems write before the @."""
    assert cells.email("Ada.Lovelace+bot_1@Mail.Example.COM") == "ada.lovelace+bot_1@mail.example.com"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("01.11.2026", "write 2026-01-11 or 2026-11-01"),
        ("11/01/2026", "write 2026-01-11 or 2026-11-01"),
        ("23.11.2026", "write 2026-11-23"),
        ("11/23/2026", "write 2026-11-23"),
        ("5/5/2026", "write 2026-05-05"),
        ("1-2-2026 00:00", "write 2026-01-02 or 2026-02-01"),
        ("32.13.2026", ""),
        ("2026-11-01 00:00:00", "write 2026-11-01, without a time"),
        ("2026-11-01T00:00:00.000-07:00", "write 2026-11-01, without a time"),
        ("2026-11-01-07:00", "write 2026-11-01, without a time"),
        ("46327", "Excel's number of 2026-11-01: format the column as yyyy-mm-dd"),
        ("20261101", "write 2026-11-01"),
        ("2026-W45-1", "write 2026-11-02"),
        ("2026/11/01", "write 2026-11-01"),
        ("2026-1-5", "write 2026-01-05"),
        ("2026.11.1 00:00", "write 2026-11-01"),
        ("2026/13/01", ""),
        ("2926-11-01", "in the years 1950 to 2100"),
        ("0026-11-01", "in the years 1950 to 2100"),
        ("2026-02-30", ""),
        ("soon", ""),
        ("\u0662\u0660\u0662\u0666-11-01", ""),
    ],
)
def test_a_day_in_another_way_is_told_with_what_it_may_mean(cell: str, said: str) -> None:
    """Two readings are both told, and none is taken; a day outside of a working life is a slip of the pen."""
    with pytest.raises(WrongCellError) as refusal:
        cells.day(cell)
    assert str(refusal.value) == said


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)))
def test_days_are_read_as_they_are_written(day: date) -> None:
    """A day in ISO form is that day."""
    assert cells.day(day.isoformat()) == day


@given(st.decimals("0.000001", "1", places=15))
def test_a_post_keeps_all_its_decimals(share: Decimal) -> None:
    """A point, a comma and percent say the same, exactly; a whole number of thousandths is a whole number."""
    exact = cells.exact_permille(f"{share:f}")
    assert exact == share * 1000
    assert isinstance(exact, int) == (share * 1000 % 1 == 0)
    assert cells.exact_permille(f"{share:f}".replace(".", ",")) == exact
    assert cells.exact_permille(f"{share * 100:f} %") == exact


@pytest.mark.parametrize(
    ("cell", "thousandths"),
    [("0.9625", "962.5"), ("0,8", "800"), ("80%", "800"), (".5", "500"), ("1,", "1000"), ("0.333333", "333.333")],
)
def test_a_post_is_read_as_people_write_it(cell: str, thousandths: str) -> None:
    """38.5 of 40 hours are 0.9625 of a post."""
    assert cells.exact_permille(cell) == Decimal(thousandths)


@pytest.mark.parametrize(
    "cell", ["0", "-0.1", "1.0001", "1,5", "NaN", "Infinity", "1e-3", "half", ".", "%", "\u0660.\u0665", "120 %"]
)
def test_what_is_no_part_of_a_post_is_refused(cell: str) -> None:
    """Only what is above nothing and at most all of it is a share."""
    with pytest.raises(ValueError, match=r".*"):
        cells.exact_permille(cell)


def test_percent_without_its_sign_is_told() -> None:
    """80 is no share of one; whoever meant percent reads how to write that."""
    with pytest.raises(WrongCellError, match="write 80 % for a share in percent"):
        cells.exact_permille("80")


@pytest.mark.parametrize(
    "cell", ["1.23457E+17", "1,23457E+17", "1E+20", "-4.5E+08", "#N/A", "#REF!", "#NAME?", "########", '="0012"']
)
def test_what_excel_has_made_of_a_cell_is_told(cell: str) -> None:
    """A rounded number, an error and a formula around a text are not what stood there, and may be another id."""
    assert cells.excel_wreck(cell)
    with pytest.raises(WrongCellError):
        cells.text(cell)


@pytest.mark.parametrize("cell", ["1E5", "12E+17", "chatcmpl-1.2E+17", "e+10", "#1", "#", "1.5", "abc"])
def test_ids_that_only_resemble_that_are_kept(cell: str) -> None:
    """Hexadecimal ids and numbers with a sign are ids."""
    assert cells.text(cell) == cell


def test_a_name_that_was_read_in_another_encoding_is_known() -> None:
    """UTF-8 that a program took for Windows-1252 shows what it was; names of any language are left alone."""
    for name in ("Müller", "Zoë", "Łukasz", "Đặng", "José"):
        assert cells.read_twice(name) == ""
    assert cells.read_twice("MÃ¼ller") == "Müller"
    assert cells.read_twice("JosÃ©") == "José"


def test_known_words_are_known_in_any_case() -> None:
    """Blanks, dashes and capitals make no other word; another alphabet does, and is told."""
    read = cells.one_of(("pull_request", "bug"))
    assert [read(word) for word in ("Pull Request", "pull-request", "BUG", "bug")] == [
        "pull_request",
        "pull_request",
        "bug",
        "bug",
    ]
    with pytest.raises(WrongCellError, match=r"U\+0455 CYRILLIC SMALL LETTER DZE is in it"):
        read("task\u0455")
    with pytest.raises(ValueError, match="tasks"):
        read("tasks")
