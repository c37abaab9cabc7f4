"""The partner's half: from a curated snapshot to a model. It runs in the partner's account."""
