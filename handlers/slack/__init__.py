"""What every command, button and form has in common."""

SLACK_API_URL = "https://slack.com/api/"
