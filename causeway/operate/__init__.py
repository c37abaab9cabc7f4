"""Looking after a deployment: what is there, what became of what landed, what waits."""
