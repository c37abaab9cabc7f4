"""Stored bytes to records in columns."""
