"""Ids of blocks and elements that an app left out, as the platform gives them."""

from sandbox.model import Json


def with_ids(blocks: list[Json], *, prefix: str = "auto") -> tuple[Json, ...]:
    """The blocks as they are kept: those without an id, and elements that need one, get one from their place."""
    return tuple(_with_id(block, f"{prefix}-{index}") for index, block in enumerate(blocks))


def _with_id(block: Json, name: str) -> Json:
    named = {"block_id": name, **block}
    if "element" in block:
        named["element"] = _with_action_id(block["element"], 0)
    if "accessory" in block:
        named["accessory"] = _with_action_id(block["accessory"], 0)
    if block["type"] == "data_table":
        named["rows"] = [
            [_cell_with_id(cell, f"{row}-{place}") for place, cell in enumerate(cells)]
            for row, cells in enumerate(block["rows"])
        ]
    if block["type"] == "actions":
        named["elements"] = [_with_action_id(element, place) for place, element in enumerate(block["elements"])]
    return named


def _cell_with_id(cell: Json, place: str) -> Json:
    return cell | {"element": _with_action_id(cell["element"], place)} if cell["type"] == "action_cell" else cell


def _with_action_id(element: Json, place: int | str) -> Json:
    return element if element["type"] == "image" else {"action_id": f"auto-{place}", **element}
