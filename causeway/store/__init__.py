"""The relational store: curated tables in PostgreSQL, brought up to a snapshot in one transaction."""
