"""What the parsers of usage share: what an event is recognised by, how tokens become meters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from handlers.decoding import Rejected, unfit
from policy.metering import UsageEvent
from policy.versions import Version

if TYPE_CHECKING:
    from policy.metering import Identities, Meters

MAX_COUNT = 10**15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_STANDARD_TIERS = frozenset({"standard", "default", "auto", "standard_only", ""})

_encode_canonically = msgspec.json.Encoder(order="sorted").encode

Parsed = UsageEvent | Rejected
Versioned = UsageEvent | Version | Rejected
"""Of formats that can also say that something was wrong."""


def fingerprint(  # noqa: PLR0917 - the fields of an event, in its order
    occurred_at: datetime, identities: Identities, provider: str, model: str, tier: str, meters: Meters, project: str
) -> bytes:
    """Equal for events of equal content, whatever the order of their meters and the offset of their time.

    It is stored: the encoding (JSON, keys sorted, no zero counts, microseconds of UTC) must stay as it is.
    """
    if 0 in meters.values():
        meters = without_zeros(meters)
    content = ((occurred_at - _EPOCH) // _MICROSECOND, identities, provider, model, tier, meters, project)
    return blake2b(_encode_canonically(content), digest_size=16).digest()


def service_tier(name: str) -> str:
    """A tier as events have it: in lower case, and the standard one without a name."""
    tier = name.lower()
    return "" if tier in _STANDARD_TIERS else tier


def disjoint_meters(
    *,
    input_tokens: int,
    output_tokens: int,
    cache_read: int = 0,
    cache_write_5m: int = 0,
    cache_write_1h: int = 0,
    audio_input: int = 0,
    audio_cache_read: int = 0,
    image_input: int = 0,
    image_cache_read: int = 0,
    audio_output: int = 0,
    image_output: int = 0,
    input_field: str = "input_tokens",
    output_field: str = "output_tokens",
) -> Meters:
    """Meters from totals that include their parts: each token in one meter; the fields name the totals in errors."""
    cached = cache_read + cache_write_5m + cache_write_1h + audio_cache_read + image_cache_read
    input_parts = cached + audio_input + image_input
    output_parts = audio_output + image_output
    if input_parts > input_tokens:
        raise unfit(input_field, f"at least {input_parts}, the sum of its parts", input_tokens)
    if output_parts > output_tokens:
        raise unfit(output_field, f"at least {output_parts}, the sum of its parts", output_tokens)
    meters: Meters = {
        "input_uncached": input_tokens - input_parts,
        "cache_read": cache_read,
        "cache_write_5m": cache_write_5m,
        "cache_write_1h": cache_write_1h,
        "audio_input": audio_input,
        "audio_cache_read": audio_cache_read,
        "image_input": image_input,
        "image_cache_read": image_cache_read,
        "output": output_tokens - output_parts,
        "audio_output": audio_output,
        "image_output": image_output,
    }
    return without_zeros(meters)


def without_zeros(meters: Meters) -> Meters:
    return {meter: count for meter, count in meters.items() if count}
