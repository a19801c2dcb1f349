"""The changes between two handbooks are told by key, whatever the texts look like."""

from __future__ import annotations

import pytest

from policy import handbook
from policy.changes import Difference, differences

PACKAGED = handbook.packaged()
PRICE = """
[[prices]]
provider = "gpu-cluster"
model = "H100"
per = "hour"
usd = { gpu_seconds = 2.00 }
from = 2027-01-01
"""


def changed(**changes: str) -> tuple[Difference, ...]:
    text = PACKAGED
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    handbook.parse(text)
    return differences(PACKAGED, text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("carry_over = 1.0", "carry_over = 0.5", [("lots.carry_over", "1.0", "0.5")]),
        (
            "percent = [50, 70, 85, 95, 100]",
            "percent = [80, 100]",
            [("warnings.percent", "50, 70, 85, 95, 100", "80, 100")],
        ),
        (
            "# launched_on = 2027-01-01",
            "launched_on = 2027-01-01",
            [("rollout.launched_on", "", "2027-01-01")],
        ),
        ("holidays = []", "holidays = [2026-12-25]", [("messages.holidays", "none", "2026-12-25")]),
        (
            'name = "AWS Bedrock"',
            'name = "Bedrock"',
            [("services.aws.name", "AWS Bedrock", "Bedrock")],
        ),
    ],
)
def test_a_change_is_told_by_its_key(old: str, new: str, expected: list[tuple[str, str, str]]) -> None:
    """Old and new value of the one key, and nothing else."""
    assert list(changed(**{old: new})) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("carry_over = 1.0", "carry_over = 1"),
        ("# How many months a grant lasts.", "# Another remark."),
        ('version = "2026.1"', 'version = "2027.1"'),
        ("effective_from = 2026-01-01", "effective_from = 2027-01-01"),
        ("months = 3\ncarry_over = 1.0", "carry_over = 1.0\nmonths = 3"),
        ("[warnings]\n", "\n\n[warnings]\n"),
    ],
)
def test_what_means_the_same_is_no_change(old: str, new: str) -> None:
    """Digits, remarks, order and layout change nothing; version and date are told elsewhere."""
    assert changed(**{old: new}) == ()


def test_a_table_that_is_left_out_holds_as_in_the_packaged_handbook() -> None:
    """Leaving out what everyone has by default is no change, and neither is writing it down."""
    head, _, rest = PACKAGED.partition("[warnings]\n")
    rest = rest.partition('again = "below"\n')[2]
    assert rest
    assert differences(PACKAGED, head + rest) == differences(head + rest, PACKAGED) == ()


def test_an_entry_in_between_leaves_the_others_alone() -> None:
    """Services go by their key: a new first one is told alone, and one that is gone as well."""
    new = (
        '[[services]]\nkey = "new"\nname = "New"\nkind = "model_api"\nproviders = ["new"]\napproved_from = 2027-01-01\n'
    )
    text = PACKAGED.replace("[[services]]", f"{new}\n[[services]]", 1)
    added = differences(PACKAGED, text)
    assert {one.key for one in added} == {
        f"services.new.{key}" for key in ("key", "name", "kind", "providers", "approved_from")
    }
    assert all(one.old == "" for one in added)
    assert {(one.key, one.new) for one in differences(text, PACKAGED)} == {(one.key, "") for one in added}


def test_another_model_of_a_slot_is_told_by_slot_and_day() -> None:
    """What is added to a slot's models is told alone, under the slot's name and the day from which it fills it."""
    one = 'model = "gpt-5-mini" }'
    more = f'{one}, {{ from = 2027-01-01, provider = "openai", model = "gpt-5.2-mini", compare = "overlap" }}'
    told = differences(PACKAGED, PACKAGED.replace(one, more))
    assert {(change.key, change.old, change.new) for change in told} == {
        ("value.slots.small-openai-output.models.2027-01-01.from", "", "2027-01-01"),
        ("value.slots.small-openai-output.models.2027-01-01.provider", "", "openai"),
        ("value.slots.small-openai-output.models.2027-01-01.model", "", "gpt-5.2-mini"),
        ("value.slots.small-openai-output.models.2027-01-01.compare", "", "overlap"),
    }


def test_which_of_two_prices_wins_is_a_change() -> None:
    """Of two prices for one model the last one listed holds, so that their order is told."""
    first = PACKAGED + PRICE
    second = PACKAGED.replace("[[prices]]", f"{PRICE.strip()}\n\n[[prices]]")
    told = {one.key: (one.old, one.new) for one in differences(first, second)}
    assert told["prices.gpu-cluster/H100#2.usd.gpu_seconds"] == ("2.00", "2.35")
    assert told["prices.gpu-cluster/H100.usd.gpu_seconds"] == ("2.35", "2.00")
