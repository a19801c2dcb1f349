"""What the calendar did, what is owed to Slack, and how those who do it are."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index
from store.tables.people import people

runs = Table(
    "runs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("claimed_at", Instant, nullable=False),
    comment="Work of the calendar that was done: the row is inserted in the transaction of its effects.",
)

run_failures = Table(
    "run_failures",
    metadata,
    Column("job", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("attempts", AmountColumn, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("key", Text, nullable=False, unique=True, comment="In the message's metadata as well."),
    Column("template", Text, nullable=False),
    Column("view", Json, nullable=False, comment="What the message says, as it was when it was owed."),
    Column("person_id", Text, ForeignKey(people.c.id), comment="Whose conversation with the bot it goes to, or"),
    Column("channel", Text, comment="the channel it goes to."),
    Column("about", Text, comment="The request that it is about, if any."),
    Column("replaces", Text, ForeignKey("outbox.key"), comment="The message that this one is the new face of, or"),
    Column("thread", Text, ForeignKey("outbox.key"), comment="the message whose thread it goes into."),
    Column("at_once", sa.Boolean, nullable=False, server_default=sa.false(), comment="At any hour of the reader's."),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False, comment="Not before; moved on by back-off."),
    Column("state", Text, nullable=False, comment="waiting, leased, sent, parked"),
    Column("leased_by", Text),
    Column("leased_until", Instant),
    Column("uncertain", sa.Boolean, nullable=False, server_default=sa.false(), comment="It may have been sent."),
    Column("attempts", AmountColumn, nullable=False, server_default="0"),
    Column("problem", Text, comment="What Slack said last."),
    Column("file_id", Text, comment="Its picture, once that is uploaded."),
    Column("slack_channel", Text),
    Column("slack_ts", Text),
    Column("sent_at", Instant),
    CheckConstraint("state IN ('waiting', 'leased', 'sent', 'parked')", name="state"),
    CheckConstraint("(person_id IS NULL) <> (channel IS NULL)", name="destination"),
    CheckConstraint("replaces IS NULL OR thread IS NULL", name="place"),
    partial_index("ix_outbox_about", "about", where="about IS NOT NULL"),
    partial_index("ix_outbox_replaces", "replaces", "id", where="replaces IS NOT NULL"),
    partial_index("ix_outbox_bare", "sent_at", where="problem = 'without_picture'"),
    partial_index("ix_outbox_owed", "at_once", "due_at", where="state IN ('waiting', 'leased')"),
    partial_index("ix_outbox_parked", "problem", where="state = 'parked'"),
)

pulses = Table(
    "pulses",
    metadata,
    Column("part", Text, primary_key=True, comment="bot, courier, tick"),
    Column("well_at", Instant, comment="When some process last found it well, and"),
    Column("ailing_at", Instant, comment="when some process last did not."),
    Column("problem", Text, comment="What that process met."),
    comment="How the parts of the bot are doing, whichever processes run them.",
)

processes = Table(
    "processes",
    metadata,
    Column("process", Text, primary_key=True, comment="Its machine, its number there, and a word."),
    Column("part", Text, primary_key=True, comment="http, bot, courier, tick"),
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False, comment="When it last told that it is there."),
    Column("problem", Text, comment="What the part met there, if it is not well."),
    comment="The processes that run parts of the bot; one that stops takes its rows away.",
)

slack_rates = Table(
    "slack_rates",
    metadata,
    Column("bucket", Text, primary_key=True, comment="A method, a conversation, or the app."),
    Column("taken_at", Instant, nullable=False, comment="When a courier last drew from it, by its clock, and"),
    Column("full_at", Instant, nullable=False, comment="when nothing of that counts any more, by the same."),
    comment="How much of Slack's rates is used up, for all couriers together.",
)

homes = Table(
    "homes",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("opened_at", Instant, nullable=False, comment="When they looked at it last."),
    Column("hash", Text, comment="Of the view that was published last: who publishes over another one is told."),
)
