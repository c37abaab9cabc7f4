"""What a model is worth, and whether it may serve: pure functions over numbers."""
