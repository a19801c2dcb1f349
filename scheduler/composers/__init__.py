"""From a row of the outbox to the message that goes out, a topic a file."""
