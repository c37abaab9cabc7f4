"""The Iceberg tables: where they are, how they change, what follows from their history."""
