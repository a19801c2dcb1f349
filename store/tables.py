"""Every table, by topic. Entries, postings, lot movements and the audit log are only ever inserted into."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text

from store.columns import AmountColumn, Identifier, Instant, Json

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- The programme -------------------------------------------------------------------------------------------------

programme = Table(
    "programme",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="Facts that hold for the whole ledger, such as the time zone its days were cut in.",
)

handbooks = Table(
    "handbooks",
    metadata,
    Column("version", Text, primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", Text, nullable=False),
)

handbook_proposals = Table(
    "handbook_proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the body."),
    # Spelled out: people come further down.
    Column("proposed_by", Text, ForeignKey("people.id"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, comment="The person who did, or policy."),
    Column("decided_at", Instant),
    Column("reason", Text, comment="Why it was declined."),
    CheckConstraint("state IN ('open', 'confirmed', 'declined', 'withdrawn', 'lapsed')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by"),
    CheckConstraint("state NOT IN ('confirmed', 'declined') OR decided_by <> proposed_by", name="two_people"),
    CheckConstraint("(state = 'declined') = (reason IS NOT NULL)", name="reason"),
    Index(
        "ix_handbook_proposals_open",
        "version",
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    comment="Versions of the handbook that wait for a second person, and what became of them.",
)

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

token_values = Table(
    "token_values",
    metadata,
    Column("version", Text, primary_key=True),
    Column("quarter", Text, nullable=False, index=True),
    Column("nano_usd_per_token", AmountColumn, nullable=False),
    Column("price_index", Text, nullable=False, server_default="1", comment="A decimal; 1 in the base quarter."),
    Column("buffer_permille", SmallInteger, nullable=False, server_default="0", comment="Held back at issue."),
    Column("calculation", Json, comment="How it was found; empty when it was fixed, or carried over from before."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("adopted_at", Instant, nullable=False),
    Column("adopted_by", Text, nullable=False, server_default="system"),
    Column("confirmed_by", Text, comment="The second person, where the change needed one."),
    CheckConstraint("nano_usd_per_token > 0", name="positive"),
    CheckConstraint("buffer_permille BETWEEN 0 AND 1000", name="buffer"),
)

value_proposals = Table(
    "value_proposals",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("digest", Text, nullable=False, comment="Of the calculation: what is adopted is what was looked at."),
    Column("calculation", Json, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("first_adopter", Text, comment="Waits for a second person."),
    comment="The value that was last worked out for a quarter; adopting it makes it one of token_values.",
)

# --- People --------------------------------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True, comment="Lower case."),
    Column("name", Text, nullable=False),
    Column("slack_user_id", Text, unique=True),
    Column("manager_id", Text, ForeignKey("people.id"), index=True),
    Column("level", Text, nullable=False),
    Column("role_family", Text, nullable=False),
    Column("pay_band", Text),
    Column("fte_permille", SmallInteger, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("hired_on", Date, nullable=False),
    Column("left_on", Date),
    Column("wave", SmallInteger),
    CheckConstraint("fte_permille BETWEEN 1 AND 1000", name="fte"),
)

person_terms = Table(
    "person_terms",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("level", Text, nullable=False),
    Column("role_family", Text, nullable=False),
    Column("pay_band", Text),
    Column("fte_permille", SmallInteger, nullable=False),
    comment="What a grant follows from, dated: a change in mid-month counts from the next month.",
)

reporting_lines = Table(
    "reporting_lines",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("manager_id", Text, ForeignKey(people.c.id), index=True, comment="Empty for nobody, and after leaving."),
    comment="Who reported to whom since when, as it was known then: a week's total of a team is never told of others.",
)

pay_bands = Table(
    "pay_bands",
    metadata,
    Column("band", Text, primary_key=True),
    Column("holds_from", Date, primary_key=True),
    Column("midpoint_nano_usd", AmountColumn, nullable=False, comment="A year's; never anybody's salary."),
    CheckConstraint("midpoint_nano_usd > 0", name="positive"),
)

absences = Table(
    "absences",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, comment="Empty while nobody knows."),
    CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days"),
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("role", Text, primary_key=True),
)

identities = Table(
    "identities",
    metadata,
    Column("source", Text, primary_key=True, comment="The gateway, or * for every gateway."),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False, comment="The CloudEvents source this key may report for."),
    Column("scopes", Text, nullable=False, comment="Separated by spaces."),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

projects = Table(
    "projects",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("complexity", Text, nullable=False, comment="As its director scores it."),
    Column("director_id", Text, ForeignKey(people.c.id)),
    Column("sponsor_id", Text, ForeignKey(people.c.id)),
)

assignments = Table(
    "assignments",
    metadata,
    Column("project_key", Text, ForeignKey(projects.c.key), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("share_permille", SmallInteger, nullable=False),
    CheckConstraint("share_permille BETWEEN 1 AND 1000", name="share"),
)

# --- The ledger ----------------------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("code", Text, nullable=False, unique=True, comment="treasury, wallet:per_..., service:..., expired, pool"),
    Column("person_id", Text, ForeignKey(people.c.id), unique=True),
    Column("version", AmountColumn, nullable=False, server_default="0"),
    Column("balance", AmountColumn, nullable=False, server_default="0", comment="Micro-tokens; the sum of postings."),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("effective_at", Instant, nullable=False, comment="When what it records happened."),
    Column("posted_at", Instant, nullable=False),
    Column("memo", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("value_version", Text, ForeignKey(token_values.c.version)),
    Column("corrects_entry_id", Identifier, ForeignKey("entries.id")),
)

postings = Table(
    "postings",
    metadata,
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    Column("version", AmountColumn, primary_key=True, autoincrement=False),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, index=True),
    Column("amount", AmountColumn, nullable=False),
    Column("balance", AmountColumn, nullable=False, comment="The account's balance after this line."),
    CheckConstraint("amount <> 0", name="not_zero"),
    sqlite_with_rowid=False,
)

lots = Table(
    "lots",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("account_id", Identifier, ForeignKey(accounts.c.id), nullable=False),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("amount", AmountColumn, nullable=False),
    Column("remaining", AmountColumn, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("remaining BETWEEN 0 AND amount", name="remaining"),
    CheckConstraint("starts_at < expires_at", name="dates"),
    # Wallets read their open lots at every command and every debit.
    Index(
        "ix_lots_open", "account_id", sqlite_where=sa.text("remaining > 0"), postgresql_where=sa.text("remaining > 0")
    ),
)

lot_movements = Table(
    "lot_movements",
    metadata,
    Column("entry_id", Identifier, ForeignKey(entries.c.id), primary_key=True, autoincrement=False),
    Column("lot_id", Identifier, ForeignKey(lots.c.id), primary_key=True, autoincrement=False),
    Column("amount", AmountColumn, nullable=False, comment="Micro-tokens taken from the lot."),
    CheckConstraint("amount > 0", name="amount"),
    sqlite_with_rowid=False,
)

# --- Usage ---------------------------------------------------------------------------------------------------------

usage_events = Table(
    "usage_events",
    metadata,
    # Wallet and price are checked by `verify` instead of foreign keys: on PostgreSQL those would take a tenth of the
    # intake's time, and the entry, which is a foreign key, has the same wallet.
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
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
    Column("entry_id", Identifier, ForeignKey(entries.c.id), comment="Empty when the use was free, or in quarantine."),
    Index("ix_usage_events_entry_id", "entry_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("released_at", Instant),
    sa.ForeignKeyConstraint(["source", "event_id"], ["usage_events.source", "usage_events.event_id"]),
    Index(
        "ix_quarantine_held",
        "since",
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    ),
)

usage_conflicts = Table(
    "usage_conflicts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, primary_key=True, comment="Of the content that was refused."),
    Column("offered", Json, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["source", "event_id"], ["usage_events.source", "usage_events.event_id"]),
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

file_imports = Table(
    "file_imports",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the file's content and format."),
    Column("lines_done", AmountColumn, nullable=False),
    Column("bytes_done", AmountColumn, nullable=False),
    Column("counts", Json, nullable=False),
    comment="How far an interrupted import of a file came; removed when it completes.",
)

# --- Outcomes of work ----------------------------------------------------------------------------------------------

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("source", Text, nullable=False),
    Column("outcome_id", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("day", Date, nullable=False, comment="Of occurred_at, in the programme's zone."),
    Column("as_of", Instant, nullable=False, comment="When it was so: of several versions the latest counts."),
    Column("state", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("lines", AmountColumn, comment="Changed ones, of a pull request."),
    Column("figure", AmountColumn, comment="Its weight or, of quality, its score, in thousandths."),
    Column("metric", Text, nullable=False),
    Column("reverts", Json, comment="The outcomes of the same source that it takes back."),
    Column("unit", Text, comment="team or person; empty while it waits, and for what is nobody's."),
    Column("unit_id", Text, ForeignKey(people.c.id), comment="The person, or the manager whose team it was that day."),
    Column("batch", Text, comment="Pull requests that are weighed together."),
    Column("waiting_for", Text, comment="A name that nobody is known by yet; forgotten once somebody is."),
    Column("received_at", Instant, nullable=False),
    sa.UniqueConstraint("source", "outcome_id", "fingerprint"),
    CheckConstraint("kind IN ('pull_request', 'bug', 'task', 'quality')", name="kind"),
    # Where two versions are of one instant, the state that comes later in the alphabet counts.
    CheckConstraint("state IN ('done', 'reopened', 'withdrawn')", name="state"),
    CheckConstraint("lines >= 0", name="lines"),
    CheckConstraint("figure >= 0", name="figure"),
    CheckConstraint("unit IN ('team', 'person')", name="unit"),
    CheckConstraint("waiting_for IS NULL OR (unit IS NULL AND unit_id IS NULL)", name="waiting"),
    Index("ix_outcomes_day", "day"),
    Index(
        "ix_outcomes_waiting",
        "id",
        sqlite_where=sa.text("waiting_for IS NOT NULL"),
        postgresql_where=sa.text("waiting_for IS NOT NULL"),
    ),
    Index(
        "ix_outcomes_reverts",
        "day",
        sqlite_where=sa.text("reverts IS NOT NULL"),
        postgresql_where=sa.text("reverts IS NOT NULL"),
    ),
    comment="What sources told of work, each version of it; only whose it was is filled in later.",
)

# --- Grants --------------------------------------------------------------------------------------------------------

budgets = Table(
    "budgets",
    metadata,
    Column("month", Text, primary_key=True),
    Column("amount_nano_usd", AmountColumn, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", Text, nullable=False),
    CheckConstraint("amount_nano_usd > 0", name="positive"),
)

grants = Table(
    "grants",
    metadata,
    Column("month", Text, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), nullable=False, unique=True),
    Column("amount", AmountColumn, nullable=False),
    Column("entitled_nano_usd", AmountColumn, nullable=False),
    Column("issued_nano_usd", AmountColumn, nullable=False, comment="What it took of the month's budget."),
    Column("factors", Json, nullable=False, comment="Everything that the amount follows from."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("value_version", Text, ForeignKey(token_values.c.version), nullable=False),
    CheckConstraint("amount > 0", name="amount"),
)

usd_entries = Table(
    "usd_entries",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("posted_at", Instant, nullable=False),
    Column("memo", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("value_version", Text, ForeignKey(token_values.c.version), nullable=False),
    Column("debit_account", Text, nullable=False),
    Column("credit_account", Text, nullable=False),
    Column("amount_nano_usd", AmountColumn, nullable=False),
    CheckConstraint("amount_nano_usd > 0", name="amount"),
    CheckConstraint("debit_account <> credit_account", name="accounts"),
    comment="The buffer's book in USD, balanced by its form: each line debits one account and credits another.",
)

# --- Quarterly reviews ----------------------------------------------------------------------------------------------

reviews = Table(
    "reviews",
    metadata,
    Column("quarter", Text, primary_key=True, comment="The one that is looked back at."),
    Column("state", Text, nullable=False, server_default="draft"),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that is shown of it."),
    Column("drafted_at", Instant, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False, comment="Whose thresholds hold."),
    Column("value_version", Text, ForeignKey(token_values.c.version), nullable=False, comment="It sizes the grants."),
    Column("value_proposal", Text, comment="The digest of the value that is proposed for the month."),
    Column("month", Text, nullable=False, comment="Whose grants are compared: the first that a change could reach."),
    Column("inputs", Json, nullable=False, comment="What is the same for everybody that the proposal follows from."),
    Column("inputs_digest", Text, nullable=False, comment="SHA-256 of all inputs, those of each person with them."),
    Column("summary", Json, nullable=False, comment="The quarter's figures as they were known at the draft."),
    Column("vote_until", Instant),
    Column("decided_at", Instant),
    Column("decided_by", Text),
    Column("holds_from", Text, comment="The month from which adopted changes hold."),
    CheckConstraint("state IN ('draft', 'adopted', 'lapsed')", name="state"),
    CheckConstraint("(state = 'draft') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(state = 'adopted') = (holds_from IS NOT NULL)", name="holds"),
)

review_inputs = Table(
    "review_inputs",
    metadata,
    Column("quarter", Text, ForeignKey(reviews.c.quarter), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("part", SmallInteger, primary_key=True, comment="0 is decided about; others are weeks in earlier teams."),
    Column("is_case", sa.Boolean, nullable=False, comment="Whether anything is proposed; else it is there for others."),
    Column("role_family", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("fte_permille", SmallInteger, nullable=False),
    Column("wave", SmallInteger),
    Column("team", Text, nullable=False, comment="Its manager; empty for nobody's."),
    Column("output", Json, nullable=False, comment="Thousandths by week; empty where only teams are measured."),
    Column("debits", Json, nullable=False, comment="Micro-tokens by week; null where the person was not there."),
    Column("utilisation", Json, nullable=False, comment="By quarter, the latest last, as decimals; null: no grants."),
    Column("state", Text, nullable=False, comment="That of the quarter before."),
    Column("deltas", Json, nullable=False, comment="Thousandths by quarter, the latest last: what was adopted."),
    Column("factor", Text, nullable=False, comment="What all adjustments so far make together."),
    Column("claim", Json, comment="What the grant of the month follows from; empty where there is none."),
    comment="What a review's draft was worked out from, kept as it was: later data change nothing of it.",
)

review_cases = Table(
    "review_cases",
    metadata,
    Column("quarter", Text, ForeignKey(reviews.c.quarter), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True, index=True),
    Column("unit", Text, nullable=False, comment="Whose efficiency it is: team or person."),
    Column("team", Text, nullable=False, comment="Its manager; empty for nobody's."),
    Column("peers", Text, comment="A key such as engineering/senior; empty where there is no score."),
    Column("peers_size", AmountColumn),
    Column("utilisation_permille", AmountColumn, comment="Empty where there were no grants."),
    Column("state_before", Text, nullable=False),
    Column("state_after", Text, nullable=False),
    Column("theta", Text),
    Column("lcb", Text),
    Column("missing", Text, nullable=False, comment="Why there is no score."),
    Column("delta_thousandths", SmallInteger, nullable=False),
    Column("factor_before", Text, nullable=False),
    Column("factor_after", Text, nullable=False, comment="What the proposal makes of it."),
    Column("grant_before", AmountColumn, comment="Of the month, without the change; empty where there is none."),
    Column("grant_after", AmountColumn, comment="With all changes as proposed, within the same budget."),
    Column("bound", Text, nullable=False, comment="What holds the proposed grant: floor, cap, or nothing."),
    Column("reasons", Json, nullable=False, comment="[{code, text, figures}, ...]"),
    Column("would_change", Json, nullable=False),
    Column("decision", Text, nullable=False, server_default="proposed"),
    Column("amended_thousandths", SmallInteger),
    Column("amended_factor", Text),
    Column("decided_by", Text, comment="Who held or amended it."),
    Column("decided_at", Instant),
    Column("decision_reason", Text),
    CheckConstraint("state_before IN ('low', 'usual', 'high')", name="before"),
    CheckConstraint("state_after IN ('low', 'usual', 'high')", name="after"),
    CheckConstraint("decision IN ('proposed', 'held', 'amended')", name="decision"),
    CheckConstraint(
        "(decision = 'amended') = (amended_thousandths IS NOT NULL AND amended_factor IS NOT NULL)", name="amended"
    ),
    CheckConstraint("(decision = 'proposed') = (decided_by IS NULL)", name="decided"),
    comment="What is proposed for each person with its reasons, and what became of it.",
)

review_panels = Table(
    "review_panels",
    metadata,
    Column("quarter", Text, ForeignKey(reviews.c.quarter), primary_key=True),
    Column("package", AmountColumn, nullable=False, comment="Counts holds and amendments: votes are on one package."),
    Column("needed", AmountColumn, nullable=False, comment="So many members adopt it, one of them of finance."),
    Column("stage", SmallInteger, nullable=False, comment="0 members, 1 alternates too, 2 the chair and finance too."),
    Column("convened_at", Instant, nullable=False),
    Column("remind_at", Instant, nullable=False),
    Column("next_step", Text, comment="remind, lapse, effect, close; or nothing."),
    Column("next_at", Instant),
    CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name="step"),
    comment="Who decides a review was asked at an instant; until when is in the review.",
)

review_seats = Table(
    "review_seats",
    metadata,
    Column("quarter", Text, ForeignKey(review_panels.c.quarter), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("kind", Text, nullable=False, comment="member, alternate, reserve"),
    Column("is_chair", sa.Boolean, nullable=False),
    Column("is_finance", sa.Boolean, nullable=False),
    comment="The electorate of a review, as it was when the board was asked.",
)

review_votes = Table(
    "review_votes",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("seat", Text, primary_key=True, comment="Whose vote it is; one a seat, changeable until it is decided."),
    Column("cast_by", Text, ForeignKey(people.c.id), nullable=False, comment="The same person, or their delegate."),
    Column("package", AmountColumn, nullable=False, comment="What it is about; of an earlier one it does not count."),
    Column("adopts", sa.Boolean, nullable=False),
    Column("reason", Text, comment="Of a vote against."),
    Column("cast_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["quarter", "seat"], ["review_seats.quarter", "review_seats.person_id"]),
    sa.UniqueConstraint("quarter", "cast_by"),
    CheckConstraint("adopts OR reason IS NOT NULL", name="reason"),
)

appeals = Table(
    "appeals",
    metadata,
    Column("quarter", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that is shown of it."),
    Column("state", Text, nullable=False, server_default="open", comment="Open or upheld, the cut does not hold."),
    Column("reason", Text, nullable=False, comment="The person's."),
    Column("filed_at", Instant, nullable=False),
    Column("decide_by", Instant, nullable=False, comment="Then it lapses."),
    Column("remind_at", Instant, comment="Then those who can decide are reminded; empty once they were."),
    Column("decided_at", Instant),
    Column("decided_by", Text, comment="A member of the board, or policy."),
    Column("decision_reason", Text),
    Column("cut_from", Text, comment="The month from which the cut holds after all."),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), unique=True, comment="What credited the difference."),
    sa.ForeignKeyConstraint(["quarter", "person_id"], ["review_cases.quarter", "review_cases.person_id"]),
    CheckConstraint("state IN ('open', 'upheld', 'rejected', 'lapsed')", name="state"),
    CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
    CheckConstraint("(state IN ('rejected', 'lapsed')) = (cut_from IS NOT NULL)", name="cut"),
    CheckConstraint("state NOT IN ('upheld', 'rejected') OR decision_reason IS NOT NULL", name="reason"),
    CheckConstraint("entry_id IS NULL OR state = 'upheld'", name="credited"),
    Index(
        "ix_appeals_open",
        "decide_by",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    comment="Appeals against cuts of adopted reviews, one a case.",
)

review_opt_outs = Table(
    "review_opt_outs",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("since", Instant, nullable=False),
    comment="Who is left out of what the compensation review gets.",
)

# --- Exceptions ----------------------------------------------------------------------------------------------------

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True, comment="Of the form that was submitted."),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False),
    Column("class_name", Text, nullable=False, comment="fast, standard, major, break_glass"),
    Column("state", Text, nullable=False),
    Column("revision", AmountColumn, nullable=False, server_default="1", comment="Of everything that a card shows."),
    Column("amount", AmountColumn, nullable=False, comment="Micro-tokens that were asked for."),
    Column("purpose", Text, nullable=False),
    Column("project_key", Text, ForeignKey(projects.c.key)),
    Column("service_key", Text, ForeignKey(services.c.key)),
    Column("last_day", Date, nullable=False, comment="Until the end of which it is wanted."),
    Column("incident", Text, comment="Of a break-glass."),
    Column("situation", Json, nullable=False, comment="What the request was judged by, as it was when it was made."),
    Column("handbook_version", Text, ForeignKey(handbooks.c.version), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("needed", SmallInteger, nullable=False),
    Column("needs_finance", sa.Boolean, nullable=False),
    Column("first_stage", SmallInteger, nullable=False),
    Column("stage", SmallInteger, nullable=False, comment="Who is called to vote by now: policy/quorum."),
    Column("remind_at", Instant, nullable=False),
    Column("escalate_at", Instant, nullable=False),
    Column("last_call_at", Instant, nullable=False),
    Column("lapse_at", Instant, nullable=False),
    Column("next_step", Text, comment="What the calendar does next about it, if anything,"),
    Column("next_at", Instant, comment="and when."),
    Column("decided_at", Instant),
    Column("decided_by", Text, comment="Whose vote decided it, or policy."),
    Column("granted", AmountColumn),
    Column("granted_last_day", Date),
    Column("entry_id", Identifier, ForeignKey(entries.c.id), unique=True, comment="What credited it."),
    Column("netted", AmountColumn, comment="Of a break-glass that was not ratified, taken off a grant,"),
    Column("netted_month", Text, comment="the grant of this month."),
    Column("outcome", Text, comment="What came of it, as its requester says: delivered, partly, nothing."),
    Column("outcome_note", Text),
    CheckConstraint(
        "state IN ('open', 'approved', 'rejected', 'lapsed', 'withdrawn', 'credited', 'ratified', 'not_ratified')",
        name="state",
    ),
    CheckConstraint("class_name IN ('fast', 'standard', 'major', 'break_glass')", name="class"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("granted BETWEEN 1 AND amount", name="granted"),
    CheckConstraint(
        "(state IN ('approved', 'credited', 'ratified', 'not_ratified')) = (entry_id IS NOT NULL)", name="credited"
    ),
    CheckConstraint("(next_step IS NULL) = (next_at IS NULL)", name="next"),
    Index("ix_requests_person_id", "person_id", "made_at"),
    Index(
        "ix_requests_next",
        "next_at",
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    ),
    Index(
        "ix_requests_undecided",
        "lapse_at",
        sqlite_where=sa.text("state IN ('open', 'credited')"),
        postgresql_where=sa.text("state IN ('open', 'credited')"),
    ),
)

request_beneficiaries = Table(
    "request_beneficiaries",
    metadata,
    Column("request_id", Text, ForeignKey(requests.c.id), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
)

request_seats = Table(
    "request_seats",
    metadata,
    Column("request_id", Text, ForeignKey(requests.c.id), primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("kind", Text, nullable=False, comment="member, alternate, reserve"),
    Column("is_chair", sa.Boolean, nullable=False),
    Column("is_finance", sa.Boolean, nullable=False),
    Column("recused", Text, nullable=False, comment="Why this person cannot vote; empty when they can."),
    comment="The electorate of a request, as it was when the request was made.",
)

request_votes = Table(
    "request_votes",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("seat", Text, primary_key=True, comment="Whose vote it is; one a seat, changeable until it is decided."),
    Column("cast_by", Text, ForeignKey(people.c.id), nullable=False, comment="The same person, or their delegate."),
    Column("approves", sa.Boolean, nullable=False),
    Column("amount", AmountColumn, comment="A smaller one than was asked for."),
    Column("last_day", Date, comment="An earlier one than was asked for."),
    Column("reason", Text, comment="Of a rejection."),
    Column("cast_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["request_id", "seat"], ["request_seats.request_id", "request_seats.person_id"]),
    sa.UniqueConstraint("request_id", "cast_by"),
    CheckConstraint("approves OR reason IS NOT NULL", name="reason"),
)

request_questions = Table(
    "request_questions",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True, comment="Of the form in which it was asked."),
    Column("request_id", Text, ForeignKey(requests.c.id), nullable=False, index=True),
    Column("asked_by", Text, ForeignKey(people.c.id), nullable=False),
    Column("question", Text, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("answer", Text),
    Column("answered_at", Instant),
)

request_drafts = Table(
    "request_drafts",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("fields", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
    comment="What somebody typed into the form and has not submitted yet.",
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("person_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("delegate_id", Text, ForeignKey(people.c.id), nullable=False, index=True),
    Column("last_day", Date, nullable=False),
    Column("ended_at", Instant, comment="When it was taken back before that."),
)

board_group = Table(
    "board_group",
    metadata,
    Column("usergroup", Text, primary_key=True),
    Column("slack_user_id", Text, primary_key=True),
    comment="The members of the board's Slack user group, as they were read last.",
)

# --- Warnings ------------------------------------------------------------------------------------------------------

wallets_to_check = Table(
    "wallets_to_check",
    metadata,
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    comment="Wallets that usage was posted to since somebody looked whether their owners are to be warned.",
)

warnings_given = Table(
    "warnings_given",
    metadata,
    Column("account_id", Identifier, ForeignKey(accounts.c.id), primary_key=True, autoincrement=False),
    Column("month", Text, primary_key=True),
    Column("percent", SmallInteger, primary_key=True),
    Column("reached_at", Instant, nullable=False),
    comment="Percentages that were reached; of those reached at once only the highest is told.",
)

warning_choices = Table(
    "warning_choices",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("percent", Json, nullable=False, comment="At which they want to be warned, besides the last."),
    Column("quiet_from", SmallInteger, nullable=False, comment="An hour of their own time."),
    Column("quiet_until", SmallInteger, nullable=False),
    CheckConstraint("quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23", name="hours"),
)

# --- Home ----------------------------------------------------------------------------------------------------------

homes = Table(
    "homes",
    metadata,
    Column("person_id", Text, ForeignKey(people.c.id), primary_key=True),
    Column("opened_at", Instant, nullable=False, comment="When they looked at it last."),
    Column("hash", Text, comment="Of the view that was published last: who publishes over another one is told."),
)

# --- The calendar and what is owed to Slack ------------------------------------------------------------------------

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
    Index(
        "ix_outbox_about",
        "about",
        sqlite_where=sa.text("about IS NOT NULL"),
        postgresql_where=sa.text("about IS NOT NULL"),
    ),
    Index(
        "ix_outbox_replaces",
        "replaces",
        "id",
        sqlite_where=sa.text("replaces IS NOT NULL"),
        postgresql_where=sa.text("replaces IS NOT NULL"),
    ),
    Index(
        "ix_outbox_owed",
        "at_once",
        "due_at",
        sqlite_where=sa.text("state IN ('waiting', 'leased')"),
        postgresql_where=sa.text("state IN ('waiting', 'leased')"),
    ),
)

# --- Audit ---------------------------------------------------------------------------------------------------------

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Identifier, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("handbook_version", Text),
    Column("slack_channel", Text),
    Column("slack_ts", Text),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
