"""The return in Slack: what the programme brings, for its board and finance."""
