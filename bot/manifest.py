"""The Slack app's manifest: what it shows, hears and may do, and nothing more."""

from __future__ import annotations

from typing import Any

from handlers.slack_app import COMMANDS

BOT_SCOPES = (
    "channels:history",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "im:history",
    "im:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
"""What the bot cannot do without. It reads channels that it posts to only to see whether a message of its own arrived,
when a crash or a failure of Slack left that open (docs/decisions/0010). `im:history` is for that as well, and brings it
what people write to it in its own conversation with them (docs/decisions/0031)."""

DOCTOR_SCOPES = ("channels:read", "groups:read")
"""Optional: `tokens-bot doctor` looks channels up with them."""

EVENTS = ("app_home_opened", "message.im", "subteam_members_changed", "subteam_updated")
"""Someone looks at their Home, or writes to the bot; the board's user group has other members."""


def build(*, url: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or with `url` (the bot's public address) for HTTP mode."""
    command: dict[str, Any] = {
        "command": "/tokens",
        "description": "Your AI token allowance",
        "usage_hint": " | ".join(command.name for command in COMMANDS),
        # Slack then tells of @someone by their id: /tokens delegate @someone.
        "should_escape": True,
    }
    settings: dict[str, Any] = {
        "event_subscriptions": {"bot_events": list(EVENTS)},
        "interactivity": {"is_enabled": True},
        "org_deploy_enabled": False,
        "socket_mode_enabled": url is None,
        "token_rotation_enabled": False,
    }
    if url is not None:
        address = f"{url.rstrip('/')}/slack/events"
        command["url"] = address
        settings["event_subscriptions"]["request_url"] = settings["interactivity"]["request_url"] = address
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": "Tokens",
            "description": "Shows what is left of your AI token allowance, and why.",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Tokens", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES), "bot_optional": list(DOCTOR_SCOPES)}},
        "settings": settings,
    }
