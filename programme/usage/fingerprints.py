"""What a usage event is recognised by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from policy.metering import Identities, Meters

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_encode_canonically = msgspec.json.Encoder(order="sorted").encode


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


def without_zeros(meters: Meters) -> Meters:
    return {meter: count for meter, count in meters.items() if count}
