"""Views and policy's values as JSON and back: amounts, dates and decimals survive the way with their types."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from policy.units import MicroTokens, NanoUSD

T = TypeVar("T")


def _as_number(value: object) -> object:
    if isinstance(value, MicroTokens | NanoUSD):
        return int(value)
    raise NotImplementedError(type(value).__name__)


def _as_unit(kind: type, value: object) -> object:
    if kind in (MicroTokens, NanoUSD) and isinstance(value, int):
        return kind(value)
    raise NotImplementedError(kind.__name__)


_encoder = msgspec.json.Encoder(enc_hook=_as_number)


def written(view: object) -> str:
    """The view as JSON text; amounts are whole numbers of their unit."""
    return _encoder.encode(view).decode()


def plain(view: object) -> Any:  # noqa: ANN401 - plain values of any shape
    """The view as plain values; amounts are whole numbers of their unit."""
    return msgspec.to_builtins(view, enc_hook=_as_number)


def read(kind: type[T], values: object) -> T:
    """A view again, typed, from plain values."""
    return msgspec.convert(values, kind, dec_hook=_as_unit)
