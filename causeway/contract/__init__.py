"""A data contract: what a dataset's files must look like."""
