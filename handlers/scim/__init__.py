"""`/scim/v2`: people and groups as identity providers and HR systems tell of them (RFC 7643, RFC 7644)."""

MOST_BYTES = 4 * 1024 * 1024
"""Of a request, as we publish it."""
