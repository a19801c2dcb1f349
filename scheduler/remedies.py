"""What people can do about a message that does not go out, by what Slack said last."""

from __future__ import annotations

BY_ITSELF = "the messages then go out by themselves."
TOKEN = f"Install the app again and set SLACK_BOT_TOKEN; {BY_ITSELF}"
BOT_TOKEN = f"SLACK_BOT_TOKEN has to be the app's bot token (xoxb-…). Set that; {BY_ITSELF}"
ALLOW = f"Slack's administrators restrict the app. Ask them to approve it for this workspace; {BY_ITSELF}"
MIGRATION = "The workspace is moving into an Enterprise organisation. When it has, the messages go out by themselves."
UPDATE = f"Slack no longer offers what this version of the bot asks for. Update it; {BY_ITSELF}"
CHANNEL_RULES = "The channel's settings forbid the bot to post there. Ask whoever manages it, then {again}."
PERSON = "Correct the person's account (`people relink EMAIL @who`), then {again}."
LOOK = "Slack refuses what the message looks like. Report it; with a version of the bot that mends it, {again}."

REMEDIES = {
    "no_answer": "What answered was not Slack, or nothing did: look at the network, proxies and status.slack.com. "
    "Messages that wait go out by themselves; for those that are parked, {again}. What did arrive is not sent again.",
    "certificate": "Something between the bot and Slack answers with a certificate of its own: let Slack through, or "
    f"set SSL_CERT_FILE to its authority; {BY_ITSELF}",
    "odd_answer": "Slack said yes, and not to what. {again} looks whether the message arrived before sending it.",
    "access_denied": ALLOW,
    "accesslimited": "Slack takes calls from certain networks only. Have this server's address allowed in Slack's "
    f"settings; {BY_ITSELF}",
    "account_inactive": TOKEN,
    "app_access_restricted": ALLOW,
    "deprecated_endpoint": UPDATE,
    "ekm_access_denied": "Slack's administrators have suspended posting (Enterprise Key Management). When they allow "
    f"it again, {BY_ITSELF}",
    "enterprise_is_restricted": ALLOW,
    "invalid_auth": TOKEN,
    "invalid_token": TOKEN,
    "message_limit_exceeded": f"The workspace has reached the message limit of its plan. Raise it; {BY_ITSELF}",
    "messages_tab_disabled": "Switch the Messages Tab on (the app's settings, App Home), or paste `tokens-bot "
    f"manifest` there; {BY_ITSELF}",
    "method_deprecated": UPDATE,
    "missing_scope": "Paste `tokens-bot manifest` into the app's settings and install it again.",
    "no_permission": BOT_TOKEN,
    "not_allowed_token_type": BOT_TOKEN,
    "not_authed": TOKEN,
    "org_login_required": MIGRATION,
    "team_access_not_granted": f"Give the app access to this workspace (Slack's organisation settings); {BY_ITSELF}",
    "team_added_to_org": MIGRATION,
    "token_expired": TOKEN,
    "token_revoked": TOKEN,
    "two_factor_setup_required": "The workspace asks for two-factor authentication. Set it up for the account that "
    f"installed the app; {BY_ITSELF}",
    "unknown_method": UPDATE,
    "is_archived": "Unarchive the channel, or set TOKENS_ANNOUNCE_CHANNEL to another for the next ones; then {again}.",
    "not_in_channel": "/invite the bot to the channel, then {again}.",
    "channel_not_found": "The channel is gone or hidden, or the person is deactivated. Settle that (a new "
    "account: `people relink EMAIL @who`), then {again}.",
    "restricted_action": CHANNEL_RULES,
    "restricted_action_non_threadable_channel": CHANNEL_RULES,
    "restricted_action_read_only_channel": CHANNEL_RULES,
    "restricted_action_thread_locked": CHANNEL_RULES,
    "restricted_action_thread_only_channel": CHANNEL_RULES,
    "posting_to_general_channel_denied": CHANNEL_RULES,
    "user_disabled": "The person is deactivated in Slack. If they are back (with a new account: `people relink EMAIL "
    "@who`), {again}.",
    "user_not_found": PERSON,
    "cannot_dm_bot": PERSON,
    "no_slack_user": "No one in Slack has the person's e-mail. Correct it, or set their slack_user_id "
    "(`people import`), then {again}.",
    "slack_user_barred": "The Slack account with the person's e-mail is a guest's, a bot's, of another workspace, or "
    "its e-mail is not confirmed. Settle that, or name their own with `tokens-bot people relink EMAIL @who`; then "
    "{again}.",
    "slack_user_taken": "The Slack account with the person's e-mail is on record as someone else's, or is not the one "
    "that they had. Settle it with `tokens-bot people relink EMAIL @who`, then {again}.",
    "invalid_arguments": LOOK,
    "invalid_blocks": LOOK,
    "invalid_blocks_format": LOOK,
    "msg_blocks_too_long": LOOK,
    "msg_too_long": LOOK,
    "no_text": LOOK,
    "unknown_template": "This version of the bot does not know the message: update it, then {again}.",
    "anchor_parked": "The message that it belongs to did not go out. Settle that one, then {again} as well.",
    "message_not_found": "Someone deleted the message in Slack. What it said still applies; nothing has to be done.",
    "not_written": "The message could not be composed; the log has the reason. Report it; once it is mended, {again}.",
    "not_handled": "The bot made a mistake with this message; the log has the reason. Report it; once it is mended, "
    "{again}.",
    "picture_not_taken": "Slack does not get the picture: is files.slack.com open to this server? The message is "
    "tried again, and in the end goes out without it.",
    "picture_refused": "Slack does not show the picture yet. The message is tried again, and in the end goes out "
    "without it.",
    "without_picture": "Slack did not take the pictures: is files.slack.com open to this server, does the app have "
    "files:write, and are uploads allowed? The log has each reason. The next ones show whether it is settled.",
}
ANY_OTHER = "Settle what Slack says, then {again}."


def remedy(problem: str, *, key: str | None = None) -> str:
    """What to do about a problem: with one message, or with all that have it."""
    which = f"--problem {problem}" if key is None else key
    retry = f"`tokens-bot deliver --retry {which}`"
    return REMEDIES.get(problem, ANY_OTHER).replace("{again}", retry)
