from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.decoding import UnfitFieldError
from handlers.usage import formats
from handlers.usage.formats import disjoint_meters, fingerprint
from policy.metering import INPUT_METERS, METERS, IdentityKind, input_tokens
from programme.usage import fingerprints

if TYPE_CHECKING:
    from policy.metering import Identities, Meters

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def output_tokens(meters: Meters) -> int:
    return sum(meters.get(meter, 0) for meter in ("output", "audio_output", "image_output"))


class Content(NamedTuple):
    occurred_at: datetime
    identities: Identities
    provider: str
    model: str
    tier: str
    meters: Meters
    project: str


# A small alphabet with the marks of encodings, so that fields that could run into each other do.
TEXTS = st.text(st.sampled_from('ab",:[]{}\\|\x00\n'), max_size=3)
CONTENTS = st.builds(
    Content,
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - gets UTC
    st.lists(st.tuples(st.sampled_from(get_args(IdentityKind)), TEXTS), max_size=2).map(tuple),
    TEXTS,
    TEXTS,
    TEXTS,
    st.dictionaries(st.sampled_from(METERS), st.integers(0, 2), max_size=2),
    TEXTS,
)


def normal(content: Content) -> Content:
    return content._replace(meters=formats.without_zeros(content.meters))


@given(CONTENTS, CONTENTS)
def test_fingerprints_are_equal_exactly_where_the_content_is(one: Content, other: Content) -> None:
    """Two events have one fingerprint if and only if they say the same, zero counts aside."""
    assert (fingerprint(*one) == fingerprint(*other)) == (normal(one) == normal(other))


@given(CONTENTS, st.integers(0, 5))
def test_text_cannot_move_from_one_field_to_the_next(content: Content, split: int) -> None:
    """Provider and model that read the same when joined keep fingerprints of their own."""
    joined = content.provider + content.model
    moved = content._replace(provider=joined[:split], model=joined[split:])
    assert (fingerprint(*content) == fingerprint(*moved)) == (content.provider == moved.provider)


@given(CONTENTS, st.integers(-14 * 60, 14 * 60))
def test_fingerprint_knows_the_instant_not_its_offset(content: Content, minutes: int) -> None:
    """The same instant written with another offset is the same event."""
    elsewhere = content.occurred_at.astimezone(timezone(timedelta(minutes=minutes)))
    assert fingerprint(*content._replace(occurred_at=elsewhere)) == fingerprint(*content)


def test_fingerprint_ignores_the_order_of_meters() -> None:
    """Meters are a set of counts: the order in which a parser found them says nothing."""
    meters: Meters = {"output": 2, "input_uncached": 1}
    reverse: Meters = {"input_uncached": 1, "output": 2}
    one, other = (fingerprint(NOON, (), "openai", "gpt-5", "", counts, "") for counts in (meters, reverse))
    assert one == other


def test_fingerprint_stays_what_it_was() -> None:
    """Fingerprints are stored: a change of the encoding would turn every repeated event into a conflict."""
    digest = fingerprint(NOON, (("email", "ada@example.com"),), "openai", "gpt-5", "", {"output": 3}, "apollo")
    assert digest.hex() == "73fd1d93fad01601c8cc6418b61c8cd2"


def test_fingerprint_tells_tiers_apart() -> None:
    """The same call in another service tier is another use, at another price."""
    digests = {fingerprint(NOON, (), "openai", "gpt-5", tier, {}, "") for tier in ("", "batch", "priority")}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("", ""),
        ("standard", ""),
        ("default", ""),
        ("auto", ""),
        ("standard_only", ""),
        ("Default", ""),
        ("priority", "priority"),
        ("FLEX", "flex"),
        ("batch", "batch"),
        ("scale", "scale"),
        ("standard-ish", "standard-ish"),
    ],
)
def test_the_standard_tier_has_no_name(name: str, tier: str) -> None:
    """Whatever a provider calls its standard tier is one and the same; other tiers keep their names, in lower case."""
    assert formats.service_tier(name) == tier


def test_fingerprint_tells_microseconds_apart() -> None:
    """Two calls in one millisecond are two calls."""
    later = NOON + timedelta(microseconds=1)
    assert fingerprint(NOON, (), "openai", "gpt-5", "", {}, "") != fingerprint(later, (), "openai", "gpt-5", "", {}, "")


COUNTS = st.integers(0, 1000)
PARTS = ("cache_read", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")


@given(
    st.fixed_dictionaries(dict.fromkeys(PARTS, COUNTS)),
    st.fixed_dictionaries({"audio_output": COUNTS, "image_output": COUNTS}),
    COUNTS,
    COUNTS,
)
def test_meters_are_disjoint_and_sum_to_the_whole(
    parts_in: dict[str, int], parts_out: dict[str, int], plain_in: int, plain_out: int
) -> None:
    """Every token is in one meter: input meters add up to the input, output meters to the output, none is zero."""
    whole_in, whole_out = sum(parts_in.values()) + plain_in, sum(parts_out.values()) + plain_out
    parts: dict[str, Any] = parts_in | parts_out
    meters = disjoint_meters(input_tokens=whole_in, output_tokens=whole_out, **parts)
    assert (input_tokens(meters), output_tokens(meters)) == (whole_in, whole_out)
    assert all(meters.values())
    assert meters.get("input_uncached", 0) == plain_in
    assert meters.get("output", 0) == plain_out
    assert {meter: n for meter, n in meters.items() if meter in INPUT_METERS - {"input_uncached"}} == {
        name: n for name, n in parts_in.items() if n
    }


def test_parts_beyond_the_input_are_refused_with_the_field() -> None:
    """More cached tokens than tokens is a mistake of the sender, named with its figures."""
    with pytest.raises(UnfitFieldError, match=r"^prompt: expected at least 12, the sum of its parts, got 11$"):
        disjoint_meters(input_tokens=11, output_tokens=0, cache_read=5, cache_write_1h=7, input_field="prompt")


def test_parts_beyond_the_output_are_refused_with_the_field() -> None:
    """More spoken tokens than output tokens is a mistake of the sender, named with its figures."""
    with pytest.raises(UnfitFieldError, match=r"^output_tokens: expected at least 3, the sum of its parts, got 2$"):
        disjoint_meters(input_tokens=0, output_tokens=2, audio_output=3)


def test_canonical_encoding_is_plain_json() -> None:
    """What a fingerprint is taken of can be made again by any program: JSON with sorted keys."""
    content = [0, [["email", "a"]], "p", "m", {"cache_read": 1, "output": 2}, ""]
    mixed = (0, (("email", "a"),), "p", "m", {"output": 2, "cache_read": 1}, "")
    assert fingerprints._encode_canonically(mixed) == msgspec.json.encode(content)
