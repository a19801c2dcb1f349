"""The shapes of `data_visualization` and `data_table`, and what must agree within one of them."""

from collections.abc import Iterator
from typing import cast

from sandbox.block_checks import (
    Check,
    Shape,
    Visit,
    agreeing,
    array,
    integer,
    number,
    positive,
    problem,
    shaped,
    string,
    typed,
)
from sandbox.model import Json

CHARTS_LIMIT = 2
TABLES_LIMIT = 20_000
"""The characters of all data tables together."""
MOST_COLUMNS = 20

_NAME = string(20)
_POINT = shaped(Shape(required={"label": _NAME, "value": number}))
_SERIES = shaped(Shape(required={"name": _NAME, "data": array(_POINT, 20)}))
_AXES = shaped(
    Shape(required={"categories": array(_NAME, 20)}, optional={"x_label": string(50), "y_label": string(50)})
)
_PLOT = Shape(required={"series": array(_SERIES, 12), "axis_config": _AXES})
_SEGMENT = shaped(Shape(required={"label": _NAME, "value": positive}))
_PIE = Shape(required={"segments": array(_SEGMENT, 12)})


def _one_point_for_each_category(value: object, path: str, _visit: Visit) -> Iterator[str]:
    chart = cast("Json", value)
    if chart["type"] == "pie":
        return
    series, axes = chart["series"], chart["axis_config"]
    names = [one["name"] for one in series]
    if len(set(axes["categories"])) != len(axes["categories"]):
        yield problem("categories must be unique", f"{path}/axis_config/categories")
    for index, one in enumerate(series):
        if one["name"] in names[:index]:
            yield problem(f"name already exists: {one['name']}", f"{path}/series/{index}/name")
        if sorted(point["label"] for point in one["data"]) != sorted(axes["categories"]):
            yield problem("must have exactly one data point for each category", f"{path}/series/{index}/data")


DATA_VISUALIZATION = {
    "title": string(50),
    "chart": agreeing(typed({"line": _PLOT, "bar": _PLOT, "area": _PLOT, "pie": _PIE}), _one_point_for_each_category),
}


def data_table(*, text: Shape, figure: Shape, rich_text: Shape, button: Shape) -> dict[str, Check]:
    """What the block must have; its cells are those of the other tables, and buttons."""
    bare = {"raw_text": text, "raw_number": figure}
    action = Shape(required={"element": typed({"button": button})}, optional={"fallback": typed(bare)})
    cell = typed({**bare, "rich_text": rich_text, "action_cell": action})
    return {
        "caption": string(TABLES_LIMIT),
        "rows": agreeing(array(array(cell, MOST_COLUMNS), 201, 2), _rows_that_match),
    }


def _rows_that_match(rows: object, path: str, _visit: Visit) -> Iterator[str]:
    head, *body = cast("list[list[Json]]", rows)
    for column, cell in enumerate(head):
        if cell["type"] not in ("raw_text", "raw_number"):
            yield problem(f"{cell['type']} is not allowed in a header", f"{path}/0/{column}/type")
    for index, row in enumerate(body, start=1):
        if len(row) != len(head):
            yield problem("all rows must have the same number of cells", f"{path}/{index}")


DATA_TABLE_OPTIONS = {"page_size": integer(1, 100), "row_header_column_index": integer(0, MOST_COLUMNS - 1)}


def header_column_problem(block: Json, path: str) -> Iterator[str]:
    """The column that names the rows must be there."""
    if block.get("row_header_column_index", 0) >= len(block["rows"][0]):
        yield problem("must be the index of a column", f"{path}/row_header_column_index")
