"""Cost centres, charges and bills, as the database has them."""
