"""The curation job and the engine it runs."""
