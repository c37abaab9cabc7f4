"""The company's stacks."""
