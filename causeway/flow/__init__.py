"""The way of a landed version, as data. Standard library and boto3 only: it is all that a Lambda gets."""
