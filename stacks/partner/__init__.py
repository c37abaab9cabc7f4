"""The partner's stacks."""
