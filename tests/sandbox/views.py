"""Modals that these tests open."""

from typing import Any

from tests.sandbox.company import button, options, plain, section


def view(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a view
    shown = {"type": "modal", "callback_id": "ask", "title": plain("Ask"), "submit": plain("Send"), "blocks": [*blocks]}
    return shown | more


def field(block_id: str, kind: str = "plain_text_input", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part
    """An input block; what is about the block is known by its name, the rest is the element's."""
    of_block = {key: more.pop(key) for key in ("optional", "hint", "dispatch_action") if key in more}
    element = {"type": kind, "action_id": f"{block_id}_value"} | more
    return {"type": "input", "block_id": block_id, "label": plain(block_id.title()), "element": element} | of_block


FORM = view(
    field("reason", initial_value="Training", max_length=40, hint=plain("One sentence")),
    field("amount", "number_input", is_decimal_allowed=False, min_value="1", max_value="5000"),
    field("until", "datepicker", initial_date="2026-11-30"),
    field("service", "static_select", options=options(3), initial_option=options(3)[1], optional=True),
    field("lead", "users_select", optional=True),
    field("voters", "multi_users_select", initial_users=["U0MARA"], optional=True),
    field("urgency", "radio_buttons", options=options(2), optional=True),
    field("terms", "checkboxes", options=options(2), optional=True),
    private_metadata="req_7",
    notify_on_close=True,
)
"""One of each thing that can be filled in."""

DIALOGUE = view(
    section("Look at this", block_id="look", accessory=button("More", action_id="more", value="7")),
    field("note", dispatch_action=True),
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            {"type": "static_select", "action_id": "period", "options": options(3)},
            button("Go", action_id="go", style="primary"),
        ],
    },
)
"""Things that are told to the app at once."""
