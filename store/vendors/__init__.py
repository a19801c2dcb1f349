"""What vendors say they counted and charged: fetched, kept in versions, and compared."""
