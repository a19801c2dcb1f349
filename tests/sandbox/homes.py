"""What these tests publish on the app's Home tab."""

from typing import Any

from tests.sandbox.company import button, options, plain, section
from tests.sandbox.views import field


def home(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a view
    return {"type": "home", "callback_id": "start", "blocks": [*blocks]} | more


def text(words: str) -> dict[str, Any]:
    return {"type": "raw_text", "text": words}


def figure(value: float, words: str) -> dict[str, Any]:
    return {"type": "raw_number", "value": value, "text": words}


def in_cell(words: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a button
    return {"type": "action_cell", "element": button(words, **more), "fallback": text(words)}


def data_table(*rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of it
    return {"type": "data_table", "caption": "Requests", "rows": [*rows]} | more


def plot(kind: str, *series: tuple[str, tuple[float, ...]], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - axes
    """The categories are counted weeks."""
    weeks = [f"Week {number}" for number in range(1, len(series[0][1]) + 1)]
    lines = [
        {"name": name, "data": [{"label": week, "value": value} for week, value in zip(weeks, values, strict=True)]}
        for name, values in series
    ]
    chart = {"type": kind, "series": lines, "axis_config": {"categories": weeks} | more}
    return {"type": "data_visualization", "title": f"Tokens by week, {kind}", "chart": chart}


def pie(*values: float) -> dict[str, Any]:
    segments = [{"label": f"Service {number}", "value": value} for number, value in enumerate(values, start=1)]
    return {"type": "data_visualization", "title": "Where they went", "chart": {"type": "pie", "segments": segments}}


REQUESTS = data_table(
    [text("Request"), text("Tokens"), text("Answer")],
    *([text(f"req_{n}"), figure(n * 90, f"{n * 90:,}"), in_cell(f"Open {n}", value=f"req_{n}")] for n in range(1, 13)),
    block_id="requests",
)

START = home(
    section("*Good morning.* You have 4,120 tokens.", block_id="balance"),
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            button("Ask for more", action_id="ask", style="primary", value="500"),
            {"type": "static_select", "action_id": "period", "placeholder": plain("Month"), "options": options(3)},
        ],
    },
    field("note", dispatch_action=True),
    field("reminder", "datepicker", optional=True),
    private_metadata="v7",
)
