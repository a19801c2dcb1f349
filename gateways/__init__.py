"""What runs inside other people's programs: it speaks HTTP to the bot and imports none of it."""
