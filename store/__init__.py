"""SQL: tables, queries and migrations. Functions take a session and never commit."""
