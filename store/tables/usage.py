"""Usage of approved services: events, the days they add up to, and what waits in quarantine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json
from store.tables.base import metadata, partial_index
from store.tables.ledger import accounts, entries

services = Table(
    "services",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    comment="Every service that was ever approved; the handbook says which are approved when.",
)

prices = Table(
    "prices",
    metadata,
    Column("id", Text, primary_key=True, comment="A digest of the content, so that the same price is one row."),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False, comment="Empty for the standard one."),
    Column("source", Text, nullable=False),
    Column("meters", Json, nullable=False, comment="meter -> [nano-USD, per, [[tier start, nano-USD], ...]]"),
)

OF_BILLS = "substr(source, 1, 5) = 'bill:'"
"""Events that a vendor's bill became: few, and found together."""

usage_ids = Table(
    "usage_ids",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="Of source and id: sixteen bytes, whatever their length."),
    Column("event", BigInteger, nullable=False, comment="The number of the event."),
    sqlite_with_rowid=False,
    comment="Every event that was ever taken in, so that none is twice. On PostgreSQL in parts, by digest.",
)

usage_events = Table(
    "usage_events",
    metadata,
    # Wallet, price and entry are checked by `verify` instead of foreign keys: on PostgreSQL each of those would take a
    # tenth of the intake's time, and hold `entries` while a month is opened.
    Column(
        "id",
        Identifier,
        primary_key=True,
        autoincrement=False,
        comment="Begins with the month that was first reported, which it keeps. On PostgreSQL a part for each month.",
    ),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False, comment="As reported; empty while only a correction has come."),
    Column("occurred_at", Instant, nullable=False),
    Column("identities", Json, nullable=False, comment="[[kind, name], ...] as the gateway reported them"),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False, comment="The service tier; empty for the standard one."),
    Column("meters", Json, nullable=False),
    Column("project", Text, nullable=False),
    Column("account_id", Identifier, comment="The wallet of the person who used it."),
    Column("price_id", Text),
    Column("cost_nano_usd", AmountColumn, comment="Empty while the event is in quarantine."),
    Column("debit_micro_tokens", AmountColumn),
    Column("entry_id", Identifier, comment="Empty when the use was free, or in quarantine."),
    Column("revision", Integer, nullable=False, server_default="0", comment="The version that holds; 0 as reported."),
    Index("ix_usage_events_entry_id", "entry_id"),
    partial_index("ix_usage_events_bills", "source", where=OF_BILLS),
)

# What follows names events by source and id: `store.usage.ids` joins them, and `verify` finds what is of none.

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("released_at", Instant),
    Column("discarded_at", Instant, comment="When someone decided that it is never debited."),
    partial_index("ix_quarantine_held", "since", where="released_at IS NULL"),
)

usage_conflicts = Table(
    "usage_conflicts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, primary_key=True, comment="Of the content that was refused."),
    Column("offered", Json, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("times", AmountColumn, nullable=False, comment="How often it was offered."),
)

usage_works = Table(
    "usage_works",
    metadata,
    Column("source", Text, primary_key=True),
    Column("work", Text, primary_key=True, comment='Such as "batch:batch_67ab" or "response:resp_0f1e".'),
    Column("event_id", Text, nullable=False, comment="The event that it was taken in as."),
    sqlite_with_rowid=False,
    comment="Pieces of work that a gateway may report again, each time that somebody looks at them.",
)

usage_quotes = Table(
    "usage_quotes",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("quoted_nano_usd", AmountColumn, nullable=False, comment="The price by the gateway's own reckoning."),
    Column("noted_at", Instant, nullable=False),
    comment="Kept where it differs from our cost, or could not be compared yet.",
)

usage_versions = Table(
    "usage_versions",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False, comment="0 is the event as it was reported."),
    Column("action", Text, nullable=False, comment="report, correct, withdraw"),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("content", Json, comment="The event; empty for a withdrawal."),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kept_at", Instant, nullable=False),
    comment="Every version of the events that were ever corrected or withdrawn; the latest holds.",
)

usage_reversals = Table(
    "usage_reversals",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("reversal_entry_id", Identifier, ForeignKey(entries.c.id), primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False, comment="The version that had been posted."),
    Column("meters", Json, nullable=False),
    Column("account_id", Identifier, nullable=False),
    Column("price_id", Text, nullable=False),
    Column("cost_nano_usd", AmountColumn, nullable=False),
    Column("debit_micro_tokens", AmountColumn, nullable=False),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, comment="The entry that is corrected."),
    comment="What events had been debited, and the entries that undid it.",
)

usage_days = Table(
    "usage_days",
    metadata,
    # The day comes first: new usage then touches few pages, whatever the number of people.
    Column("day", Date, primary_key=True),
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    Column("service_key", Text, ForeignKey(services.c.key), primary_key=True),
    Column("model", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("calls", AmountColumn, nullable=False),
    Column("input_tokens", AmountColumn, nullable=False),
    Column("output_tokens", AmountColumn, nullable=False),
    Column("cost_nano_usd", AmountColumn, nullable=False),
    Column("debit_micro_tokens", AmountColumn, nullable=False),
    sqlite_with_rowid=False,
)

wallet_days = Table(
    "wallet_days",
    metadata,
    # Nor here: the lines follow from those of `usage_days`, and `verify` compares both.
    Column("account_id", Identifier, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("service_key", Text, primary_key=True),
    Column("debit_micro_tokens", AmountColumn, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
    comment="What each wallet paid, by day and service: one stretch of the key is all that a balance reads.",
)

file_imports = Table(
    "file_imports",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the file's content and format."),
    Column("lines_done", AmountColumn, nullable=False),
    Column("bytes_done", AmountColumn, nullable=False),
    Column("counts", Json, nullable=False),
    comment="How far an interrupted import of a file came; removed when it completes.",
)
