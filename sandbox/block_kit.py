"""Is this message one that the platform would take? As strict as the platform, stricter than its client library.

Everything is a table: to allow another block or element, add its `Shape` to BLOCKS, ELEMENTS or INPUTS.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from sandbox import data_blocks, elements
from sandbox.block_checks import (
    Shape,
    Visit,
    any_text,
    array,
    boolean,
    choice,
    integer,
    matching,
    number,
    plain,
    problem,
    shaped,
    string,
    typed,
    unique,
    uploaded_picture,
    url,
)
from sandbox.model import Json

BLOCKS_LIMIT = {"message": 50, "modal": 100, "home": 100}
TOTAL_LIMIT = 13_200
MARKDOWN_LIMIT = 12_000
TABLE_LIMIT = 10_000

ACTION = {"action_id": unique(lambda visit: visit.action_ids, "action_id")}
STYLE = choice("primary", "danger")
CONFIRM = shaped(
    Shape(
        required={"title": plain(100), "text": any_text(300), "confirm": plain(30), "deny": plain(30)},
        optional={"style": STYLE},
    ),
)
_UPLOADED = Shape(
    optional={"id": matching("[F][A-Z0-9]{8,}"), "url": url()}, one_of=("id", "url"), at_most_one_of=("id", "url")
)
PICTURE = Shape(
    required={"alt_text": string(2000)},
    optional={"image_url": url(), "slack_file": uploaded_picture(_UPLOADED)},
    one_of=("image_url", "slack_file"),
    at_most_one_of=("image_url", "slack_file"),
)

_CHOICE = shaped(
    Shape(required={"text": plain(75), "value": string(150)}, optional={"description": plain(75)}),
)
_LINK_CHOICE = shaped(
    Shape(required={"text": plain(75), "value": string(150)}, optional={"description": plain(75), "url": url()}),
)
_RICH_CHOICE = shaped(
    Shape(required={"text": any_text(75), "value": string(150)}, optional={"description": any_text(75)}),
)
_CHOICE_GROUP = shaped(Shape(required={"label": plain(75), "options": array(_CHOICE, 100)}))
_COMMON = {**ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
_MENU = {**_COMMON, "placeholder": plain(150)}
_FEW = {"max_selected_items": integer(1, 100)}
_LISTED = {"options": array(_CHOICE, 100), "option_groups": array(_CHOICE_GROUP, 100)}
_SUGGESTED = Shape(
    optional={"options": array(_CHOICE, 100, 0), "option_groups": array(_CHOICE_GROUP, 100, 0)},
    one_of=("options", "option_groups"),
)
_IDS = array(string(255), 100)


def _directory_menu(one: str, many: str) -> tuple[Shape, Shape]:
    """A menu of people or channels, for one of them and for several."""
    return Shape(optional={**_MENU, one: string(255)}), Shape(optional={**_MENU, **_FEW, many: _IDS})


_users = _directory_menu("initial_user", "initial_users")
_channels = _directory_menu("initial_channel", "initial_channels")
_conversations = _directory_menu("initial_conversation", "initial_conversations")

MENUS = {
    "static_select": Shape(
        optional={**_MENU, **_LISTED, "initial_option": _CHOICE}, one_of=("options", "option_groups")
    ),
    "multi_static_select": Shape(
        optional={**_MENU, **_LISTED, **_FEW, "initial_options": array(_CHOICE, 100)},
        one_of=("options", "option_groups"),
    ),
    "external_select": Shape(optional={**_MENU, "initial_option": _CHOICE, "min_query_length": integer(0, 100)}),
    "users_select": _users[0],
    "multi_users_select": _users[1],
    "channels_select": _channels[0],
    "multi_channels_select": _channels[1],
    "conversations_select": _conversations[0],
    "multi_conversations_select": _conversations[1],
}
PICKERS = {
    "datepicker": Shape(optional={**_MENU, "initial_date": matching(r"\d{4}-\d\d-\d\d")}),
    "timepicker": Shape(optional={**_MENU, "initial_time": string(5), "timezone": string(100)}),
    "datetimepicker": Shape(optional={**_COMMON, "initial_date_time": integer(10**9, 10**10)}),
    "checkboxes": Shape(
        required={"options": array(_RICH_CHOICE, 10)},
        optional={**_COMMON, "initial_options": array(_RICH_CHOICE, 10)},
    ),
    "radio_buttons": Shape(
        required={"options": array(_RICH_CHOICE, 10)},
        optional={**_COMMON, "initial_option": _RICH_CHOICE},
    ),
}
ELEMENTS = {
    "button": Shape(
        required={"text": plain(75)},
        optional={
            **ACTION,
            "url": url(),
            "value": string(2000),
            "style": STYLE,
            "confirm": CONFIRM,
            "accessibility_label": string(75),
        },
    ),
    "overflow": Shape(required={"options": array(_LINK_CHOICE, 5)}, optional={**ACTION, "confirm": CONFIRM}),
    **MENUS,
    **PICKERS,
}
_TYPED_TEXT = {
    **ACTION,
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "dispatch_action_config": shaped(
        Shape(required={"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 2)}),
    ),
}
INPUTS = {
    "plain_text_input": Shape(
        optional={
            **_TYPED_TEXT,
            "initial_value": string(3000, 0),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
    ),
    "number_input": Shape(
        required={"is_decimal_allowed": boolean},
        optional={**_TYPED_TEXT, "initial_value": string(300), "min_value": string(300), "max_value": string(300)},
    ),
    "email_text_input": Shape(optional={**_TYPED_TEXT, "initial_value": string(3000)}),
    "url_text_input": Shape(optional={**_TYPED_TEXT, "initial_value": string(3000)}),
    **MENUS,
    **PICKERS,
}

_INK = shaped(
    Shape(optional={"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean, "underline": boolean}),
)
_INLINE = typed(
    {
        "text": Shape(required={"text": string(3000)}, optional={"style": _INK}),
        "link": Shape(required={"url": url()}, optional={"text": string(3000), "style": _INK, "unsafe": boolean}),
        "emoji": Shape(required={"name": string(100)}, optional={"unicode": string(50), "skin_tone": integer(1, 6)}),
        "user": Shape(required={"user_id": string(50)}, optional={"style": _INK}),
        "usergroup": Shape(required={"usergroup_id": string(50)}, optional={"style": _INK}),
        "channel": Shape(required={"channel_id": string(50)}, optional={"style": _INK}),
        "broadcast": Shape(required={"range": choice("here", "channel", "everyone")}),
        "color": Shape(required={"value": string(20)}),
        "date": Shape(
            required={"timestamp": integer(0, 10**10), "format": string(200)},
            optional={"url": url(), "fallback": string(200), "style": _INK},
        ),
    },
)
_INLINES = array(_INLINE, 1000, 0)
_BORDER = integer(0, 1)
_RICH_PARTS = {
    "rich_text_section": Shape(required={"elements": _INLINES}),
    "rich_text_preformatted": Shape(
        required={"elements": _INLINES}, optional={"border": _BORDER, "language": string(50)}
    ),
    "rich_text_quote": Shape(required={"elements": _INLINES}, optional={"border": _BORDER}),
    "rich_text_list": Shape(
        required={
            "style": choice("bullet", "ordered"),
            "elements": array(typed({"rich_text_section": Shape(required={"elements": _INLINES})}), 1000),
        },
        optional={"indent": integer(0, 8), "offset": integer(0, 10**6), "border": _BORDER},
    ),
}
_RICH_TEXT = {"elements": array(typed(_RICH_PARTS), 1000, 0)}
_TEXT_CELL = Shape(required={"text": string(TABLE_LIMIT)})
_NUMBER_CELL = Shape(required={"value": number}, optional={"text": string(TABLE_LIMIT)})
_RICH_CELL = Shape(required=_RICH_TEXT)
_CELL = typed({"raw_text": _TEXT_CELL, "raw_number": _NUMBER_CELL, "rich_text": _RICH_CELL})
_COLUMN = shaped(Shape(optional={"align": choice("left", "center", "right"), "is_wrapped": boolean}))

BLOCK_ID = {"block_id": unique(lambda visit: visit.block_ids, "block_id")}
BLOCKS = {
    "section": Shape(
        optional={
            **BLOCK_ID,
            "text": any_text(3000),
            "fields": array(any_text(2000), 10),
            "accessory": typed({**ELEMENTS, "image": PICTURE}),
            "expand": boolean,
        },
        one_of=("text", "fields"),
    ),
    "header": Shape(required={"text": plain(150)}, optional={**BLOCK_ID, "level": integer(1, 4)}),
    "divider": Shape(optional=BLOCK_ID),
    "context": Shape(
        required={
            "elements": array(
                typed(
                    {
                        "image": PICTURE,
                        "plain_text": Shape(required={"text": string(2000)}, optional={"emoji": boolean}),
                        "mrkdwn": Shape(required={"text": string(2000)}, optional={"verbatim": boolean}),
                    },
                ),
                10,
            ),
        },
        optional=BLOCK_ID,
    ),
    "actions": Shape(required={"elements": array(typed(ELEMENTS), 25)}, optional=BLOCK_ID),
    "image": Shape(
        required=PICTURE.required,
        optional={**BLOCK_ID, **PICTURE.optional, "title": plain(2000)},
        one_of=PICTURE.one_of,
        at_most_one_of=PICTURE.at_most_one_of,
    ),
    "markdown": Shape(required={"text": string(MARKDOWN_LIMIT)}, optional=BLOCK_ID, surfaces=("message",)),
    "rich_text": Shape(required=_RICH_TEXT, optional=BLOCK_ID),
    "table": Shape(
        required={"rows": array(array(_CELL, 20), 100)},
        optional={**BLOCK_ID, "column_settings": array(_COLUMN, 20, 0)},
        surfaces=("message", "home"),
    ),
    "data_table": Shape(
        required=data_blocks.data_table(
            text=_TEXT_CELL, figure=_NUMBER_CELL, rich_text=_RICH_CELL, button=ELEMENTS["button"]
        ),
        optional={**BLOCK_ID, **data_blocks.DATA_TABLE_OPTIONS},
        surfaces=("message", "home"),
    ),
    "data_visualization": Shape(
        required=data_blocks.DATA_VISUALIZATION, optional=BLOCK_ID, surfaces=("message", "home")
    ),
    "input": Shape(
        required={"label": plain(2000), "element": typed(INPUTS)},
        optional={**BLOCK_ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
        surfaces=("modal", "home"),
    ),
    "alert": Shape(
        required={"text": any_text(200)},
        optional={**BLOCK_ID, "level": choice("default", "info", "success", "warning", "error")},
        surfaces=("modal",),
    ),
}
_BLOCK = typed(BLOCKS)


def problems(
    blocks: object, surface: str = "message", *, can_show: Callable[[Mapping[str, object]], bool] = lambda _: True
) -> tuple[str, ...]:
    """Everything wrong with the blocks, each with the JSON pointer of its place; nothing for a good message.

    `can_show` says whether a `slack_file` is a picture that is there by now.
    """
    found = tuple(_check_blocks(blocks, "/blocks", Visit(surface, can_show)))
    return found or tuple(_strays(cast("list[Json]", blocks), "/blocks"))


def _check_blocks(blocks: object, path: str, visit: Visit) -> Iterator[str]:
    if not isinstance(blocks, list | tuple):
        yield problem("must provide an array", path)
        return
    if len(blocks) > BLOCKS_LIMIT[visit.surface]:
        yield problem(f"no more than {BLOCKS_LIMIT[visit.surface]} items allowed", path)
    for index, block in enumerate(blocks):
        visit.action_ids.clear()  # an action_id need only be unique within its block
        yield from _BLOCK(block, f"{path}/{index}", visit)
    known = [cast("Json", block) for block in blocks if isinstance(block, Mapping)]
    yield from _shared_limits(known, path)
    charts = sum(block.get("type") == "data_visualization" for block in known)
    if visit.surface == "message" and charts > data_blocks.CHARTS_LIMIT:
        yield problem(f"no more than {data_blocks.CHARTS_LIMIT} data_visualization blocks are allowed", path)


def _shared_limits(blocks: list[Json], path: str) -> Iterator[str]:
    """Limits that blocks of one type share within a message or a view."""
    tables = [block for block in blocks if block.get("type") == "table"]
    if len(tables) > 1:
        yield problem("only one table is allowed", path)
    if sum(characters(table.get("rows")) for table in tables) > TABLE_LIMIT:
        yield problem(f"a table must be less than {TABLE_LIMIT + 1} characters", path)
    data_tables = [block.get("rows") for block in blocks if block.get("type") == "data_table"]
    if characters(data_tables) > data_blocks.TABLES_LIMIT:
        yield problem(f"all data tables must be less than {data_blocks.TABLES_LIMIT + 1} characters", path)
    markdown = sum(len(str(block.get("text", ""))) for block in blocks if block.get("type") == "markdown")
    if markdown > MARKDOWN_LIMIT:
        yield problem(f"all markdown together must be less than {MARKDOWN_LIMIT + 1} characters", path)


_OF_ANY_VIEW = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_VIEWS = {
    "modal": Shape(
        required={"title": plain(24), "blocks": _check_blocks},
        optional={
            **_OF_ANY_VIEW,
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    "home": Shape(required={"blocks": _check_blocks}, optional=_OF_ANY_VIEW),
}


def view_problems(
    view: object, kind: str = "modal", *, can_show: Callable[[Mapping[str, object]], bool] = lambda _: True
) -> tuple[str, ...]:
    """Everything wrong with a modal, or a home; nothing for a good one."""
    found = tuple(typed({kind: _VIEWS[kind]})(view, "/view", Visit(kind, can_show)))
    if found or not isinstance(view, Mapping):
        return found
    blocks = cast("list[Json]", view["blocks"])
    if kind == "modal" and "submit" not in view and any(block["type"] == "input" for block in blocks):
        return (problem("missing required field: submit", "/view"),)
    return tuple(_strays(blocks, "/view/blocks"))


def suggestion_problems(answer: object) -> tuple[str, ...]:
    """Everything wrong with what an app offers for a search."""
    return tuple(shaped(_SUGGESTED)(answer, "", Visit("modal", lambda _: True)))


def _strays(blocks: list[Json], path: str) -> Iterator[str]:
    """What is chosen before anyone chose must be one of the choices, in every letter; so must columns be there."""
    for index, block in enumerate(blocks):
        if block["type"] == "data_table":
            yield from data_blocks.header_column_problem(block, f"{path}/{index}")
        for element in elements.within(block):
            chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
            if element["type"] != "external_select" and not all(one in elements.choices(element) for one in chosen):
                yield problem("the initial option must be one of the options", f"{path}/{index}")


def characters(value: object) -> int:
    """The characters that people read in a structure: those of every text in it, not of its keys, types and ids."""
    if isinstance(value, Mapping):
        texts = (entry for key, entry in value.items() if key not in ("type", "block_id", "action_id"))
        return sum(characters(entry) for entry in texts)
    if isinstance(value, list | tuple):
        return sum(characters(entry) for entry in value)
    return len(value) if isinstance(value, str) else 0


def too_long(blocks: object) -> bool:
    """The undocumented total, measured near 13,200 characters; an answer to a command is not subject to it.

    Data tables have a documented limit of their own, which is higher.
    """
    given = blocks if isinstance(blocks, list | tuple) else ()
    return characters([block for block in given if block.get("type") != "data_table"]) > TOTAL_LIMIT
