"""Records in columns to curated rows and rejected ones."""
