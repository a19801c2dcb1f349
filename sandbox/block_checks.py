"""The small parts that the tables of `block_kit` are made of.

A check is given a value, the JSON pointer of its place and the visit (which remembers the ids seen so far), and yields
one sentence for each thing that is wrong, in the words of the platform's own answers.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

Check = Callable[[object, str, "Visit"], Iterator[str]]


@dataclass(frozen=True)
class Visit:
    surface: str = "message"
    can_show: Callable[[Mapping[str, object]], bool] = lambda _: True
    block_ids: set[str] = field(default_factory=set)
    action_ids: set[str] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An object: what it must have, what it may have, and of which keys one is needed, or no more than one allowed."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    at_most_one_of: tuple[str, ...] = ()
    surfaces: tuple[str, ...] = ("message", "modal", "home")


def problem(what: str, path: str) -> str:
    return f"[ERROR] {what} [json-pointer:{path}]"


def string(longest: int, shortest: int = 1) -> Check:
    def check(value: object, path: str, _visit: Visit) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", path)
        elif len(value) < shortest:
            yield problem(f"must be more than {shortest - 1} characters", path)
        elif len(value) > longest:
            yield problem(f"must be less than {longest + 1} characters", path)

    return check


def matching(pattern: str) -> Check:
    def check(value: object, path: str, _visit: Visit) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", path)
        elif not re.fullmatch(pattern, value):
            yield problem(f"input must match regex pattern: ^{pattern}$", path)

    return check


def url(longest: int = 3000) -> Check:
    measured = string(longest)

    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        yield from measured(value, path, visit)
        if isinstance(value, str) and value and not value.startswith(("https://", "http://", "mailto:")):
            yield problem("must be a valid url", path)

    return check


def boolean(value: object, path: str, _visit: Visit) -> Iterator[str]:
    if not isinstance(value, bool):
        yield problem("must provide a boolean", path)


def integer(lowest: int, highest: int) -> Check:
    def check(value: object, path: str, _visit: Visit) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield problem("must provide a number", path)
        elif not lowest <= value <= highest:
            yield problem(f"must be between {lowest} and {highest}", path)

    return check


def number(value: object, path: str, _visit: Visit) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield problem("must provide a number", path)


def positive(value: object, path: str, visit: Visit) -> Iterator[str]:
    yield from number(value, path, visit)
    if isinstance(value, int | float) and value <= 0:
        yield problem("must be more than 0", path)


def choice(*allowed: str) -> Check:
    def check(value: object, path: str, _visit: Visit) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of: {', '.join(allowed)}", path)

    return check


def array(item: Check, longest: int, shortest: int = 1) -> Check:
    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", path)
            return
        if len(value) < shortest:
            yield problem(f"no fewer than {shortest} items allowed", path)
        if len(value) > longest:
            yield problem(f"no more than {longest} items allowed", path)
        for index, entry in enumerate(value):
            yield from item(entry, f"{path}/{index}", visit)

    return check


def shaped(shape: Shape) -> Check:
    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield problem("must provide an object", path)
            return
        known = {**shape.required, **shape.optional}
        for key, entry in value.items():
            if key in known:
                yield from known[key](entry, f"{path}/{key}", visit)
            elif key != "type":
                yield problem(f"invalid additional property: {key}", path)
        yield from _wrong_together(value, path, shape)

    return check


def _wrong_together(value: Mapping[object, object], path: str, shape: Shape) -> Iterator[str]:
    for key in shape.required:
        if key not in value:
            yield problem(f"missing required field: {key}", path)
    if shape.one_of and not any(key in value for key in shape.one_of):
        yield problem(f"missing one of the fields: {', '.join(shape.one_of)}", path)
    if sum(key in value for key in shape.at_most_one_of) > 1:
        yield problem(f"only one of the fields is allowed: {', '.join(shape.at_most_one_of)}", path)


def typed(shapes: Mapping[str, Shape]) -> Check:
    """An object whose `type` names its shape."""
    checks = {name: shaped(shape) for name, shape in shapes.items()}

    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield problem("must provide an object", path)
            return
        name = value.get("type")
        if name is None:
            yield problem("missing required field: type", path)
        elif not isinstance(name, str) or name not in checks:
            yield problem(f"unsupported type: {name}", f"{path}/type")
        elif visit.surface not in shapes[name].surfaces:
            yield problem(f"{name} is not allowed in a {visit.surface}", f"{path}/type")
        else:
            yield from checks[name](value, path, visit)

    return check


def unique(seen: Callable[[Visit], set[str]], what: str) -> Check:
    """An id of at most 255 characters that nothing before it had."""
    measured = string(255)

    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        yield from measured(value, path, visit)
        if isinstance(value, str):
            if value in seen(visit):
                yield problem(f"{what} already exists: {value}", path)
            seen(visit).add(value)

    return check


def agreeing(formed: Check, agreed: Check) -> Check:
    """What is well formed must also agree with itself."""

    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        wrong = tuple(formed(value, path, visit))
        yield from wrong or agreed(value, path, visit)

    return check


def uploaded_picture(shape: Shape) -> Check:
    """A file that the app uploaded, and that can be shown by now."""
    formed = shaped(shape)

    def check(value: object, path: str, visit: Visit) -> Iterator[str]:
        wrong = tuple(formed(value, path, visit))
        if not wrong and isinstance(value, Mapping) and not visit.can_show(value):
            wrong = (problem("invalid slack file", path),)
        yield from wrong

    return check


def plain(longest: int) -> Check:
    return typed({"plain_text": Shape(required={"text": string(longest)}, optional={"emoji": boolean})})


def any_text(longest: int) -> Check:
    return typed(
        {
            "plain_text": Shape(required={"text": string(longest)}, optional={"emoji": boolean}),
            "mrkdwn": Shape(required={"text": string(longest)}, optional={"verbatim": boolean}),
        },
    )
