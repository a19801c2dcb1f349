"""Reading a TOML table into the dataclass that declares it: each key is named once, with its type and its bounds."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from policy.business_time import Span
from policy.toml_table import MOST, Table
from policy.units import NanoUSD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class Between(NamedTuple):
    """The bounds of a whole number, both included."""

    least: int
    most: int


class UpTo(NamedTuple):
    """The upper bound of a number from 0 with at most four decimals."""

    most: Decimal


class OneOf(NamedTuple):
    """The texts of which it is one."""

    names: tuple[str, ...]


class ForEach(NamedTuple):
    """The keys of a table of factors: all of them, and no others."""

    names: tuple[str, ...]


Share = Annotated[Decimal, UpTo(Decimal(1))]
Factor = Annotated[Decimal, UpTo(MOST)]

_PLAIN: Mapping[object, Callable[[Table, str], object]] = {
    str: Table.text,
    date: Table.day,
    Span: Table.span,
    NanoUSD: Table.usd,
}


def read(kind: type[T], table: Table, **given: object) -> T:
    """The dataclass that a table declares; what is wrong with the table is noted in it.

    A key whose field has a default may be left out. `given` are fields that come from elsewhere.
    """
    values = dict(given)
    for name, declared, is_optional in _declared(kind):  # type: ignore[arg-type]  # classes are hashable
        key = name.removesuffix("_")
        if name not in given and (table.has(key) or not is_optional):
            values[name] = _value(table, key, declared)
    table.done()
    return kind(**values)


@cache
def _declared(kind: type) -> list[tuple[str, Any, bool]]:
    """(name, type, whether it may be left out) of each field."""
    hints = get_type_hints(kind, include_extras=True)
    return [(field.name, hints[field.name], field.default is not MISSING) for field in fields(kind)]


def _value(table: Table, key: str, declared: Any) -> object:  # noqa: ANN401 - what a field is annotated with
    declared = _when_there(declared)
    type_, bounds = get_args(declared) if get_origin(declared) is Annotated else (declared, None)
    type_ = _when_there(type_)
    if get_origin(type_) is tuple:
        return _values(table, key, get_args(type_)[0], bounds)
    match bounds:
        case Between():
            return table.count(key, *bounds)
        case UpTo():
            return table.share(key, bounds.most)
        case OneOf():
            return table.choice(key, bounds.names)
        case ForEach():
            return _factors(table.table(key), bounds.names)
        case _:
            return _PLAIN[type_](table, key) if type_ in _PLAIN else read(type_, table.table(key))


def _when_there(declared: Any) -> Any:  # noqa: ANN401 - as above
    """`date | None` is a date where it is not left out."""
    either = get_args(declared) if get_origin(declared) is UnionType or get_origin(declared) is Union else ()
    return next((one for one in either if type(None) in either and one is not type(None)), declared)


def _values(table: Table, key: str, type_: Any, bounds: Any) -> tuple[object, ...]:  # noqa: ANN401 - as above
    if is_dataclass(type_):
        return tuple(read(type_, one) for one in table.tables(key))  # type: ignore[arg-type]  # a class of them
    if type_ is int:
        return table.counts(key, *bounds)
    return table.days(key) if type_ is date else tuple(table.texts(key))


def _factors(table: Table, names: tuple[str, ...]) -> dict[str, Decimal]:
    factors = {name: table.share(name, MOST) for name in names}
    table.done()
    return factors
