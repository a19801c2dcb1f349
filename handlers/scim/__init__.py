"""`/scim/v2`: people and groups as identity providers and HR systems tell of them (RFC 7643, RFC 7644)."""
