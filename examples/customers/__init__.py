"""Customers who rate the demo's films. Nobody in it exists: names are syllables, addresses of example.org."""
