"""Self-contained pages: one look, one file each, no network."""
