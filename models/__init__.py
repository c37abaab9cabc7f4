"""The models: a specification each, which ml/spec.py reads."""
