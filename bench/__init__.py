"""The engines people would use instead, and ours, on the same input."""
