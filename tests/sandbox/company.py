"""The workspace that these tests live in, and an answer with a bit of everything."""

from typing import Any

ADA, BEN, MARA, GONE = "U0ADA", "U0BEN", "U0MARA", "U0GONE"
GENERAL, TEAM, BOARD, OLD = "C0GENERAL", "C0TEAM", "C0BOARD", "C0OLD"
BOT = "U0TOKENS"

PLAN: dict[str, Any] = {
    "name": "Northwind",
    "team_id": "T0NORTH",
    "domain": "northwind",
    "welcome": "Everybody here is made up. Be whoever you like, and talk to the app as they would.",
    "hints": [
        {"command": "/tokens balance", "label": "What you have left"},
        {"command": "/tokens balance", "label": "A junior's allowance", "as": BEN},
        {"command": "/tokens statement", "label": "Every line of the month"},
        "/tokens help",
    ],
    "app": {
        "name": "Tokens",
        "id": "A0TOKENS",
        "bot_user": BOT,
        "bot_id": "B0TOKENS",
        "description": "Your allowance for AI services: what you have, what it is worth, how to ask for more.",
        "scopes": ["commands", "chat:write", "users:read", "users:read.email", "usergroups:read", "im:write"],
        "commands": [
            {
                "command": "/tokens",
                "description": "Your token allowance",
                "usage_hint": "balance | statement | help",
                "should_escape": True,
            },
            {"command": "/raw", "description": "Hands over the text as it was typed"},
        ],
    },
    "members": [
        {
            "id": ADA,
            "name": "ada",
            "real_name": "Ada Lovelace",
            "email": "ada@northwind.example",
            "tz": "Europe/London",
            "title": "Staff engineer",
        },
        {
            "id": BEN,
            "name": "ben",
            "real_name": "Ben Okafor",
            "email": "ben@northwind.example",
            "tz": "Asia/Tokyo",
            "title": "Junior engineer",
        },
        {"id": MARA, "name": "mara", "real_name": "Mara Lindqvist", "title": "Engineering manager"},
        {"id": GONE, "name": "gone", "real_name": "Gil Gone", "email": "gil@northwind.example", "deleted": True},
    ],
    "channels": [
        {"id": GENERAL, "name": "general", "purpose": "Company-wide talk", "members": [ADA, BEN, MARA]},
        {"id": TEAM, "name": "platform", "purpose": "The platform team", "members": [ADA, BEN, BOT]},
        {"id": BOARD, "name": "token-board", "is_private": True, "members": [MARA, BOT]},
        {"id": OLD, "name": "old-times", "is_archived": True, "members": [ADA, BOT]},
    ],
    "user_groups": [{"id": "S0BOARD", "handle": "board", "name": "Token board", "members": [MARA, GONE]}],
}

NOON = 1_794_218_400  # 2026-11-09 10:00 UTC


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str = "x", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a block
    return {"type": "section", "text": mrkdwn(text), **more}


def button(text: str = "Go", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a button
    return {"type": "button", "text": plain(text), **more}


def options(count: int) -> list[dict[str, Any]]:
    return [{"text": plain(f"Choice {number}"), "value": f"v{number}"} for number in range(count)]


BALANCE: list[dict[str, Any]] = [
    {"type": "header", "text": plain("Your balance")},
    section("You have *4,120* tokens left, enough for about _three weeks_ at your pace :chart_with_upwards_trend:"),
    {
        "type": "section",
        "fields": [
            mrkdwn("*Allowance*\n6,000 tokens"),
            mrkdwn("*Spent so far*\n1,880 tokens"),
            mrkdwn("*Worth today*\n$41.20"),
            mrkdwn(f"*Next grant*\n<!date^{NOON}^{{date_short}} at {{time}}|9 Nov 2026, 10:00 UTC>"),
        ],
    },
    {
        "type": "context",
        "elements": [mrkdwn("Lots burn oldest first · ask <@U0MARA> or <#C0TEAM> · <https://example.org|handbook>")],
    },
    {"type": "divider"},
    {
        "type": "table",
        "column_settings": [{"align": "left"}, {"align": "right"}, {"align": "right"}],
        "rows": [
            [{"type": "raw_text", "text": text} for text in ("Service", "Tokens", "Share")],
            [{"type": "raw_text", "text": text} for text in ("Code assistant", "1,240", "66 %")],
            [{"type": "raw_text", "text": text} for text in ("Training cluster", "520", "28 %")],
            [{"type": "raw_text", "text": text} for text in ("Transcription", "120", "6 %")],
        ],
    },
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "Two lots ", "style": {"bold": True}},
                    {"type": "text", "text": "expire this month:"},
                ],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "300 tokens on Friday"}]},
                    {
                        "type": "rich_text_section",
                        "elements": [
                            {"type": "text", "text": "lot_2026_08", "style": {"code": True}},
                            {"type": "text", "text": ", 90 tokens"},
                        ],
                    },
                ],
            },
        ],
    },
    {
        "type": "section",
        "block_id": "ask",
        "text": mrkdwn("&gt; Tokens that nobody needs go back to the *pool*.\n`/tokens ask 500` asks for ~less~ more."),
        "accessory": {
            "type": "static_select",
            "action_id": "period",
            "placeholder": plain("This month"),
            "options": options(3),
        },
    },
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            button("Ask for more", action_id="ask_more", style="primary", value="req_1"),
            button("See every line", action_id="statement", value="2026-11"),
            button(
                "Give back",
                action_id="give_back",
                style="danger",
                value="all",
                confirm={
                    "title": plain("Give back your tokens?"),
                    "text": mrkdwn("*All of them* return to the pool."),
                    "confirm": plain("Give back"),
                    "deny": plain("Keep"),
                    "style": "danger",
                },
            ),
            {"type": "overflow", "action_id": "more", "options": options(2)},
        ],
    },
]
