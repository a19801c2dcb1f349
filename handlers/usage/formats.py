"""What the parsers of usage share: what an event is recognised by, how tokens become meters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decoding import Rejected, unfit
from policy.metering import UsageEvent
from policy.versions import Version
from programme.usage import fingerprints

if TYPE_CHECKING:
    from policy.metering import Meters

MAX_COUNT = 10**15
_STANDARD_TIERS = frozenset({"standard", "default", "auto", "standard_only", ""})

fingerprint, without_zeros = fingerprints.fingerprint, fingerprints.without_zeros

Parsed = UsageEvent | Rejected
Versioned = UsageEvent | Version | Rejected
"""Of formats that can also say that something was wrong."""


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
    video_input: int = 0,
    video_output: int = 0,
    input_field: str = "input_tokens",
    output_field: str = "output_tokens",
) -> Meters:
    """Meters from totals that include their parts: each token in one meter; the fields name the totals in errors."""
    cached = cache_read + cache_write_5m + cache_write_1h + audio_cache_read + image_cache_read
    input_parts = cached + audio_input + image_input + video_input
    output_parts = audio_output + image_output + video_output
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
        "video_input": video_input,
        "video_output": video_output,
    }
    return without_zeros(meters)
