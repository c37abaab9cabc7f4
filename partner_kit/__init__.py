"""Reads curated tables through the company's cross-account role: `python -m partner_kit --help`."""
