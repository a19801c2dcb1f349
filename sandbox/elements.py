"""What a person can put into an element of a form, what is wrong with it, and how it is told to the app."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation

from sandbox.model import Filled, Json

ONE = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
}
MANY = {
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
}
TYPED = ("plain_text_input", "number_input", "email_text_input", "url_text_input")
LONGEST_TEXT = 3000
_PATTERNS = {
    "email_text_input": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "Enter an e-mail address."),
    "url_text_input": (r"https?://\S+", "Enter a web address that begins with http:// or https://."),
}


def within(block: Json) -> Iterator[Json]:
    """The elements of a block that can be clicked or filled."""
    if block["type"] == "input":
        yield block["element"]
    elif block["type"] == "actions":
        yield from block["elements"]
    elif block["type"] == "section" and block.get("accessory", {}).get("type", "image") != "image":
        yield block["accessory"]
    elif block["type"] == "data_table":
        yield from (cell["element"] for row in block["rows"] for cell in row if cell["type"] == "action_cell")


def is_filled(element: Json) -> bool:
    """Whether it keeps what was put into it: a button does not."""
    return element["type"] in ONE or element["type"] in MANY


def initial(element: Json) -> Filled:
    """What is in it before anyone touched it."""
    kind = str(element["type"])
    key = {**ONE, **MANY}[kind].replace("selected", "initial")
    given = element.get("initial_value" if key == "value" else key)
    if isinstance(given, list):
        return tuple(_name(entry) for entry in given) or None
    return None if given in (None, "") else _name(given)


def state(element: Json, filled: Filled) -> Json:
    """The element's entry among the values of a form."""
    kind = str(element["type"])
    if kind in MANY:
        chosen = [_told(element, name) for name in filled or ()]
        return {"type": kind, MANY[kind]: chosen}
    return {"type": kind, ONE[kind]: None if filled is None else _told(element, str(filled))}


def values(blocks: Iterable[Json], filled: Mapping[tuple[str, str], Filled]) -> Json:
    """What an app is told of a whole form: block_id, action_id, entry."""
    told: Json = {}
    for block in blocks:
        for element in within(block):
            if is_filled(element):
                place = block["block_id"], element["action_id"]
                told.setdefault(place[0], {})[place[1]] = state(element, filled.get(place))
    return told


def taken(element: Json, value: object, *, people: frozenset[str]) -> Filled:
    """The value as the element keeps it; raises `LookupError` or `ValueError` if no one could have put it there."""
    kind = str(element["type"])
    if kind in MANY:
        names = (
            (value,) if isinstance(value, str) and value else tuple(value) if isinstance(value, list | tuple) else ()
        )
        if len(names) > element.get("max_selected_items", len(names)):
            raise ValueError(f"no more than {element['max_selected_items']} can be chosen")
        for name in names:
            _check_choice(element, str(name), people)
        return tuple(dict.fromkeys(str(name) for name in names)) or None
    if value in (None, "", (), []):
        return None
    if not isinstance(value, str):
        raise TypeError(f"{kind} takes one value")
    if kind == "datepicker":
        date.fromisoformat(value)
    elif kind == "timepicker":
        time.fromisoformat(value)
    elif kind == "datetimepicker":
        int(value)
    elif kind not in TYPED:
        _check_choice(element, value, people)
    return value


def still_fits(element: Json, filled: Filled) -> bool:
    """Whether what was filled in is among the choices that the element has now."""
    options = {option["value"] for option in choices(element)}
    names = (filled,) if isinstance(filled, str) else filled or ()
    return not options or options.issuperset(names)


def problem(element: Json, filled: Filled, *, optional: bool) -> str:
    """What a person is told instead of anything being sent; nothing if all is well."""
    if filled is None:
        return "" if optional else "Please fill this in."
    kind = str(element["type"])
    if kind == "number_input":
        return _wrong_number(element, str(filled))
    if kind == "plain_text_input":
        return _wrong_length(element, str(filled))
    pattern, words = _PATTERNS.get(kind, ("", ""))
    return words if pattern and not re.fullmatch(pattern, str(filled)) else ""


def choices(element: Json) -> list[Json]:
    groups = element.get("option_groups", [element])
    return [option for group in groups for option in group.get("options", ())]


def dispatches(block: Json, element: Json) -> bool:
    """Whether filling it is told to the app at once."""
    return is_filled(element) and (block["type"] != "input" or bool(block.get("dispatch_action")))


def _name(given: object) -> str:
    return str(given["value"]) if isinstance(given, Mapping) else str(given)


def _told(element: Json, name: str) -> object:
    if element["type"] == "datetimepicker":
        return int(name)
    return next((option for option in choices(element) if option["value"] == name), name)


def _check_choice(element: Json, name: str, people: frozenset[str]) -> None:
    if "users" in element["type"] and name not in people:
        raise LookupError(f"{name!r} can't be chosen")
    options = choices(element)
    if (options or element["type"] == "external_select") and name not in {option["value"] for option in options}:
        raise LookupError(f"{name!r} is not among the options")


def _wrong_number(element: Json, text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return "Enter a number."
    if not number.is_finite():
        return "Enter a number."
    if not element["is_decimal_allowed"] and not re.fullmatch(r"[+-]?\d+", text.strip()):
        return "Enter a whole number."
    if "min_value" in element and number < Decimal(element["min_value"]):
        return f"Enter {element['min_value']} or more."
    if "max_value" in element and number > Decimal(element["max_value"]):
        return f"Enter {element['max_value']} or less."
    return ""


def _wrong_length(element: Json, text: str) -> str:
    shortest, longest = element.get("min_length", 0), element.get("max_length", LONGEST_TEXT)
    if len(text) < shortest:
        return f"Write at least {shortest} characters."
    return f"Write at most {longest} characters." if len(text) > longest else ""
