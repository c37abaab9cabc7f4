"""Injected faults, and what must hold whatever they are."""
